#pragma once

#include <cstdint>

#include "layers/core/shape.h"
#include "trainer/data/image.h"

namespace convoy {

/// Copies the window of the output's size that starts at (top, left) of the image to `out` (HWC bytes); what
/// lies outside of the image, as with a negative start, is zero. Mirrored left to right if `mirror`.
void copy_window(const Image& in, std::int64_t top, std::int64_t left, bool mirror, Shape output,
                 std::uint8_t* out);

/// Mirrors the rows of HWC bytes in place.
void mirror_rows(std::uint8_t* pixels, Shape shape);

}  // namespace convoy
