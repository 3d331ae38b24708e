#pragma once

#include <cstdint>
#include <vector>

#include "layers/core/philox.h"
#include "layers/core/shape.h"
#include "trainer/data/view.h"

namespace convoy {

/// What takes the place of erased pixels.
enum class EraseWith : std::uint8_t {
  random,  ///< a random byte for each channel of each pixel
  mean,    ///< RandomErasing::mean
  zero,
};

/// Random erasing (Zhong et al. 2017, "Random Erasing Data Augmentation"): a rectangle of random place, area
/// and aspect loses its pixels. The bounds are the paper's; the aspect is uniform in its logarithm, as in
/// torchvision's RandomErasing.
struct RandomErasing {
  double probability = 0;  ///< of an image
  double least_area = 0.02;
  double most_area = 0.4;  ///< of the image's
  double least_aspect = 0.3;
  double most_aspect = 10.0 / 3;  ///< width / height
  EraseWith with = EraseWith::random;
  std::vector<std::uint8_t> mean{};  ///< for EraseWith::mean: a value a channel
};

/// The rectangle that a sample of height × width loses; of height 0 where it loses none, which is also so
/// where none of ten tries is smaller than the image each way.
Rect rectangle_to_erase(const RandomErasing& erasing, const RandomStream& stream, std::int64_t epoch,
                        std::int64_t index, int height, int width);

/// Erases it in the HWC bytes at `pixels`.
void erase_rectangle(const RandomErasing& erasing, const RandomStream& stream, std::int64_t epoch,
                     std::int64_t index, const Rect& rect, Shape shape, std::uint8_t* pixels);

}  // namespace convoy
