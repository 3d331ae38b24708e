#include <cstring>

#include "layers/cpu/image_layout.h"
#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

/// Copies rows of a part of each map, in the layout of the input; backward puts them back among zeros.
class CropLayer : public CpuLayer {
 public:
  CropLayer(const Crop& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine), begin_(op.begin(site.inputs)) {
    const Layout input = accept_image(engine, inputs[0], site.inputs[0], site.batch, site.type);
    layout_ = *image_layout(engine.desc(input), site.inputs[0], site.batch);
    const Layout output = engine.layout(image_like(layout_, site.output, site.batch, site.type));
    spec_.passes.push_back({PassKind::forward, {{Role::input, 0, input}}, {{Role::output, 0, output}}, 0});
    PassSpec backward{PassKind::backward_data, {{Role::output_gradient, 0, output}}, {}, 0};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!site.training || !site.input_gradient[i]) continue;
      backward.writes.push_back({Role::input_gradient, static_cast<int>(i), i == 0 ? input : inputs[i]});
    }
    if (!backward.writes.empty()) spec_.passes.push_back(std::move(backward));
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void*) const override {
    const Rows rows = rows_of();
    const auto* from = static_cast<const std::byte*>(reads[0]);
    if (pass == 0) {
      auto* to = static_cast<std::byte*>(writes[0]);
      return make_kernel([=](const StepContext&) {
#pragma omp parallel for schedule(static)
        for (std::int64_t map = 0; map < rows.maps; ++map) {
          for (std::int64_t y = 0; y < rows.count; ++y)
            std::memcpy(to + rows.part(map, y), from + rows.whole(map, y), rows.size());
        }
      });
    }
    std::vector<std::pair<std::byte*, std::size_t>> targets;
    const std::vector<Operand>& operands = spec_.passes[pass].writes;
    for (std::size_t i = 0; i < writes.size(); ++i) {
      targets.emplace_back(static_cast<std::byte*>(writes[i]),
                           static_cast<std::size_t>(operands[i].layout.bytes));
    }
    const bool gives = operands[0].index == 0;
    return make_kernel([=](const StepContext&) {
      for (const auto& [target, bytes] : targets) std::memset(target, 0, bytes);
      std::byte* to = targets[0].first;
#pragma omp parallel for schedule(static) if (gives)
      for (std::int64_t map = 0; map < (gives ? rows.maps : 0); ++map) {
        for (std::int64_t y = 0; y < rows.count; ++y)
          std::memcpy(to + rows.whole(map, y), from + rows.part(map, y), rows.size());
      }
    });
  }

 private:
  /// Where the rows of the part lie, in bytes.
  struct Rows {
    std::int64_t maps, count, part_row, whole_row, whole_map, first;
    std::int64_t part(std::int64_t map, std::int64_t y) const { return (map * count + y) * part_row; }
    std::int64_t whole(std::int64_t map, std::int64_t y) const {
      return map * whole_map + first + y * whole_row;
    }
    std::size_t size() const { return static_cast<std::size_t>(part_row); }
  };

  Rows rows_of() const {
    const Shape in = site_.inputs[0];
    const std::int64_t pixel = layout_.inner * size_of(site_.type);
    const std::int64_t row = in.width * pixel;
    return {layout_.outer, site_.output.height, site_.output.width * pixel,
            row,           in.height * row,     begin_.first * row + begin_.second * pixel};
  }

  std::pair<std::int64_t, std::int64_t> begin_;
  ImageLayout layout_;
};

}  // namespace

Lowered lower(const Crop& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<CropLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
