#include <cstring>

#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

/// The same dense row-major bytes under another shape: no work at all where they may stay in their memory.
class FlattenLayer : public CpuLayer {
 public:
  FlattenLayer(const Site& site, Inputs inputs, Engine& engine) : CpuLayer(site, engine) {
    const Layout image = engine.accept(plain_activation(site.inputs[0], site.batch, site.type), inputs[0]);
    const Layout vector = engine.layout(plain_activation(site.output, site.batch, site.type));
    spec_.passes.push_back(
        {PassKind::forward, {{Role::input, 0, image}}, {{Role::output, 0, vector}}, 0, true});
    if (!site.training || !site.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, vector}},
                            {{Role::input_gradient, 0, image}},
                            0,
                            true});
  }

  std::unique_ptr<Kernel> bind(std::size_t, std::span<void* const> reads, std::span<void* const> writes,
                               void*) const override {
    const std::int64_t sample = site_.output.elements() * size_of(site_.type);
    const std::int64_t batch = site_.batch;
    const auto* from = static_cast<const std::byte*>(reads[0]);
    auto* to = static_cast<std::byte*>(writes[0]);
    return make_kernel([=](const StepContext&) {
      if (from == to) return;
#pragma omp parallel for
      for (std::int64_t n = 0; n < batch; ++n) {
        std::memcpy(to + n * sample, from + n * sample, static_cast<std::size_t>(sample));
      }
    });
  }
};

}  // namespace

Lowered lower(const Flatten&, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<FlattenLayer>(site, inputs, engine);
}

}  // namespace convoy::cpu
