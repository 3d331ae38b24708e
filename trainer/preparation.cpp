#include "trainer/preparation.h"

#include <algorithm>
#include <cmath>

namespace convoy {
namespace {

CropKind crop_of(const Job::Data& data) {
  if (data.crop == "random-resized") return CropKind::random_resized;
  if (data.crop == "random") return CropKind::random;
  if (data.crop == "centre") return CropKind::centre;
  return data.crop == "auto" && holds_image_files(data.kind) ? CropKind::random_resized : CropKind::window;
}

/// What training and evaluation share.
Augmentation resizing(const Job::Data& data, Shape input) {
  Augmentation augmentation;
  augmentation.shorter_side =
      data.shorter_side > 0 ? static_cast<int>(data.shorter_side) : usual_shorter_side(input);
  augmentation.filter = data.filter == "area" ? Filter::area : Filter::bilinear;
  return augmentation;
}

RandomErasing erasing_of(const Job::Data& data, Shape input) {
  RandomErasing erasing{data.erase, data.erase_area[0], data.erase_area[1], data.erase_aspect[0],
                        data.erase_aspect[1]};
  if (data.erase_with == "zero") erasing.with = EraseWith::zero;
  if (data.erase_with != "mean") return erasing;
  erasing.with = EraseWith::mean;
  for (std::size_t c = 0; c < static_cast<std::size_t>(input.channels); ++c) {
    // One a channel or one for all; not measured yet where the augmentation is only looked at.
    const double mean = data.mean.empty() ? 0 : data.mean[std::min(c, data.mean.size() - 1)];
    erasing.mean.push_back(static_cast<std::uint8_t>(std::lround(mean)));
  }
  return erasing;
}

}  // namespace

int usual_shorter_side(Shape input) {
  constexpr double kShare = 0.875;  // 224 of 256
  return static_cast<int>(std::lround(static_cast<double>(std::min(input.height, input.width)) / kShare));
}

Augmentation training_augmentation(const Job& job, Shape input) {
  Augmentation augmentation = resizing(job.data, input);
  augmentation.crop_padding = static_cast<int>(job.data.crop_padding);
  augmentation.flip = job.data.flip;
  augmentation.crop = crop_of(job.data);
  augmentation.resized = {job.data.area[0], job.data.area[1], job.data.aspect[0], job.data.aspect[1]};
  augmentation.jitter = {job.data.brightness, job.data.contrast, job.data.saturation, job.data.hue};
  augmentation.shift.sigma = job.data.colour_shift;
  if (!job.data.colour_eigenvalues.empty())  // else not measured yet, where it is only looked at
    augmentation.shift.colours = principal_colours(job.data.colour_eigenvalues, job.data.colour_eigenvectors);
  augmentation.erasing = erasing_of(job.data, input);
  augmentation.mixup = job.data.mixup;
  return augmentation;
}

DecodeOptions decode_options(const Job& job) {
  return {job.data.orientation, static_cast<std::uint8_t>(job.data.background)};
}

Augmentation evaluation_augmentation(const Job& job, Shape input) {
  Augmentation augmentation = resizing(job.data, input);
  augmentation.crop_padding = static_cast<int>(job.data.crop_padding);
  augmentation.centred = true;
  augmentation.ten_crops = job.data.test_crop == "ten-crop";
  augmentation.crop = crop_of(job.data) == CropKind::window ? CropKind::window : CropKind::centre;
  return augmentation;
}

}  // namespace convoy
