#include "layers/cpu/cpu_backend.h"

#include <fmt/format.h>
#include <omp.h>

#include "layers/core/bytes.h"
#include "layers/core/text.h"
#include "layers/cpu/convolution.h"
#include "layers/cpu/element.h"
#include "layers/cpu/lower.h"
#include "layers/cpu/simd.h"
#include "layers/cpu/trial_site.h"
#include "layers/device/cpu/cpu_device.h"
#include "layers/graph/arithmetic.h"

namespace convoy {
namespace {

using cpu::checked;
using cpu::make_kernel;

constexpr std::int64_t kSgdBlock = 8192;
constexpr std::int64_t kSquaresBlock = 1 << 14;

/// One optimizer step of `count` values; without momentum `v` is null.
CONVOY_SIMD void sgd_block(float* __restrict w, const float* __restrict g, float* __restrict v,
                           std::int64_t count, float scale, float rate, float decay, float momentum,
                           bool nesterov) {
  if (v == nullptr) {
    for (std::int64_t i = 0; i < count; ++i) {
      float none = 0;
      sgd_step(w[i], none, g[i] * scale, rate, decay, 0, false);
    }
    return;
  }
  for (std::int64_t i = 0; i < count; ++i)
    sgd_step(w[i], v[i], g[i] * scale, rate, decay, momentum, nesterov);
}

/// While the new weights are still in the cache.
CONVOY_SIMD void half_block(const float* __restrict w, BFloat16* __restrict half, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) half[i] = BFloat16(w[i]);
}

/// The same with rows of `width` values in pairs; `count` is a multiple of 2 · width.
CONVOY_SIMD void paired_block(const float* __restrict w, BFloat16* __restrict half, std::int64_t count,
                              std::int64_t width) {
  for (std::int64_t first = 0; first < count; first += 2 * width) {
    for (std::int64_t i = 0; i < width; ++i) {
      half[first + 2 * i] = BFloat16(w[first + i]);
      half[first + 2 * i + 1] = BFloat16(w[first + width + i]);
    }
  }
}

void copy_block(const float* w, BFloat16* half, std::int64_t count, std::int64_t interleave) {
  if (interleave == 0) return half_block(w, half, count);
  paired_block(w, half, count, interleave);
}

/// Fixed blocks, added in order: the sum does not depend on the number of threads.
double sum_of_blocks(const float* x, std::int64_t count, double* sums) {
  const std::int64_t blocks = (count + kSquaresBlock - 1) / kSquaresBlock;
#pragma omp parallel for
  for (std::int64_t b = 0; b < blocks; ++b) {
    double sum = 0;
    const std::int64_t end = std::min(count, (b + 1) * kSquaresBlock);
    for (std::int64_t i = b * kSquaresBlock; i < end; ++i)
      sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    sums[b] = sum;
  }
  double total = 0;
  for (std::int64_t b = 0; b < blocks; ++b) total += sums[b];
  return total;
}

/// The processor's flat gradients are fp32.
const float* gradients_of(DType type, const void* values) {
  if (type != DType::f32)
    fail(ExitCode::internal, "the processor keeps no gradients of type {}", name_of(type));
  return static_cast<const float*>(values);
}

class CpuBackend : public Backend {
 public:
  explicit CpuBackend(KernelChoices choices) : engine_(std::move(choices)) {}

  std::string name() const override { return "cpu"; }
  bool supports(DType type) const override {
    // oneDNN computes with bf16 from AVX-512 on (with instructions for it, or by conversion).
    const bool wide = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
    return type == DType::f32 || (type == DType::bf16 && wide);
  }
  std::int64_t alignment() const override { return 64; }
  std::string describe(const Layout& layout) const override;

