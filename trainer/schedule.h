#pragma once

#include "trainer/job.h"

namespace convoy {

/// The learning rate at `epoch` (a fraction counts) of a run of `epochs`:
///   constant     base
///   step         base · gamma^floor(epoch / step_epochs)
///   multi_step   base · gamma^(milestones passed)
///   polynomial   base · (final + (1 - final) · (1 - p)^power)
///   cosine       base · (final + (1 - final) · (1 + cos(pi · p)) / 2), Loshchilov and Hutter 2017
/// with p the progress after the warm-up. During the warm-up the rate rises linearly from warmup_start · base
/// to base (Goyal et al. 2017, section 2.2), or stays at warmup_start · base (He et al. 2015, section 4.2).
double learning_rate(const Job::Optimizer& optimizer, const Job::Schedule& schedule, double epoch,
                     double epochs);

}  // namespace convoy
