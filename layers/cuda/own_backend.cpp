#include "layers/cuda/own_backend.h"

#include <algorithm>
#include <cstring>

#include "layers/core/bfloat16.h"
#include "layers/core/float16.h"
#include "layers/cuda/kernels/copies.h"
#include "layers/cuda/kernels/elementwise.h"
#include "layers/cuda/kernels/update.h"
#include "layers/cuda/library_work.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

constexpr std::int64_t kOwnBytes = 256;  // the step's values
static_assert(sizeof(StepValues) <= kOwnBytes);

/// Calls `call(canonical index, index where it lies)` for every value of a parameter.
template <class Call>
void for_values(const sizes::LayoutForm& form, Call&& call) {
  const std::vector<std::size_t> axes = form.axes();
  std::vector<std::int64_t> strides(form.dims.size(), 1);  // canonical
  for (std::size_t i = form.dims.size(); i-- > 1;) strides[i - 1] = strides[i] * form.dims[i];
  std::int64_t count = 1;
  for (const std::int64_t dim : form.dims) count *= dim;
  std::vector<std::int64_t> at(axes.size());  // by place in `axes`
  std::int64_t canonical = 0;
  for (std::int64_t lies = 0; lies < count; ++lies) {
    call(canonical, lies);
    for (std::size_t i = axes.size(); i-- > 0;) {
      canonical += strides[axes[i]];
      if (++at[i] < form.dims[axes[i]]) break;
      canonical -= at[i] * strides[axes[i]];
      at[i] = 0;
    }
  }
}

/// Calls `call` with a value of the element type, on the host.
template <class Call>
void with_host_element(DType type, Call&& call) {
  switch (type) {
    case DType::f32:
      return call(float{});
    case DType::f16:
      return call(Float16{});
    case DType::bf16:
      return call(BFloat16{});
    default:
      refuse_type(type);
  }
}

class OwnBackend : public Backend {
 public:
  OwnBackend(Device& device, Queue queue, std::unique_ptr<Libraries> libraries, std::string name)
      : libraries_(std::move(libraries)),
        own_(device, kOwnBytes),
        step_(device, queue, own_.at(0)),
        engine_{&device, queue, &step_, libraries_.get(), {}},
        name_(std::move(name)),
        info_(device.info()) {}

  std::string name() const override { return name_; }
  bool supports(DType type) const override {
    return type == DType::f32 || (type == DType::f16 && info_.fp16) || (type == DType::bf16 && info_.bf16);
  }
  std::int64_t alignment() const override { return 256; }
  std::int64_t usual_workspace() const override { return sizes::kUsualWorkspace; }
  bool loads_ahead() const override { return true; }
  bool has_tf32() const override { return libraries_ != nullptr && libraries_->has_tf32(); }
  void set_step(const StepContext& context) override { step_.set(context); }
  DType gradient_type(DType precision) const override { return precision; }
  std::string describe(const Layout& layout) const override { return engine_.layouts.describe(layout); }

  std::shared_ptr<const LoweredLayer> lower(const Site& site, std::span<const Layout>) override {
    return std::visit([&](const auto& op) { return cuda::lower(op, site, engine_); }, site.layer->op);
  }
  std::string kernel_problem(const Site& site) override {
    const auto work = library_work(site, engine_);
    return work ? work->problem : "";
  }
  std::optional<KernelTrial> try_kernels(const Site& site, std::span<const Layout>,
                                         KernelTimer& timer) override {
    const auto work = library_work(site, engine_);
    if (!work || !site.training) return std::nullopt;
    const auto spec =
        std::visit([&](const auto& op) { return sizes::spec_of(op, site, engine_.layouts); }, site.layer->op);
    return try_library_kernels(*work, spec, timer);
  }
  std::string kernel_conditions() const override {
    return libraries_ == nullptr ? "" : libraries_->conditions();
  }
  std::unique_ptr<KernelTimer> make_timer(double budget_seconds, std::int64_t bytes) override {
    return libraries_ == nullptr ? nullptr : libraries_->make_timer(budget_seconds, bytes);
  }
  void choose_kernels(KernelChoices choices) override { engine_.choices = std::move(choices); }
  Layout input_layout(Shape shape, std::int64_t batch, DType type) override {
    return engine_.layouts.activation(shape, batch, type);
  }
  Layout master_layout(const Layout& used) override { return engine_.layouts.with_type(used, DType::f32); }
  Layout gradient_layout(const Layout& master, DType precision) override {
    return engine_.layouts.with_type(master, precision);
  }
  void store_parameter(const ParameterSpec& parameter, const Layout& layout, const float* host,
                       void* stored) override;
  void load_parameter(const ParameterSpec& parameter, const Layout& layout, const void* stored,
                      float* host) override;
  void pack_parameter(const ParameterSpec& parameter, const Layout& layout, const float* host,
                      void* stored) override;
  void unpack_parameter(const ParameterSpec& parameter, const Layout& layout, const void* stored,
                        float* host) override;

