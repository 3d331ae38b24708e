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

/// What evaluation sees of an image of any size: the window, or the ten, that `augmentation` (of kind
/// `centre`) names.
class EvaluationViews {
 public:
  EvaluationViews(const Augmentation& augmentation, Shape output)
      : augmentation_(&augmentation), output_(output) {}

  /// The part of the image that is needed, for a ChooseCrop.
  ImageCrop choose(int height, int width);
  /// Once that is decoded: writes views() × output.elements() HWC bytes.
  void make(View& view, ResampleScratch& scratch, std::uint8_t* out) const;

 private:
  const Augmentation* augmentation_;
  Shape output_;
  Sides resized_{};
};

/// Gives back what one large image took: it must not hold its memory for the rest of the training, nor that
/// which threads share. prepare_sample has done so when it returns; after an exception the caller does.
void give_back_large(PrepareScratch& scratch);

/// Reads sample `index`, cuts, resizes, mirrors and changes it as `augmentation` says, and writes it to
/// `out`: HWC bytes, views() × output.elements() of them. Returns its label. What is drawn depends on
/// (stream, epoch, index) alone, as in augment(). Throws Error(data) where the sample cannot be read.
std::int32_t prepare_sample(const Dataset& dataset, const Augmentation& augmentation,
                            const RandomStream& stream, std::int64_t epoch, std::int64_t index,
                            PrepareScratch& scratch, std::uint8_t* out, Shape output);

}  // namespace convoy
