#pragma once

#include "trainer/data/augment.h"
#include "trainer/data/file_bytes.h"

namespace convoy {

/// What one image may take beyond kThreadBytes, while it has the budget of all threads for itself: the
/// largest file, its pixels with alpha and turned, and a decoder's own memory.
inline constexpr std::int64_t kMostSampleBytes = kMostFileBytes + 7 * kMostPixels + kMostDecoderBytes;

/// Storage that prepare_sample reuses; one for each thread.
struct PrepareScratch {
  View view;
  ReadScratch read;
  ResampleScratch resample;
};

/// Gives back what one large image took: it must not hold its memory for the rest of the training, nor that
/// which threads share. prepare_sample has done so when it returns; after an exception the caller does.
void give_back_large(PrepareScratch& scratch);

/// Reads sample `index`, cuts, resizes and mirrors it as `augmentation` says, and writes it to `out`: HWC
/// bytes, output.elements() of them. Returns its label. What is drawn depends on (stream, epoch, index)
/// alone, as in augment(). Throws Error(data) where the sample cannot be read.
std::int32_t prepare_sample(const Dataset& dataset, const Augmentation& augmentation,
                            const RandomStream& stream, std::int64_t epoch, std::int64_t index,
                            PrepareScratch& scratch, std::uint8_t* out, Shape output);

}  // namespace convoy
