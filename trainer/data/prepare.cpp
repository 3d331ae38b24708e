#include "trainer/data/prepare.h"

#include "trainer/data/draws.h"

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

/// Before `view` is resized: what is held between the passes over its columns and rows.
void claim_between(PrepareScratch& scratch, Shape output) {
  scratch.read.decode.claim(scratch.view.pixels.height * output.width * output.channels);
}

/// A window of the stored pixels, or ten.
std::int32_t prepare_window(const Dataset& dataset, const Augmentation& augmentation,
                            const RandomStream& stream, std::int64_t epoch, std::int64_t index,
                            PrepareScratch& scratch, std::uint8_t* out, Shape output) {
  const std::int32_t label = dataset.read_crop(index, whole_image, scratch.read, scratch.view);
  if (augmentation.ten_crops) {
    check_augmentation(augmentation,
                       {scratch.view.image.channels, scratch.view.image.height, scratch.view.image.width},
                       output);
    ten_crops(scratch.view.image, output, out);
  } else {
    augment(augmentation, stream, epoch, index, scratch.view.image, out, output);
  }
  give_back_large(scratch);
  return label;
}

std::int32_t prepare_ten_crops(const Dataset& dataset, const Augmentation& augmentation, std::int64_t index,
                               PrepareScratch& scratch, std::uint8_t* out, Shape output) {
  EvaluationViews views(augmentation, output);
  EvaluationViews* const pointer = &views;
  const std::int32_t label = dataset.read_crop(
      index, [pointer](int height, int width) { return pointer->choose(height, width); }, scratch.read,
      scratch.view);
  claim_between(scratch, output);
  views.make(scratch.view, scratch.resample, out);
  give_back_large(scratch);
  return label;
}

}  // namespace

ImageCrop EvaluationViews::choose(int height, int width) {
  if (!augmentation_->ten_crops)
    return resized_window(augmentation_->shorter_side, -1, -1, height, width, output_);
  resized_ = covering_sides(augmentation_->shorter_side, height, width, output_);
  ImageCrop crop = whole_image(height, width);
  crop.height = static_cast<int>(resized_.height);
  crop.width = static_cast<int>(resized_.width);
  return crop;
}

void EvaluationViews::make(View& view, ResampleScratch& scratch, std::uint8_t* out) const {
  if (augmentation_->ten_crops) {
    ten_crops(view, resized_, augmentation_->filter, scratch, output_, out);
  } else {
    resample(view, augmentation_->filter, false, static_cast<int>(output_.height),
             static_cast<int>(output_.width), scratch, out);
  }
}

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
  if (augmentation.crop == CropKind::window)
    return prepare_window(dataset, augmentation, stream, epoch, index, scratch, out, output);
  if (augmentation.ten_crops) return prepare_ten_crops(dataset, augmentation, index, scratch, out, output);
  // The words mean what they mean in augment(): down, right, mirror.
  const Random4 words =
      stream.block(static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(index), draws::kPlace);
  const Chooser chooser{augmentation, stream, epoch, index, words, output};
  const Chooser* const pointer = &chooser;
  const std::int32_t label = dataset.read_crop(
      index, [pointer](int height, int width) { return pointer->choose(height, width); }, scratch.read,
      scratch.view);
  const bool mirror = augmentation.flip && (words.word[2] >> 31) != 0;
  claim_between(scratch, output);
  resample(scratch.view, augmentation.filter, mirror, static_cast<int>(output.height),
           static_cast<int>(output.width), scratch.resample, out);
  change_pixels(augmentation, stream, epoch, index, out, output);
  give_back_large(scratch);
  return label;
}

}  // namespace convoy
