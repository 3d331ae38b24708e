#pragma once

#include <cstdint>

#include "layers/core/dtype.h"
#include "layers/cuda/kernels/queue.h"

/// Kernels that move values. Where values are only copied, `bytes` is the size of one: 2 or 4.
namespace CONVOY_CUDA_NAMESPACE {

/// Bytes to zeros.
void clear_bytes(Queue queue, std::int64_t bytes, void* memory);

/// `width` values of each of `rows` rows, rows being `from_stride` and `to_stride` values apart.
void copy_columns(Queue queue, std::int64_t bytes, std::int64_t rows, std::int64_t width, const void* from,
                  std::int64_t from_stride, void* to, std::int64_t to_stride);
/// Rows of `width` values into rows of `whole` from column `before` on; zeros in the other columns.
void spread_columns(Queue queue, std::int64_t bytes, std::int64_t rows, std::int64_t width, const void* from,
                    void* to, std::int64_t whole, std::int64_t before);

/// A part of each image, from row `begin_y` and column `begin_x` on.
struct CropGeometry {
  std::int64_t batch = 0, channels = 0;
  std::int64_t in_y = 0, in_x = 0;
  std::int64_t out_y = 0, out_x = 0;
  std::int64_t begin_y = 0, begin_x = 0;
};
void crop(Queue queue, std::int64_t bytes, const CropGeometry& geometry, const void* image, void* part);
/// And back, among zeros.
void uncrop(Queue queue, std::int64_t bytes, const CropGeometry& geometry, const void* part, void* image);

/// Matrices rows × columns to columns × rows, `batch` of them.
void transpose(Queue queue, std::int64_t bytes, std::int64_t batch, std::int64_t rows, std::int64_t columns,
               const void* from, void* to);

/// Bilinear interpolation of images; geometry.begin_* do not count.
void upsample(Queue queue, DType type, const CropGeometry& geometry, const void* x, void* y);
void upsample_gradient(Queue queue, DType type, const CropGeometry& geometry, const void* gradient,
                       void* result);

/// Pixels of 8 bits to (pixel - mean) / deviation, a pair for each of the channels from `first` on; at most
/// kChannelsAtOnce are done at a time.
inline constexpr int kChannelsAtOnce = 64;
struct ChannelScale {
  std::int64_t channels = 0;  ///< of an image
  std::int64_t first = 0;     ///< that is done here
  int count = 0;
  float mean[kChannelsAtOnce] = {};
  float deviation[kChannelsAtOnce] = {};
};
void scale_pixels(Queue queue, DType type, const ChannelScale& scale, std::int64_t pixels,
                  const std::uint8_t* from, void* to);

}  // namespace CONVOY_CUDA_NAMESPACE
