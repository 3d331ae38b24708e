#pragma once

#include <string>

#include "trainer/data/image.h"

namespace convoy {

/// Writes an image of 1 (grey) or 3 (RGB) channels as a PNG file. Throws Error(internal) where it cannot be
/// written.
void write_png(const std::string& path, const Image& image);

}  // namespace convoy
