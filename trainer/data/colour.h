#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "layers/core/philox.h"
#include "trainer/data/principal_colours.h"

/// Changes of an image's colours, in place: 8-bit pixels of interleaved channels.
namespace convoy {

/// Random brightness, contrast, saturation and hue, by the names of torchvision's ColorJitter, and with its
/// meaning: factors uniform in [max(0, 1 - x), 1 + x], and a turn of the hue uniform in [-hue, hue]. 0: left
/// alone.
struct ColourJitter {
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;  ///< of the whole circle; at most 0.5

  bool any() const { return brightness > 0 || contrast > 0 || saturation > 0 || hue > 0; }
  /// Whether it needs three channels.
  bool needs_colours() const { return saturation > 0 || hue > 0; }
};

/// The colour shift of Krizhevsky, Sutskever, Hinton 2012, section 4.1: to all pixels of an image is added
/// Σ_i α_i λ_i p_i, where p_i and λ_i are the eigenvectors and eigenvalues of the covariance of the training
/// set's RGB values, and α_i is normal with deviation `sigma`, theirs 0.1.
struct ColourShift {
  double sigma = 0;  ///< 0: none
  PrincipalColours colours = kImageNetColours;
};

/// value = factor × value. As Pillow's ImageEnhance does it, in fp32, cut off to whole numbers of 0 to 255.
void change_brightness(std::span<std::uint8_t> pixels, float factor);

/// value = mean + factor × (value - mean), where the mean is that of the grey levels, rounded; as Pillow.
/// `channels` is 3, or any other number, whose mean is that of all values.
void change_contrast(std::span<std::uint8_t> pixels, int channels, float factor);

/// value = grey + factor × (value - grey) of the pixel's grey level (ITU-R 601-2); as Pillow.
void change_saturation(std::span<std::uint8_t> rgb, float factor);

/// Turns the hue by `turn` of the whole circle, of -1 to 1, as torchvision's adjust_hue does of tensors: in
/// fp32, of hexagonal hue, rounded to the nearest. (Pillow's own goes through hues of 8 bits.)
void change_hue(std::span<std::uint8_t> rgb, float turn);

/// The four changes, in the order in which Jittering::amount holds them.
enum class ColourChange : std::uint8_t { brightness, contrast, saturation, hue };

/// What is drawn for one sample.
struct Jittering {
  std::array<ColourChange, 4> order;                ///< in which they are made; each of the 24 is as likely
  std::array<float, 4> amount{1.F, 1.F, 1.F, 0.F};  ///< factors and turn; those that are asked for
};
Jittering draw_jitter(const ColourJitter& jitter, const RandomStream& stream, std::int64_t epoch,
                      std::int64_t index);

/// Makes the changes; factors of 1 and a turn of 0 are none.
void jitter_colours(const Jittering& drawn, int channels, std::span<std::uint8_t> pixels);

/// What the shift adds to each channel of a sample, in whole grey levels.
std::array<int, 3> draw_shift(const ColourShift& shift, const RandomStream& stream, std::int64_t epoch,
                              std::int64_t index);

/// Adds; what falls below 0 or above 255 stays there.
void shift_colours(const std::array<int, 3>& shift, std::span<std::uint8_t> rgb);

}  // namespace convoy
