#include <algorithm>

#include "layers/cpu/channel_ranges.h"
#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

/// Concatenation in the layout that most of the incoming channels have, so that least is reordered.
class ConcatLayer : public CpuLayer {
 public:
  ConcatLayer(const Site& site, Inputs inputs, Engine& engine) : CpuLayer(site, engine) {
    choose(inputs);
    const Layout output = engine.layout(channel_desc(layout_, site.output, site.batch, site.type));
    PassSpec forward{PassKind::forward, {}, {{Role::output, 0, output}}};
    PassSpec backward{PassKind::backward_data, {{Role::output_gradient, 0, output}}, {}};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const memory::desc desc = channel_desc(layout_, site.inputs[i], site.batch, site.type);
      const Layout layout = engine.accept(desc, inputs[i]);
      forward.reads.push_back({Role::input, static_cast<int>(i), layout});
      if (site.training && site.input_gradient[i])
        backward.writes.push_back({Role::input_gradient, static_cast<int>(i), layout});
    }
    spec_.passes.push_back(std::move(forward));
    if (!backward.writes.empty()) spec_.passes.push_back(std::move(backward));
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void*) const override {
    const ChannelMatrix matrix = channel_matrix(layout_, site_.output, site_.batch, site_.type);
    auto* whole = static_cast<std::byte*>(pass == 0 ? writes[0] : reads[0]);
    std::vector<ColumnCopy> copies;
    std::size_t next = 0;
    for (std::size_t i = 0; i < site_.inputs.size(); ++i) {
      const std::int64_t width = site_.inputs[i].channels * matrix.channel_bytes;
      const Columns in_output{whole, site_.output.channels * matrix.channel_bytes};
      if (pass == 0) {
        copies.push_back({{static_cast<std::byte*>(reads[i]), width}, in_output, width});
      } else if (site_.input_gradient[i]) {
        copies.push_back({in_output, {static_cast<std::byte*>(writes[next++]), width}, width});
      }
      whole += width;
    }
    return copy_columns(std::move(copies), matrix.rows);
  }

 private:
  void choose(Inputs inputs) {
    layout_ = {Tag::acdb, 1};  // when no incoming layout can be cut: the cheapest to change blocked ones to
    std::int64_t most = 0;
    for (const ChannelLayout& candidate : kChannelLayouts) {
      std::int64_t channels = 0;
      bool possible = true;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        possible = possible && divides(candidate, site_.inputs[i].channels);
        if (lies_as(engine_->desc(inputs[i]), candidate, site_.inputs[i], site_.batch))
          channels += site_.inputs[i].channels;
      }
      if (!possible || channels <= most) continue;
      most = channels;
      layout_ = candidate;
    }
  }

  ChannelLayout layout_{};
};

}  // namespace

Lowered lower(const Concat&, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<ConcatLayer>(site, inputs, engine);
}

}  // namespace convoy::cpu
