#pragma once

#include <cstdint>
#include <span>

namespace convoy {

// What fuzzers feed: each takes any bytes, and must end with a result or an Error, in short time and little
// memory. Anything else (a crash, what a sanitizer finds, another exception) is a fault.

/// A tar shard: its members, samples and labels; once as it is, once with the headers' check sums mended.
void fuzz_tar(std::span<const std::uint8_t> bytes);

/// An index file. Check sums are mended first, where its size fits its header; else nothing would pass them.
void fuzz_index(std::span<const std::uint8_t> bytes);

/// A JPEG, PNG or PPM file: of the whole image, and of a crop of it turned as its EXIF block says.
void fuzz_image(std::span<const std::uint8_t> bytes);

/// A list file, and the names of classes.
void fuzz_list(std::span<const std::uint8_t> bytes);

}  // namespace convoy
