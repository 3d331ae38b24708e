#pragma once

#include <cstdint>
#include <vector>

#include "trainer/data/view.h"

namespace convoy {

/// How output pixels are made from the pixels around them.
enum class Filter : std::uint8_t {
  bilinear,  ///< a triangle as wide as two output pixels, or two input pixels where those are larger:
             ///< Pillow's
  area,      ///< mean of what the output pixel covers (OpenCV's INTER_AREA); bilinear where it enlarges
};

/// Weights of the input pixels for each output pixel along one side, in 1/65536; they add up to 65536.
struct Taps {
  int count = 0;               ///< of each output pixel
  std::vector<int> first;      ///< input pixel of its first weight
  std::vector<float> weights;  ///< whole numbers, output pixels × count
  std::vector<double> exact;   ///< of one output pixel, before rounding
};

/// Fills `taps` for `outputs` pixels made from [start, start + length) of the input; only pixels of [least,
/// most) are taken. The weights are Pillow's (Resample.c, precompute_coeffs), rounded.
void find_taps(Filter filter, double start, double length, int least, int most, int outputs, Taps& taps);

/// Storage that resample() reuses.
struct ResampleScratch {
  Taps columns;
  Taps rows;
  std::vector<float> line;
  std::vector<float> sums;
  std::vector<std::uint8_t> spare;  ///< a row that is thrown away
  std::vector<std::uint8_t> between;
};

/// Resizes view.box to height × width pixels at `out` (HWC), mirrored left to right if `mirror`. Columns
/// first, then rows, rounded to 8 bits in between, as Pillow's Image.resize does it; the same bits on every
/// processor, for all sums are whole numbers below 2^24 and floats hold these exactly.
void resample(const View& view, Filter filter, bool mirror, int height, int width, ResampleScratch& scratch,
              std::uint8_t* out);

}  // namespace convoy
