#pragma once

#include <cstdint>

#include "layers/core/philox.h"
#include "layers/core/shape.h"
#include "trainer/data/colour.h"
#include "trainer/data/crops.h"
#include "trainer/data/dataset.h"
#include "trainer/data/erase.h"
#include "trainer/data/resample.h"
#include "trainer/data/ten_crops.h"

namespace convoy {

/// What part of an image the network sees.
enum class CropKind : std::uint8_t {
  window,          ///< as many pixels as the output has, with crop_padding around the image
  random_resized,  ///< a random part, resized
  random,          ///< shorter side resized, a random window of that
  centre,          ///< shorter side resized, the central window of that
};

/// What is done to an image before the network sees it.
struct Augmentation {
  /// Pixels of zeros put around the image before a window of the output's size is cut out of it at random, as
  /// for CIFAR (He et al. 2015, section 4.2). 0: the window is in the middle.
  int crop_padding = 0;

  /// Mirror left and right with probability 1/2.
  bool flip = false;

  CropKind crop = CropKind::window;

  /// Pixels of the shorter side for `random` and `centre`; at least 1.
  int shorter_side = 0;

  RandomResizedCrop resized{};
  Filter filter = Filter::bilinear;

  /// As evaluation sees it: the window is in the middle of a padded image too, and nothing is mirrored.
  bool centred = false;

  // What happens to the pixels of the crop, in this order.
  ColourJitter jitter{};
  ColourShift shift{};
  RandomErasing erasing{};

  /// Alpha of mixup (mixup.h), which the Loader does: it is of pairs of samples, after all else. 0: none.
  double mixup = 0;

  /// In place of the one window that `centre` (or `window`, centred) shows, the ten of ten_crops.h.
  bool ten_crops = false;

  /// Images that a sample becomes.
  int views() const { return ten_crops ? kTenCrops : 1; }
};

/// Throws Error(usage) where an augmentation needs colours that images of so many channels do not have.
void check_colours(const Augmentation& augmentation, std::int64_t channels);

/// Throws Error(usage) unless images of shape `stored` can be cut to `output`: the same channels, and no side
/// longer than the stored one with its padding; and where check_colours() does. A `stored` side of 0 (it
/// varies) is left to augment().
void check_augmentation(const Augmentation& augmentation, Shape stored, Shape output);

/// Writes the augmented image to `out`: HWC bytes, output.elements() of them. What is drawn depends on the
/// stream, epoch and index (in the data set) alone. `stream` is RandomStream(seed, Purpose::augment, 0).
/// Throws Error(usage) where check_augmentation would for the shape of `in`.
void augment(const Augmentation& augmentation, const RandomStream& stream, std::int64_t epoch,
             std::int64_t index, const Image& in, std::uint8_t* out, Shape output);

/// The part of augment() that comes after the crop: colours and erasing, in place.
void change_pixels(const Augmentation& augmentation, const RandomStream& stream, std::int64_t epoch,
                   std::int64_t index, std::uint8_t* pixels, Shape shape);

}  // namespace convoy
