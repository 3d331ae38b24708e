#pragma once

#include <cstdint>
#include <span>

#include "trainer/data/view.h"

namespace convoy {

/// How stored pixels are turned to be shown: rows and columns exchanged, then the result mirrored.
struct Orientation {
  bool transpose = false;
  bool flip_rows = false;     ///< top and bottom
  bool flip_columns = false;  ///< left and right
  bool is_identity() const { return !transpose && !flip_rows && !flip_columns; }
};

/// Of the value 1 to 8 of EXIF's tag Orientation (CIPA DC-008-2019, 4.6.4 A); any other is as 1.
Orientation orientation_of(int exif_value);

/// Value of the tag in the TIFF structure of an EXIF block (after "Exif\0\0" in a JPEG file); 1 where it has
/// none or cannot be read: a broken comment is no reason to refuse an image.
int exif_orientation(std::span<const std::uint8_t> tiff);

/// The crop of the stored image of height × width that shows `shown`, a crop of the turned image.
ImageCrop stored_crop(const Orientation& orientation, const ImageCrop& shown, int height, int width);

/// Turns a view of the stored image; `scratch` is storage that is reused.
void turn(const Orientation& orientation, View& view, std::vector<std::uint8_t>& scratch);

}  // namespace convoy
