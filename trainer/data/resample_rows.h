#pragma once

#include <cstddef>
#include <cstdint>

// The two passes of resample() over images of three channels, in versions for several instruction sets. Sums
// are whole numbers below 2^24, so all versions give the same bits.

namespace convoy {

/// Rows that are made together, so that a weight is loaded once for all of them, and values of a column of
/// them: four a pixel, of which the fourth is whatever comes next.
inline constexpr std::size_t kTogether = 4;
inline constexpr std::size_t kColumn = 4 * kTogether;

/// What becomes of kTogether rows: `width` pixels of each, from `columns` pixels that start at `in[r]`.
struct RowsTask {
  const std::uint8_t* in[kTogether];
  std::uint8_t* out[kTogether];
  std::size_t columns;
  std::size_t width;
  const int* first;      ///< by output pixel: number of its first column in the image
  int left;              ///< number in the image of the first column
  std::size_t count;     ///< weights of an output pixel
  const float* weights;  ///< in 1/65536
  float* line;           ///< room for columns × kColumn values
};

/// The versions of one instruction set.
struct ResampleLoops {
  void (*resize_rows)(const RowsTask& task);
  /// One output row of `bytes` bytes: the sum of weights[i] × row i of `in`.
  void (*mix_rows)(const std::uint8_t* in, std::size_t bytes, const float* weights, std::size_t count,
                   std::uint8_t* out);
};

ResampleLoops plain_resample_loops();
ResampleLoops resample_loops_v3();  ///< x86-64-v3: AVX2

/// The best that this processor has.
const ResampleLoops& resample_loops();

}  // namespace convoy
