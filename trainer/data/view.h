#pragma once

#include <functional>

#include "trainer/data/image.h"

namespace convoy {

/// A rectangle of whole pixels of an image.
struct Rect {
  int top = 0;
  int left = 0;
  int height = 0;
  int width = 0;
  friend bool operator==(const Rect&, const Rect&) = default;
};

/// A rectangle in an image with fractions of pixels; pixel (y, x) covers [y, y + 1) × [x, x + 1).
struct Box {
  double top = 0;
  double left = 0;
  double height = 0;
  double width = 0;
};

/// What is wanted of an image.
struct ImageCrop {
  Rect pixels;  ///< that may be looked at, inside of the image
  Box box;      ///< inside of `pixels`, what becomes the output

  /// Size of the output: where the box is far larger, decoding may give a smaller image. 0: it may not.
  int height = 0;
  int width = 0;
};

/// Says what is wanted of an image of height × width pixels.
using ChooseCrop = std::function<ImageCrop(int height, int width)>;

/// A part of an image that has the crop in it, of full or of reduced size.
struct View {
  Image image;
  Rect pixels;  ///< the crop's, in `image`
  Box box;      ///< the crop's, in `image`
};

/// All of the image, at full size.
inline ImageCrop whole_image(int height, int width) {
  return {{0, 0, height, width}, {0, 0, static_cast<double>(height), static_cast<double>(width)}, 0, 0};
}

}  // namespace convoy
