#include <algorithm>

#include "layers/cpu/element.h"
#include "layers/cpu/lower.h"
#include "layers/cpu/simd.h"
#include "layers/graph/arithmetic.h"

namespace convoy::cpu {
namespace {

/// Values that one thread takes at a time.
constexpr std::int64_t kChunk = 1 << 14;

CONVOY_SIMD void clip_values(const float* from, float* to, std::int64_t count, float low, float high) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = clip(from[i], low, high);
}

CONVOY_SIMD void clip_values(const BFloat16* from, BFloat16* to, std::int64_t count, float low, float high) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = BFloat16(clip(float(from[i]), low, high));
}

CONVOY_SIMD void clip_gradients(const float* gradient, const float* output, float* to, std::int64_t count,
                                float low, float high) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = clip_gradient(gradient[i], output[i], low, high);
}

CONVOY_SIMD void clip_gradients(const BFloat16* gradient, const BFloat16* output, BFloat16* to,
                                std::int64_t count, float low, float high) {
  for (std::int64_t i = 0; i < count; ++i)
    to[i] = BFloat16(clip_gradient(float(gradient[i]), float(output[i]), low, high));
}

/// Clipping, value by value in whatever layout the input has. Padded channels of blocked layouts, which are
/// zeros, must stay so: where zero is not between the bounds the layout is the plain one.
class ClipLayer : public CpuLayer {
 public:
  ClipLayer(const Clip& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine),
        low_(static_cast<float>(op.minimum)),
        high_(static_cast<float>(op.maximum)),
        count_(0) {
    const bool keeps_zero = op.minimum <= 0 && op.maximum >= 0;
    const Layout layout =
        keeps_zero ? inputs[0]
                   : engine.accept(plain_activation(site.inputs[0], site.batch, site.type), inputs[0]);
    count_ = layout.bytes / size_of(site.type);
    spec_.passes.push_back(
        {PassKind::forward, {{Role::input, 0, layout}}, {{Role::output, 0, layout}}, 0, true});
    if (!site.training || !site.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, layout}, {Role::output, 0, layout}},
                            {{Role::input_gradient, 0, layout}},
                            0,
                            true});
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void*) const override {
    return with_element(site_.type, [&]<class T>(T) {
      // As the output will hold them: backward must find clipped values equal to them.
      const auto low = float(T(low_));
      const auto high = float(T(high_));
      const auto* from = static_cast<const T*>(reads[0]);
      auto* to = static_cast<T*>(writes[0]);
      if (pass == 0) {
        return by_chunks([=](std::int64_t first, std::int64_t count) {
          clip_values(from + first, to + first, count, low, high);
        });
      }
      const auto* output = static_cast<const T*>(reads[1]);
      return by_chunks([=](std::int64_t first, std::int64_t count) {
        clip_gradients(from + first, output + first, to + first, count, low, high);
      });
    });
  }

 private:
  template <class Call>
  std::unique_ptr<Kernel> by_chunks(Call call) const {
    return make_kernel([call, all = count_](const StepContext&) {
#pragma omp parallel for
      for (std::int64_t first = 0; first < all; first += kChunk) call(first, std::min(kChunk, all - first));
    });
  }

  float low_;
  float high_;
  std::int64_t count_;
};

}  // namespace

Lowered lower(const Clip& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<ClipLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
