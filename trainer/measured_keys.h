#pragma once

#include "trainer/data/dataset.h"
#include "trainer/job.h"

namespace convoy {

/// Whether the job leaves its pixels' scale, data.mean or data.deviation, to be measured on the training set.
bool leaves_scale(const Job& job);

/// Whether it leaves the principal components of its colour shift to be measured.
bool leaves_colours(const Job& job);

/// Fills in what a job whose network takes images of `input` leaves to be measured: over ten thousand samples
/// of `train`, or of images that vary in size the central crops of a thousand. Values are rounded to what
/// `convoy data mean` prints. Throws what channel_statistics throws.
void fill_measured(Job& job, Shape input, const Dataset& train);

}  // namespace convoy
