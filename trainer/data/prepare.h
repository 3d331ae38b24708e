#pragma once

#include "trainer/data/augment.h"

namespace convoy {

/// Storage of one sample that is kept for the next, where it is not larger.
inline constexpr std::size_t kMostKeptBytes = std::size_t{1} << 26;

/// Storage that prepare_sample reuses; one for each thread.
struct PrepareScratch {
  View view;
  ReadScratch read;
  ResampleScratch resample;
};

/// Reads sample `index`, cuts, resizes and mirrors it as `augmentation` says, and writes it to `out`: HWC
/// bytes, output.elements() of them. Returns its label. What is drawn depends on (stream, epoch, index)
/// alone, as in augment(). Throws Error(data) where the sample cannot be read.
std::int32_t prepare_sample(const Dataset& dataset, const Augmentation& augmentation,
                            const RandomStream& stream, std::int64_t epoch, std::int64_t index,
                            PrepareScratch& scratch, std::uint8_t* out, Shape output);

}  // namespace convoy
