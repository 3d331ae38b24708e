#include "layers/cpu/image_layout.h"

namespace convoy::cpu {
namespace {

std::int64_t block_of(Tag tag) { return tag == Tag::aBcd16b ? 16 : 8; }

}  // namespace

std::optional<ImageLayout> image_layout(const memory::desc& desc, Shape shape, std::int64_t batch) {
  const memory::desc image = as_image(desc, shape, batch);
  for (const Tag tag : {Tag::abcd, Tag::acdb, Tag::aBcd16b, Tag::aBcd8b}) {
    if (image != memory::desc(image.dims(), image.data_type(), tag)) continue;
    if (tag == Tag::abcd) return ImageLayout{tag, batch * shape.channels, 1};
    if (tag == Tag::acdb) return ImageLayout{tag, batch, shape.channels};
    const std::int64_t block = block_of(tag);
    return ImageLayout{tag, batch * ((shape.channels + block - 1) / block), block};
  }
  return std::nullopt;
}

Layout accept_image(Engine& engine, const Layout& incoming, Shape shape, std::int64_t batch, DType type) {
  if (image_layout(engine.desc(incoming), shape, batch)) return incoming;
  return engine.layout(plain_activation(shape, batch, type));
}

memory::desc image_like(const ImageLayout& layout, Shape shape, std::int64_t batch, DType type) {
  return {{batch, shape.channels, shape.height, shape.width}, data_type_of(type), layout.tag};
}

PoolGeometry pool_geometry(const Pooling& op, const Site& site, const ImageLayout& layout) {
  const Shape in = site.inputs[0];
  const Shape window = op.window(in);
  return {layout.outer,  layout.inner, in.height,   in.width,    site.output.height, site.output.width,
          window.height, window.width, op.stride_y, op.stride_x, op.padding_y,       op.padding_x};
}

}  // namespace convoy::cpu
