#include "layers/cpu/channel_view.h"

namespace convoy::cpu {

std::optional<ChannelView> channel_view(const memory::desc& desc, Shape shape, std::int64_t batch) {
  const auto layout = image_layout(desc, shape, batch);
  if (!layout) return std::nullopt;
  return ChannelView{batch, layout->outer / batch, shape.pixels(), layout->inner, shape.channels};
}

}  // namespace convoy::cpu
