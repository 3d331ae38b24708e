#pragma once

#include "layers/core/philox.h"
#include "layers/core/shape.h"
#include "trainer/data/view.h"

namespace convoy {

/// A part of an image of random place, area and shape (Szegedy et al. 2014, "Going deeper with convolutions",
/// section 6), as torchvision's RandomResizedCrop draws it.
struct RandomResizedCrop {
  double least_area = 0.08;  ///< of the image's
  double most_area = 1;
  double least_aspect = 3.0 / 4;  ///< width / height, uniform in its logarithm
  double most_aspect = 4.0 / 3;
};

/// Draws from `stream` at (epoch, index), from block 1 on, one block a try. After ten tries without a
/// rectangle that fits, the largest central one of an allowed aspect.
Rect random_resized_crop(const RandomResizedCrop& limits, const RandomStream& stream, std::int64_t epoch,
                         std::int64_t index, int height, int width);

/// Sides of an image in pixels.
struct Sides {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// Of an image of height × width resized such that its shorter side has `shorter` pixels; the longer one is
/// rounded down, as torchvision's Resize does.
Sides resized_sides(int shorter, int height, int width);

/// The same, or larger where a side would be shorter than the output's.
Sides covering_sides(int shorter, int height, int width, Shape output);

/// The image resized such that its shorter side has `shorter` pixels (and that it covers `output`), and what
/// of it is cut out: a window of the size of `output` with its top left corner at the fractions `down` and
/// `right`, in [0, 1), of the places it has; a central window where they are negative. The longer side is
/// rounded down and the window's place to the nearest, halves to even, as torchvision's Resize and CenterCrop
/// do.
ImageCrop resized_window(int shorter, double down, double right, int height, int width, Shape output);

}  // namespace convoy
