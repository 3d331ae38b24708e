#pragma once

#include <array>
#include <cstring>
#include <vector>

#include "layers/cpu/onednn.h"

/// Layers that only move whole ranges of channels (concat, slice). In each layout here a range of channels is
/// the same piece of every row of a matrix: a row is a sample in plain and in blocked layouts, a pixel where
/// channels are last. So moving channels is copying columns.
namespace convoy::cpu {

/// Layouts whose channels can be cut, and the number of channels that must stay together in each.
struct ChannelLayout {
  Tag tag;
  std::int64_t block;
};
inline constexpr std::array<ChannelLayout, 4> kChannelLayouts{
    {{Tag::abcd, 1}, {Tag::acdb, 1}, {Tag::aBcd16b, 16}, {Tag::aBcd8b, 8}}};

/// Descriptor of an activation in one of them; vectors stay N×C.
inline memory::desc channel_desc(const ChannelLayout& layout, Shape shape, std::int64_t batch, DType type) {
  if (layout.block == 1 && shape.pixels() == 1) return plain_activation(shape, batch, type);
  return {{batch, shape.channels, shape.height, shape.width}, data_type_of(type), layout.tag};
}

/// Whether ranges of `channels` channels can be cut from a tensor in this layout.
inline bool divides(const ChannelLayout& layout, std::int64_t channels) {
  return channels % layout.block == 0;
}

/// Whether the bytes of `desc` lie as `layout` says, the element type aside.
inline bool lies_as(const memory::desc& desc, const ChannelLayout& layout, Shape shape, std::int64_t batch) {
  return as_image(desc, shape, batch) ==
         memory::desc{{batch, shape.channels, shape.height, shape.width}, desc.data_type(), layout.tag};
}

/// Columns of a matrix of bytes.
struct Columns {
  std::byte* data = nullptr;
  std::int64_t row_bytes = 0;  ///< from one row to the next
};

/// Rows of the matrix of an activation, and bytes of one channel in a row.
struct ChannelMatrix {
  std::int64_t rows = 0;
  std::int64_t channel_bytes = 0;
};

inline ChannelMatrix channel_matrix(const ChannelLayout& layout, Shape shape, std::int64_t batch,
                                    DType type) {
  const auto bytes = static_cast<std::int64_t>(size_of(type));
  if (layout.tag == Tag::acdb) return {batch * shape.pixels(), bytes};
  return {batch, shape.pixels() * bytes};
}

/// A copy of `width` bytes of every row.
struct ColumnCopy {
  Columns from, to;
  std::int64_t width = 0;
};

/// All copies, every row on its own.
inline std::unique_ptr<Kernel> copy_columns(std::vector<ColumnCopy> copies, std::int64_t rows) {
  return make_kernel([copies = std::move(copies), rows](const StepContext&) {
    const auto count = static_cast<std::int64_t>(copies.size());
#pragma omp parallel for collapse(2)
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t i = 0; i < count; ++i) {
        const ColumnCopy& copy = copies[static_cast<std::size_t>(i)];
        std::memcpy(copy.to.data + row * copy.to.row_bytes, copy.from.data + row * copy.from.row_bytes,
                    static_cast<std::size_t>(copy.width));
      }
    }
  });
}

}  // namespace convoy::cpu
