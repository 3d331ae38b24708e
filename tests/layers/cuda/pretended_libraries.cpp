#include "tests/layers/cuda/pretended_libraries.h"

#include <cstring>

#include "layers/core/bfloat16.h"
#include "layers/core/float16.h"
#include "layers/cuda/own_backend.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

/// Values of a type as doubles.
class Values {
 public:
  Values(DType type, const void* memory) : type_(type), memory_(memory) {}
  double at(std::int64_t i) const {
    const auto place = static_cast<std::size_t>(i);
    if (type_ == DType::f32) return static_cast<double>(static_cast<const float*>(memory_)[place]);
    if (type_ == DType::f16) return static_cast<double>(float(static_cast<const Float16*>(memory_)[place]));
    return static_cast<double>(float(static_cast<const BFloat16*>(memory_)[place]));
  }
  void put(std::int64_t i, double value) const {
    const auto place = static_cast<std::size_t>(i);
    const auto rounded = static_cast<float>(value);
    void* memory = const_cast<void*>(memory_);
    if (type_ == DType::f32) static_cast<float*>(memory)[place] = rounded;
    if (type_ == DType::f16) static_cast<Float16*>(memory)[place] = Float16(rounded);
    if (type_ == DType::bf16) static_cast<BFloat16*>(memory)[place] = BFloat16(rounded);
  }

 private:
  DType type_;
  const void* memory_;
};

/// Sums that belong at places of a result.
struct Sums {
  std::vector<double> values;
  std::vector<bool> mine;  ///< the others are another group's

  /// Zeros at all places of an image that are this convolution's; its pixels are `pixel` values apart, 0: as
  /// many as it has channels.
  void zero(std::int64_t pixels, std::int64_t channels, std::int64_t pixel) {
    const std::int64_t step = pixel == 0 ? channels : pixel;
    values.assign(static_cast<std::size_t>(pixels * step), 0);
    mine.assign(values.size(), false);
    for (std::int64_t p = 0; p < pixels; ++p) {
      for (std::int64_t c = 0; c < channels; ++c) mine[static_cast<std::size_t>(p * step + c)] = true;
    }
  }
  double& operator[](std::int64_t place) { return values[static_cast<std::size_t>(place)]; }
};

/// Calls visit(input place, weight place, output place) for every product of a convolution.
template <class Visit>
void for_products(const ConvolutionGeometry& g, Visit&& visit) {
  const std::int64_t in_pixel = g.in_pixel == 0 ? g.in_channels : g.in_pixel;
  const std::int64_t out_pixel = g.out_pixel == 0 ? g.out_channels : g.out_pixel;
  const std::int64_t inputs = g.in_channels / g.groups;
  const std::int64_t outputs = g.out_channels / g.groups;
  for (std::int64_t n = 0; n < g.batch; ++n) {
    for (std::int64_t pixel = 0; pixel < g.out_y * g.out_x; ++pixel) {
      for (std::int64_t window = 0; window < g.kernel_y * g.kernel_x; ++window) {
        const std::int64_t y =
            pixel / g.out_x * g.stride_y - g.padding_y + window / g.kernel_x * g.dilation_y;
        const std::int64_t x =
            pixel % g.out_x * g.stride_x - g.padding_x + window % g.kernel_x * g.dilation_x;
        if (y < 0 || x < 0 || y >= g.in_y || x >= g.in_x) continue;
        for (std::int64_t o = 0; o < g.out_channels; ++o) {
          for (std::int64_t c = 0; c < inputs; ++c) {
            visit(((n * g.in_y + y) * g.in_x + x) * in_pixel + o / outputs * inputs + c,
                  (o * g.kernel_y * g.kernel_x + window) * inputs + c,
                  (n * g.out_y * g.out_x + pixel) * out_pixel + o);
          }
        }
      }
    }
  }
}

