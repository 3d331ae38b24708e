#include "layers/cpu/channel_view.h"

namespace convoy::cpu {

std::optional<ChannelView> channel_view(const memory::desc& desc, Shape shape, std::int64_t batch) {
  const DType type = type_of(desc);
  const std::int64_t channels = shape.channels;
  const memory::desc image = as_image(desc, shape, batch);
  if (image == channels_last_activation(shape, batch, type))
    return ChannelView{batch, 1, shape.pixels(), channels, channels};
  const Dims dims{batch, channels, shape.height, shape.width};
  if (image == memory::desc(dims, data_type_of(type), Tag::abcd)) {
    return ChannelView{batch, channels, shape.pixels(), 1, channels};
  }
  for (const auto& [tag, lanes] : {std::pair{Tag::aBcd16b, 16}, std::pair{Tag::aBcd8b, 8}}) {
    if (image == memory::desc(dims, data_type_of(type), tag)) {
      return ChannelView{batch, (channels + lanes - 1) / lanes, shape.pixels(), lanes, channels};
    }
  }
  return std::nullopt;
}

Layout accept_channel_view(Engine& engine, Shape shape, std::int64_t batch, DType type,
                           const Layout& incoming) {
  if (channel_view(engine.desc(incoming), shape, batch)) return incoming;
  return engine.layout(plain_activation(shape, batch, type));
}

}  // namespace convoy::cpu