  std::int64_t reorder_scratch(const Layout&, const Layout&, bool) override { return 0; }
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
  std::int64_t squares_scratch(std::int64_t count) override { return sizes::squares_parts(count) * 8; }
  std::unique_ptr<Kernel> sum_of_squares(DType type, std::vector<Slice> ranges, const void* values,
                                         double* sum, void* scratch) override;
  std::unique_ptr<Kernel> decide_update(const UpdateRule& rule, const double* squares,
                                        UpdateState* state) override;

 private:
  std::unique_ptr<Libraries> libraries_;
  Arena own_;
  StepMemory step_;
  Engine engine_;
  std::string name_;
  DeviceInfo info_;
};

void OwnBackend::store_parameter(const ParameterSpec& parameter, const Layout& layout, const float* host,
                                 void* stored) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(layout.bytes));
  pack_parameter(parameter, layout, host, bytes.data());
  engine_.device->copy_in(stored, bytes.data(), layout.bytes);
}

void OwnBackend::load_parameter(const ParameterSpec& parameter, const Layout& layout, const void* stored,
                                float* host) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(layout.bytes));
  engine_.device->copy_out(bytes.data(), stored, layout.bytes);
  unpack_parameter(parameter, layout, bytes.data(), host);
}

void OwnBackend::pack_parameter(const ParameterSpec&, const Layout& layout, const float* host, void* stored) {
  const sizes::LayoutForm& form = engine_.layouts.form(layout);
  with_host_element(form.type, [&]<class T>(T) {
    for_values(form, [&](std::int64_t canonical, std::int64_t lies) {
      static_cast<T*>(stored)[lies] = T(host[canonical]);
    });
  });
}

void OwnBackend::unpack_parameter(const ParameterSpec&, const Layout& layout, const void* stored,
                                  float* host) {
  const sizes::LayoutForm& form = engine_.layouts.form(layout);
  with_host_element(form.type, [&]<class T>(T) {
    for_values(form, [&](std::int64_t canonical, std::int64_t lies) {
      host[canonical] = float(static_cast<const T*>(stored)[lies]);
    });
  });
}

std::unique_ptr<Kernel> OwnBackend::reorder(const Layout& from, const Layout& to, bool add, bool assign_first,
                                            const void* source, void* target, void*) {
  const sizes::LayoutForm& source_form = engine_.layouts.form(from);
  const sizes::LayoutForm& target_form = engine_.layouts.form(to);
  const DType source_type = source_form.type;
  const DType target_type = target_form.type;
  const std::int64_t count = from.bytes / size_of(source_type);
  // Only types differ here: all layouts of one tensor lie alike.
  if (source_form.order != target_form.order || source_form.dims != target_form.dims) {
    fail(ExitCode::internal, "no kernel of the GPU changes {} to {}", describe(from), describe(to));
  }
  return make_kernel([=, queue = engine_.queue](const StepContext& context) {
    const bool adds = add && !(assign_first && context.first_pass);
    convert(queue, source_type, target_type, count, source, target, adds);
  });
}

