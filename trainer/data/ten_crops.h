#pragma once

#include <cstdint>

#include "layers/core/shape.h"
#include "trainer/data/crops.h"
#include "trainer/data/resample.h"

namespace convoy {

/// The ten crops of Krizhevsky, Sutskever, Hinton 2012, section 4.1: the windows at the four corners (top
/// left, top right, bottom left, bottom right) and in the middle, torchvision's FiveCrop, then the same five
/// mirrored left to right.
inline constexpr int kTenCrops = 10;

/// Writes them one after the other to `out`: 10 × output.elements() HWC bytes, of the image in `view` (all of
/// it) as if resized to `resized`, no side of which is shorter than the output's. Changes view.box.
void ten_crops(View& view, Sides resized, Filter filter, ResampleScratch& scratch, Shape output,
               std::uint8_t* out);

/// The same of stored pixels. Along a side that is shorter than the output's the five are alike: the image in
/// the middle of zeros.
void ten_crops(const Image& image, Shape output, std::uint8_t* out);

}  // namespace convoy
