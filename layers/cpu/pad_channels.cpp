#include <cstring>
#include <optional>

#include "layers/core/bytes.h"
#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

/// Input and output as `count` runs of bytes: each run of the output is `before` zeros, a run of the input,
/// and zeros up to `output`.
struct Runs {
  std::int64_t count = 0;
  std::int64_t input = 0;
  std::int64_t before = 0;
  std::int64_t output = 0;
};

/// Zeros around the channels, in the layout of the input where a run of its bytes stays one: a sample of
/// plain maps, a sample of whole blocks of channels, a pixel with its channels last.
class PadChannelsLayer : public CpuLayer {
 public:
  PadChannelsLayer(const PadChannels& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine) {
    Layout input = inputs[0];
    std::optional<memory::desc> output = output_like(op, engine.desc(input));
    if (!output) {
      input = engine.accept(plain_activation(site.inputs[0], site.batch, site.type), input);
      output = output_like(op, plain_activation(site.inputs[0], site.batch, site.type));
    }
    const Layout padded = engine.layout(*output);
    spec_.passes.push_back({PassKind::forward, {{Role::input, 0, input}}, {{Role::output, 0, padded}}, 0});
    if (!site.training || !site.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, padded}},
                            {{Role::input_gradient, 0, input}},
                            0});
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void*) const override {
    const auto* from = static_cast<const std::byte*>(reads[0]);
    auto* to = static_cast<std::byte*>(writes[0]);
    const auto size = [](std::int64_t bytes) { return static_cast<std::size_t>(bytes); };
    if (pass == 0) {
      return make_kernel([=, r = runs_](const StepContext&) {
#pragma omp parallel for
        for (std::int64_t i = 0; i < r.count; ++i) {
          std::byte* run = to + i * r.output;
          std::memset(run, 0, size(r.before));
          std::memcpy(run + r.before, from + i * r.input, size(r.input));
          std::memset(run + r.before + r.input, 0, size(r.output - r.before - r.input));
        }
      });
    }
    return make_kernel([=, r = runs_](const StepContext&) {
#pragma omp parallel for
      for (std::int64_t i = 0; i < r.count; ++i)
        std::memcpy(to + i * r.input, from + i * r.output + r.before, size(r.input));
    });
  }

 private:
  /// The output's descriptor when the input lies as `desc`, and how to copy; nothing when runs would break
  /// up.
  std::optional<memory::desc> output_like(const PadChannels& op, const memory::desc& desc) {
    const Shape in = site_.inputs[0];
    const Shape out = site_.output;
    const std::int64_t pixels = in.pixels();
    const std::int64_t value = size_of(site_.type);
    const Dims dims{site_.batch, out.channels, out.height, out.width};
    if (desc == plain_activation(in, site_.batch, site_.type)) {
      runs_ = {site_.batch, in.elements() * value, op.before * pixels * value, out.elements() * value};
      return plain_activation(out, site_.batch, site_.type);
    }
    if (desc == channels_last_activation(in, site_.batch, site_.type)) {
      runs_ = {site_.batch * pixels, in.channels * value, op.before * value, out.channels * value};
      return channels_last_activation(out, site_.batch, site_.type);
    }
    for (const auto& [tag, block] : {std::pair{Tag::aBcd16b, 16}, std::pair{Tag::aBcd8b, 8}}) {
      const bool whole = in.channels % block == 0 && op.before % block == 0;
      if (!whole || desc != memory::desc(Dims{site_.batch, in.channels, in.height, in.width},
                                         data_type_of(site_.type), tag))
        continue;
      runs_ = {site_.batch, in.elements() * value, op.before * pixels * value,
               round_up(out.channels, block) * pixels * value};
      return memory::desc(dims, data_type_of(site_.type), tag);
    }
    return std::nullopt;
  }

  Runs runs_;
};

}  // namespace

Lowered lower(const PadChannels& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<PadChannelsLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
