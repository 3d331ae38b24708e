#pragma once

#include "layers/core/shape.h"
#include "trainer/data/augment.h"
#include "trainer/job.h"

namespace convoy {

/// Pixels of the shorter side that images are resized to where data.shorter_side is 0.
int usual_shorter_side(Shape input);

/// What a job, its measured keys filled in, does to training samples of a network with this input.
Augmentation training_augmentation(const Job& job, Shape input);

/// How it decodes files of images.
DecodeOptions decode_options(const Job& job);

/// What it does to samples that are evaluated: nothing is random; images of any size are resized by their
/// shorter side, and the central window is taken, or ten.
Augmentation evaluation_augmentation(const Job& job, Shape input);

}  // namespace convoy