std::unique_ptr<Kernel> OwnBackend::scale_pixels(Shape shape, std::int64_t batch, DType type,
                                                 const PixelScale& scale, const void* pixels, void* input) {
  std::vector<ChannelScale> pieces;
  for (std::int64_t first = 0; first < shape.channels; first += kChannelsAtOnce) {
    ChannelScale& piece = pieces.emplace_back();
    piece.channels = shape.channels;
    piece.first = first;
    piece.count = static_cast<int>(std::min<std::int64_t>(kChannelsAtOnce, shape.channels - first));
    for (int c = 0; c < piece.count; ++c) {
      piece.mean[c] = scale.mean[static_cast<std::size_t>(first + c)];
      piece.deviation[c] = scale.deviation[static_cast<std::size_t>(first + c)];
    }
  }
  return make_kernel([=, queue = engine_.queue, pieces = std::move(pieces)](const StepContext&) {
    for (const ChannelScale& piece : pieces) {
      cuda::scale_pixels(queue, type, piece, batch * shape.pixels(), static_cast<const std::uint8_t*>(pixels),
                         input);
    }
  });
}

std::unique_ptr<Kernel> OwnBackend::sgd(const SgdSpec& spec, std::vector<SgdRange> ranges, void* weights,
                                        const void* gradients, void* momentum, void* half,
                                        const UpdateState* state) {
  auto* w = static_cast<float*>(weights);
  const auto* g = static_cast<const std::byte*>(gradients);
  auto* v = static_cast<float*>(momentum);
  auto* copy = static_cast<std::byte*>(half);
  return make_kernel(
      [=, this, queue = engine_.queue, ranges = std::move(ranges)](const StepContext& context) {
        const StepValues* values = step_.set(context);
        for (const SgdRange& range : ranges) {
          SgdStep step{range.count,   values,        state,         range.rate, range.decay,
                       spec.momentum, spec.nesterov, spec.gradient, spec.half};
          step.weights = w + range.first;
          step.gradients = g + range.first * size_of(spec.gradient);
          if (v != nullptr) step.momentum = v + range.first;
          if (copy != nullptr) step.half = copy + range.first * size_of(spec.half);
          cuda::sgd(queue, step);
        }
      });
}

// Copies on GPUs lie as their masters do.
void OwnBackend::copy_half(DType type, std::int64_t count, std::int64_t, const void* weights, void* half) {
  convert(engine_.queue, DType::f32, type, count, weights, half, false);
  engine_.device->synchronize();
}

std::unique_ptr<Kernel> OwnBackend::follow(std::int64_t count, float momentum, void* running,
                                           const void* statistic, const UpdateState* state) {
  return make_kernel([=, queue = engine_.queue](const StepContext&) {
    cuda::follow(queue, count, momentum, static_cast<float*>(running), static_cast<const float*>(statistic),
                 state);
  });
}

std::unique_ptr<Kernel> OwnBackend::sum_of_squares(DType type, std::vector<Slice> ranges, const void* values,
                                                   double* sum, void* scratch) {
  std::int64_t count = 0;
  for (const Slice& range : ranges) count += range.count;
  const auto* first = static_cast<const std::byte*>(values);
  auto* sums = static_cast<double*>(scratch);
  return make_kernel([=, queue = engine_.queue, parts = sizes::squares_parts(count),
                      ranges = std::move(ranges)](const StepContext&) {
    bool adds = false;
    for (const Slice& range : ranges) {
      add_squares(queue, type, range.count, first + range.first * size_of(type), adds, parts, sums);
      adds = true;
    }
    add_parts(queue, ranges.empty() ? 0 : parts, sums, sum);
  });
}

std::unique_ptr<Kernel> OwnBackend::decide_update(const UpdateRule& rule, const double* squares,
                                                  UpdateState* state) {
  return make_kernel([=, this](const StepContext& context) {
    decide(engine_.queue, rule, squares, step_.set(context), state);
  });
}

}  // namespace

std::int64_t own_backend_bytes() { return kOwnBytes; }

std::unique_ptr<Backend> make_own_backend(Device& device, Queue queue, std::unique_ptr<Libraries> libraries,
                                          std::string name) {
  return std::make_unique<OwnBackend>(device, queue, std::move(libraries), std::move(name));
}

}  // namespace CONVOY_CUDA_NAMESPACE