  std::shared_ptr<const LoweredLayer> lower(const Site& site, std::span<const Layout> inputs) override {
    return std::visit([&](const auto& op) { return cpu::lower(op, site, inputs, engine_); }, site.layer->op);
  }
  std::string kernel_problem(const Site& site) override {
    const auto* convolution = std::get_if<Convolution>(&site.layer->op);
    return convolution == nullptr ? "" : cpu::problem_text(*convolution, site);
  }
  std::optional<KernelTrial> try_kernels(const Site& site, std::span<const Layout> inputs,
                                         KernelTimer& timer) override {
    const auto* convolution = std::get_if<Convolution>(&site.layer->op);
    if (convolution == nullptr) return std::nullopt;
    return cpu::try_convolution(*convolution, site, inputs[0], *this, engine_, timer);
  }
  double trial_share(const Site& site) override {
    const auto* convolution = std::get_if<Convolution>(&site.layer->op);
    return convolution == nullptr ? 1 : cpu::trial_share(*convolution, site);
  }
  Layout input_layout(Shape shape, std::int64_t batch, DType type) override {
    return engine_.layout(cpu::plain_activation(shape, batch, type));
  }
  Layout master_layout(const Layout& used) override {
    return engine_.layout(cpu::master_of(engine_.desc(used)).desc);
  }
  std::int64_t interleave(const Layout& half) const override {
    return cpu::master_of(engine_.desc(half)).interleave;
  }
  void store_parameter(const ParameterSpec& parameter, const Layout& layout, const float* host,
                       void* stored) override {
    copy_once(engine_.layout(cpu::canonical_parameter(parameter)), layout, host, stored);
  }
  void load_parameter(const ParameterSpec& parameter, const Layout& layout, const void* stored,
                      float* host) override {
    copy_once(layout, engine_.layout(cpu::canonical_parameter(parameter)), stored, host);
  }

  std::int64_t reorder_scratch(const Layout& from, const Layout& to, bool add) override {
    const auto scratch = [&] { return cpu::scratch_of(reorder_desc(from, to, add)); };
    return engine_.once<std::int64_t>(
        {static_cast<std::int64_t>(cpu::Once::reorder_scratch), from.id, to.id, add}, scratch);
  }
  std::unique_ptr<Kernel> reorder(const Layout& from, const Layout& to, bool add, bool assign_first,
                                  const void* source, void* target, void* scratch) override;
  std::unique_ptr<Kernel> scale_pixels(Shape shape, std::int64_t batch, DType type, const PixelScale& scale,
                                       const void* pixels, void* input) override;
  std::unique_ptr<Kernel> sgd(const SgdSpec& spec, std::vector<SgdRange> ranges, void* weights,
                              const void* gradients, void* momentum, void* half,
                              const UpdateState* state) override;
  void copy_half(DType type, std::int64_t count, std::int64_t interleave, const void* weights,
                 void* half) override;
  std::unique_ptr<Kernel> follow(std::int64_t count, float momentum, void* running, const void* statistic,
                                 const UpdateState* state) override;
  std::int64_t squares_scratch(std::int64_t count) override {
    return (count + kSquaresBlock - 1) / kSquaresBlock * 8;
  }
  std::unique_ptr<Kernel> sum_of_squares(DType type, std::vector<Slice> ranges, const void* values,
                                         double* sum, void* scratch) override;
  std::unique_ptr<Kernel> decide_update(const UpdateRule& rule, const double* squares,
                                        UpdateState* state) override {
    return make_kernel([=](const StepContext& context) {
      convoy::decide_update(rule, *squares, context.iteration, *state);
    });
  }

 private:
  dnnl::reorder::primitive_desc reorder_desc(const Layout& from, const Layout& to, bool add) const;
  void copy_once(const Layout& from, const Layout& to, const void* source, void* target);

