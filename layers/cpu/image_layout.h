#pragma once

#include <optional>

#include "layers/cpu/onednn.h"
#include "layers/cpu/pool_geometry.h"

namespace convoy::cpu {

/// An activation as outer × height × width × inner values: plain (outer N · C, inner 1), channels last (outer
/// N, inner C), or channels in blocks of b (outer N · C / b rounded up, inner b). Own loops that work on
/// pixels run in each of these.
struct ImageLayout {
  Tag tag = Tag::abcd;
  std::int64_t outer = 0;
  std::int64_t inner = 1;
};

/// How an activation's bytes lie, or nothing when it is none of these.
std::optional<ImageLayout> image_layout(const memory::desc& desc, Shape shape, std::int64_t batch);

/// `incoming` where it is one of these, the plain layout otherwise.
Layout accept_image(Engine& engine, const Layout& incoming, Shape shape, std::int64_t batch, DType type);

/// Descriptor of an activation of another shape in the same layout.
memory::desc image_like(const ImageLayout& layout, Shape shape, std::int64_t batch, DType type);

/// The geometry of a pool over an activation that lies so.
PoolGeometry pool_geometry(const Pooling& op, const Site& site, const ImageLayout& layout);

}  // namespace convoy::cpu
