#include "layers/cpu/channel_ranges.h"
#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

/// A range of channels, in the layout of the input where that can be cut there, otherwise channels last.
class ChannelSliceLayer : public CpuLayer {
 public:
  ChannelSliceLayer(const ChannelSlice& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine), op_(op) {
    for (const ChannelLayout& candidate : kChannelLayouts) {
      const bool cuts = divides(candidate, op.first) && divides(candidate, op.count) &&
                        divides(candidate, site.inputs[0].channels);
      if (!cuts || !lies_as(engine.desc(inputs[0]), candidate, site.inputs[0], site.batch)) continue;
      layout_ = candidate;
      break;
    }
    const Layout whole =
        engine.accept(channel_desc(layout_, site.inputs[0], site.batch, site.type), inputs[0]);
    const Layout part = engine.layout(channel_desc(layout_, site.output, site.batch, site.type));
    spec_.passes.push_back({PassKind::forward, {{Role::input, 0, whole}}, {{Role::output, 0, part}}});
    if (!site.training || !site.input_gradient[0]) return;
    spec_.passes.push_back(
        {PassKind::backward_data, {{Role::output_gradient, 0, part}}, {{Role::input_gradient, 0, whole}}});
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void*) const override {
    const ChannelMatrix matrix = channel_matrix(layout_, site_.output, site_.batch, site_.type);
    const std::int64_t before = op_.first * matrix.channel_bytes;
    const std::int64_t width = op_.count * matrix.channel_bytes;
    const std::int64_t row = site_.inputs[0].channels * matrix.channel_bytes;
    auto* whole = static_cast<std::byte*>(pass == 0 ? reads[0] : writes[0]);
    auto* part = static_cast<std::byte*>(pass == 0 ? writes[0] : reads[0]);
    if (pass == 0) return copy_columns({{{whole + before, row}, {part, width}, width}}, matrix.rows);
    return make_kernel([=](const StepContext&) {
#pragma omp parallel for
      for (std::int64_t r = 0; r < matrix.rows; ++r) {
        std::byte* to = whole + r * row;
        std::memset(to, 0, static_cast<std::size_t>(before));
        std::memcpy(to + before, part + r * width, static_cast<std::size_t>(width));
        std::memset(to + before + width, 0, static_cast<std::size_t>(row - before - width));
      }
    });
  }

 private:
  ChannelSlice op_;
  ChannelLayout layout_{Tag::acdb, 1};
};

}  // namespace

Lowered lower(const ChannelSlice& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<ChannelSliceLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
