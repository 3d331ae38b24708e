#pragma once

#include <cstdint>
#include <vector>

#include "trainer/data/image.h"

namespace convoy {

/// Storage for encoders, which replace its content.
using EncodedBytes = std::vector<std::uint8_t>;

/// A baseline JPEG file of an RGB image by libjpeg-turbo: quality 1 to 100, as libjpeg counts it, colours at
/// half the resolution each way (its default).
void encode_jpeg(const Image& image, int quality, EncodedBytes& out);

/// Netpbm's raw RGB, "P6\nWIDTH HEIGHT\n255\n" and the pixels: what decode_ppm reads.
void encode_ppm(const Image& image, EncodedBytes& out);

}  // namespace convoy
