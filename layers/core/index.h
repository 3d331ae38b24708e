#pragma once

#include <cstddef>

namespace convoy {

/// A position in a vector from one of the numbers that Graph, Program and Plan count with, which are ints and
/// here never negative.
constexpr std::size_t index(int i) { return static_cast<std::size_t>(i); }

}  // namespace convoy