  cpu::Engine engine_;
};

std::string CpuBackend::describe(const Layout& layout) const {
  const dnnl_memory_desc_t& desc = engine_.desc(layout).data;
  std::string dims;
  for (int i = 0; i < desc.ndims; ++i) dims += fmt::format("{}{}", i == 0 ? "" : "x", desc.dims[i]);
  std::string strides;
  if (desc.format_kind == dnnl_blocked) {
    const dnnl_blocking_desc_t& blocking = desc.format_desc.blocking;
    for (int i = 0; i < desc.ndims; ++i)
      strides += fmt::format("{}{}", i == 0 ? ":" : ",", blocking.strides[i]);
    for (int i = 0; i < blocking.inner_nblks; ++i) {
      strides +=
          fmt::format("/{}{}", blocking.inner_blks[i], static_cast<char>('a' + blocking.inner_idxs[i]));
    }
  } else {
    strides = fmt::format(":opaque{}", static_cast<int>(desc.format_kind));
  }
  return fmt::format("{} {}{}", name_of(cpu::type_of(engine_.desc(layout))), dims, strides);
}

dnnl::reorder::primitive_desc CpuBackend::reorder_desc(const Layout& from, const Layout& to, bool add) const {
  return checked("a change of layout", [&] {
    dnnl::primitive_attr attr = cpu::user_scratchpad();
    if (add) {
      dnnl::post_ops sum;
      sum.append_sum();
      attr.set_post_ops(sum);
    }
    const dnnl::memory::desc& target = engine_.desc(to);
    dnnl::memory::desc source = engine_.desc(from);
    if (source.dims().size() != target.dims().size()) source = source.reshape(target.dims());
    return dnnl::reorder::primitive_desc(engine_.get(), source, engine_.get(), target, attr);
  });
}

void CpuBackend::copy_once(const Layout& from, const Layout& to, const void* source, void* target) {
  std::vector<std::byte> scratch(static_cast<std::size_t>(reorder_scratch(from, to, false)) + 64);
  const auto address = reinterpret_cast<std::uintptr_t>(scratch.data());
  reorder(from, to, false, false, source, target, scratch.data() + (64 - address % 64) % 64)->run({});
}

std::unique_ptr<Kernel> CpuBackend::reorder(const Layout& from, const Layout& to, bool add, bool assign_first,
                                            const void* source, void* target, void* scratch) {
  const auto make = [&](bool adding) {
    const auto pd = reorder_desc(from, to, adding);
    cpu::ArgMap args{{DNNL_ARG_FROM, engine_.bind(pd.src_desc(), source)},
                     {DNNL_ARG_TO, engine_.bind(pd.dst_desc(), target)},
                     {DNNL_ARG_SCRATCHPAD, engine_.bind(pd.scratchpad_desc(), scratch)}};
    return std::make_unique<cpu::PrimitiveKernel>(engine_.stream(), dnnl::reorder(pd), std::move(args),
                                                  "a change of layout");
  };
  if (!add || !assign_first) return make(add);
  return make_kernel([adding = std::shared_ptr<Kernel>(make(true)),
                      assigning = std::shared_ptr<Kernel>(make(false))](const StepContext& context) {
    (context.first_pass ? assigning : adding)->run(context);
  });
}

std::unique_ptr<Kernel> CpuBackend::scale_pixels(Shape shape, std::int64_t batch, DType type,
                                                 const PixelScale& scale, const void* pixels, void* input) {
  const auto* from = static_cast<const std::uint8_t*>(pixels);
  return cpu::with_element(type, [&]<class T>(T) -> std::unique_ptr<Kernel> {
    auto* to = static_cast<T*>(input);
    // A table of the 256 values of each channel: one look-up a pixel.
    std::vector<T> table(static_cast<std::size_t>(shape.channels) * 256);
    for (std::size_t c = 0; c < static_cast<std::size_t>(shape.channels); ++c) {
      for (std::size_t v = 0; v < 256; ++v) {
        table[c * 256 + v] = T((static_cast<float>(v) - scale.mean[c]) / scale.deviation[c]);
      }
    }
    return make_kernel([=, table = std::move(table)](const StepContext&) {
#pragma omp parallel for collapse(2)
      for (std::int64_t n = 0; n < batch; ++n) {
        for (std::int64_t c = 0; c < shape.channels; ++c) {
          const std::uint8_t* row = from + n * shape.elements() + c;
          T* plane = to + (n * shape.channels + c) * shape.pixels();
          const T* values = table.data() + c * 256;
          for (std::int64_t i = 0; i < shape.pixels(); ++i) plane[i] = values[row[i * shape.channels]];
        }
      }
    });
  });
}

std::unique_ptr<Kernel> CpuBackend::sgd(const SgdSpec& spec, std::vector<SgdRange> ranges, void* weights,
                                        const void* gradients, void* momentum, void* half,
                                        const UpdateState* state) {
  if (half != nullptr && spec.half != DType::bf16)
    fail(ExitCode::internal, "the processor keeps no weights of type {}", name_of(spec.half));
  auto* copy = static_cast<BFloat16*>(half);
  auto* w = static_cast<float*>(weights);
  const float* g = gradients_of(spec.gradient, gradients);
  auto* v = static_cast<float*>(momentum);
  return make_kernel([=, ranges = std::move(ranges)](const StepContext& context) {
    if (skips_update(state)) return;
    const float scale = gradient_scale_of(state);
    for (const SgdRange& range : ranges) {
      const std::int64_t end = range.first + range.count;
#pragma omp parallel for schedule(static) if (range.count > kSgdBlock)
      for (std::int64_t first = range.first; first < end; first += kSgdBlock) {
        const std::int64_t count = std::min(kSgdBlock, end - first);
        sgd_block(w + first, g + first, v == nullptr ? nullptr : v + first, count, scale,
                  context.learning_rate * range.rate, range.decay, spec.momentum, spec.nesterov);
        if (copy != nullptr) copy_block(w + first, copy + first, count, range.interleave);
      }
    }
  });
}

void CpuBackend::copy_half(DType, std::int64_t count, std::int64_t interleave, const void* weights,
                           void* half) {
#pragma omp parallel for schedule(static) if (count > kSgdBlock)
  for (std::int64_t first = 0; first < count; first += kSgdBlock)
    copy_block(static_cast<const float*>(weights) + first, static_cast<BFloat16*>(half) + first,
               std::min(kSgdBlock, count - first), interleave);
}

std::unique_ptr<Kernel> CpuBackend::follow(std::int64_t count, float momentum, void* running,
                                           const void* statistic, const UpdateState* state) {
  auto* mean = static_cast<float*>(running);
  const auto* batch = static_cast<const float*>(statistic);
  return make_kernel([=](const StepContext&) {
    if (skips_update(state)) return;
    for (std::int64_t i = 0; i < count; ++i) mean[i] = (1 - momentum) * mean[i] + momentum * batch[i];
  });
}

std::unique_ptr<Kernel> CpuBackend::sum_of_squares(DType type, std::vector<Slice> ranges, const void* values,
                                                   double* sum, void* scratch) {
  const float* x = gradients_of(type, values);
  auto* sums = static_cast<double*>(scratch);
  return make_kernel([=, ranges = std::move(ranges)](const StepContext&) {
    *sum = 0;
    for (const Slice& range : ranges) *sum += sum_of_blocks(x + range.first, range.count, sums);
  });
}

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(KernelChoices choices) {
  return std::make_unique<CpuBackend>(std::move(choices));
}

void set_cpu_threads(int threads) {
  constexpr int kMostForACore = 32;
  constexpr std::int64_t kThreadBytes = 3 << 20;  // measured: stack and heap of one that has run kernels
  const int cores = usable_cores();
  if (threads > kMostForACore * cores) {
    fail(ExitCode::usage,
         "threads = {} is more than {} for each of the {} that may be used here: they would be slower, and "
         "take about {} of memory; ask for fewer, or for 0: as many as there are cores",
         threads, kMostForACore, counted(cores, "core"), format_bytes(kThreadBytes * threads));
  }
  omp_set_num_threads(threads);
}

std::string cpu_library_version() {
  const dnnl_version_t& version = *dnnl_version();
  return fmt::format("oneDNN {}.{}.{}", version.major, version.minor, version.patch);
}

std::string cpu_kernel_conditions(int threads) {
  // Raise when ways are added: trials of before know nothing of them.
  constexpr int kSetOfWays = 2;
  return fmt::format("{} with instruction set {:#x}, {}, {}, ways {}", cpu_library_version(),
                     static_cast<unsigned>(dnnl_get_effective_cpu_isa()), CpuDevice().info().name,
                     counted(threads > 0 ? threads : omp_get_max_threads(), "thread"), kSetOfWays);
}

}  // namespace convoy
