#pragma once

#include <cstdint>

#include "layers/core/philox.h"

namespace convoy {

/// How many words random_words makes at a time.
inline constexpr std::int64_t kRandomWords = 256;

/// words[0, kRandomWords) are those of `stream` for the elements [first, first + kRandomWords) of one sample
/// at one step, as RandomStream::word gives them, many blocks at once in vector registers. `first` is a
/// multiple of 4.
void random_words(const RandomStream& stream, std::uint64_t step, std::uint64_t sample, std::uint64_t first,
                  std::uint32_t* words);

}  // namespace convoy