void convolve_slowly(ConvolutionPass pass, DType type, const ConvolutionGeometry& g, const void* first,
                     const void* second, void* result) {
  const Values a(type, first);
  const Values b(type, second);
  Sums sums;
  switch (pass) {
    case ConvolutionPass::forward:
      sums.zero(g.batch * g.out_y * g.out_x, g.out_channels, g.out_pixel);
      for_products(g, [&](auto in, auto w, auto out) { sums[out] += a.at(in) * b.at(w); });
      break;
    case ConvolutionPass::data:
      sums.zero(g.batch * g.in_y * g.in_x, g.in_channels, g.in_pixel);
      for_products(g, [&](auto in, auto w, auto out) { sums[in] += a.at(out) * b.at(w); });
      break;
    case ConvolutionPass::weights:
      sums.zero(g.out_channels * g.kernel_y * g.kernel_x, g.in_channels / g.groups, 0);
      for_products(g, [&](auto in, auto w, auto out) { sums[w] += a.at(in) * b.at(out); });
  }
  for (std::size_t place = 0; place < sums.values.size(); ++place) {
    if (sums.mine[place]) Values(type, result).put(static_cast<std::int64_t>(place), sums.values[place]);
  }
}

class PretendedKernel : public LibraryKernel {
 public:
  using Compute = std::function<void(const void*, const void*, void*)>;
  PretendedKernel(std::string name, std::int64_t scratch, bool on_tensor_cores, Compute compute)
      : name_(std::move(name)),
        scratch_(scratch),
        on_tensor_cores_(on_tensor_cores),
        compute_(std::move(compute)) {}
  std::function<void()> bind(const void* first, const void* second, void* result,
                             void* scratch) const override {
    return [=, bytes = scratch_, compute = compute_] {
      std::memset(scratch, 0x7f, static_cast<std::size_t>(bytes));
      compute(first, second, result);
    };
  }
  std::string name() const override { return name_; }
  bool on_tensor_cores() const override { return on_tensor_cores_; }

 private:
  std::string name_;
  std::int64_t scratch_;
  bool on_tensor_cores_;
  Compute compute_;
};

class Pretended : public Libraries {
 public:
  explicit Pretended(PretendedLibraries settings) : settings_(std::move(settings)) {}

  LibraryKernels convolutions(ConvolutionPass pass, DType type, const ConvolutionGeometry& geometry,
                              const KernelQuery& query) override {
    if (geometry.groups > 1 && !settings_.grouped) return {};
    const bool tensor_cores = settings_.tensor_cores && geometry.groups == 1;
    return kernels(query, tensor_cores, [=](const void* first, const void* second, void* result) {
      convolve_slowly(pass, type, geometry, first, second, result);
    });
  }
  LibraryKernels products(DType type, const Product& product, const KernelQuery& query) override {
    return kernels(query, false,
                   [=](const void* a, const void* b, void* c) { multiply({}, type, product, a, b, c); });
  }
  std::string conditions() const override { return settings_.conditions; }
  std::unique_ptr<KernelTimer> make_timer(double, std::int64_t) override { return nullptr; }

 private:
  LibraryKernels kernels(const KernelQuery& query, bool tensor_cores,
                         const PretendedKernel::Compute& compute) const {
    LibraryKernels found;
    for (const std::string& name : settings_.kernels) {
      if (found.size() == query.most || settings_.scratch > query.scratch) break;
      if (!query.name.empty() && query.name != name) continue;
      found.push_back(std::make_shared<PretendedKernel>(name, settings_.scratch, tensor_cores, compute));
    }
    return found;
  }

  PretendedLibraries settings_;
};

}  // namespace
}  // namespace CONVOY_CUDA_NAMESPACE

namespace convoy {

std::unique_ptr<Backend> make_backend_with_libraries(Device& device, PretendedLibraries libraries) {
  return cuda::make_own_backend(device, {}, std::make_unique<cuda::Pretended>(std::move(libraries)),
                                "cuda on the host, with libraries");
}

}  // namespace convoy
