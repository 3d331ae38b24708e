#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace convoy {

/// Photograph-like JPEG files of 500 x 375 pixels and about 110 KB, as ImageNet's are on average: the same
/// ones in every run. Where `folder` is not empty they are read from there, or made and written there as
/// 000.jpg and so on, for other programs to measure with.
std::vector<std::vector<std::uint8_t>> bench_photographs(int count, const std::string& folder);

}  // namespace convoy
