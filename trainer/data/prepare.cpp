#include "trainer/data/prepare.h"

namespace convoy {
namespace {

/// What chooses a crop; kept apart, so that a ChooseCrop holds one pointer and takes no memory.
struct Chooser {
  const Augmentation& augmentation;
  const RandomStream& stream;
  std::int64_t epoch;
  std::int64_t index;
  const Random4& words;
  Shape output;

  ImageCrop choose(int height, int width) const {
    if (augmentation.crop == CropKind::random_resized) {
      const Rect rect = random_resized_crop(augmentation.resized, stream, epoch, index, height, width);
      return {rect,
              {static_cast<double>(rect.top), static_cast<double>(rect.left),
               static_cast<double>(rect.height), static_cast<double>(rect.width)},
              static_cast<int>(output.height),
              static_cast<int>(output.width)};
    }
    const bool random = augmentation.crop == CropKind::random;
    const double down = random ? static_cast<double>(words.word[0]) * 0x1p-32 : -1;
    const double right = random ? static_cast<double>(words.word[1]) * 0x1p-32 : -1;
    return resized_window(augmentation.shorter_side, down, right, height, width, output);
  }
};

}  // namespace

void give_back_large(PrepareScratch& scratch) {
  for (auto* storage : {&scratch.view.image.pixels, &scratch.read.file, &scratch.read.decode.turned,
                        &scratch.resample.between}) {
    if (storage->capacity() > std::size_t{kMostKeptBytes}) std::vector<std::uint8_t>().swap(*storage);
  }
  if (scratch.read.decode.budget != nullptr) scratch.read.decode.budget->release();
}

std::int32_t prepare_sample(const Dataset& dataset, const Augmentation& augmentation,
                            const RandomStream& stream, std::int64_t epoch, std::int64_t index,
                            PrepareScratch& scratch, std::uint8_t* out, Shape output) {
  if (augmentation.crop == CropKind::window) {
    const std::int32_t label = dataset.read_crop(index, whole_image, scratch.read, scratch.view);
    augment(augmentation, stream, epoch, index, scratch.view.image, out, output);
    give_back_large(scratch);
    return label;
  }
  // The words of block 0 mean what they mean in augment(): down, right, mirror.
  const Random4 words = stream.block(static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(index), 0);
  const Chooser chooser{augmentation, stream, epoch, index, words, output};
  const Chooser* const pointer = &chooser;
  const std::int32_t label = dataset.read_crop(
      index, [pointer](int height, int width) { return pointer->choose(height, width); }, scratch.read,
      scratch.view);
  const bool mirror = augmentation.flip && (words.word[2] >> 31) != 0;
  const std::int64_t between = scratch.view.pixels.height * output.width * output.channels;
  scratch.read.decode.claim(between);
  resample(scratch.view, augmentation.filter, mirror, static_cast<int>(output.height),
           static_cast<int>(output.width), scratch.resample, out);
  give_back_large(scratch);
  return label;
}

}  // namespace convoy
