#include <algorithm>

#include "layers/core/philox_blocks.h"
#include "layers/core/simd.h"
#include "layers/cpu/element.h"
#include "layers/cpu/lower.h"
#include "layers/graph/arithmetic.h"

namespace convoy::cpu {
namespace {

/// At most kRandomWords values through dropout.
template <class T>
CONVOY_SIMD void drop_some(const T* from, T* to, std::int64_t count, const std::uint32_t* words,
                           std::uint32_t threshold, float scale) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = T(drop(float(from[i]), words[i], threshold, scale));
}

/// Dropout on dense row-major values; the mask is derived again in backward.
class DropoutLayer : public CpuLayer {
 public:
  DropoutLayer(const Dropout& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine), op_(op) {
    const Layout layout = engine.accept(plain_activation(site.inputs[0], site.batch, site.type), inputs[0]);
    spec_.passes.push_back(
        {PassKind::forward, {{Role::input, 0, layout}}, {{Role::output, 0, layout}}, 0, true});
    if (!site.training || !site.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, layout}},
                            {{Role::input_gradient, 0, layout}},
                            0,
                            true});
  }

  std::unique_ptr<Kernel> bind(std::size_t, std::span<void* const> reads, std::span<void* const> writes,
                               void*) const override {
    return with_element(site_.type, [&]<class T>(T) {
      return drop_kernel(static_cast<const T*>(reads[0]), static_cast<T*>(writes[0]));
    });
  }

 private:
  template <class T>
  std::unique_ptr<Kernel> drop_kernel(const T* from, T* to) const {
    const auto threshold = static_cast<std::uint32_t>(op_.rate * 0x1p32);
    const auto scale = static_cast<float>(1 / (1 - op_.rate));
    const auto instance = static_cast<std::uint32_t>(site_.layer_index);
    const std::int64_t elements = site_.output.elements();
    const std::int64_t batch = site_.batch;
    return make_kernel([=](const StepContext& context) {
      const RandomStream stream(context.seed, Purpose::dropout, instance);
#pragma omp parallel for
      for (std::int64_t n = 0; n < batch; ++n) {
        const auto step = static_cast<std::uint64_t>(context.iteration);
        const auto sample = static_cast<std::uint64_t>(context.first_sample + n);
        std::uint32_t words[kRandomWords];
        for (std::int64_t e = 0; e < elements; e += kRandomWords) {
          random_words(stream, step, sample, static_cast<std::uint64_t>(e), words);
          const std::int64_t at = n * elements + e;
          drop_some(from + at, to + at, std::min(kRandomWords, elements - e), words, threshold, scale);
        }
      }
    });
  }

  Dropout op_;
};

}  // namespace

Lowered lower(const Dropout& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<DropoutLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
