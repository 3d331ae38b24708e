#pragma once

#include <string>
#include <vector>

#include "trainer/session.h"

namespace convoy {

/// The job of a run folder, with --set options applied. Error(usage) when the folder holds no run.
Job job_of_run(const std::string& folder, const std::vector<std::string>& sets);

/// The file of weights to take for a run folder: `named` when that is not empty, or weights.safetensors of a
/// folder that `convoy convert` made. "" for the newest checkpoint.
std::string weights_of_run(const std::string& folder, const std::string& named);

/// Tells on standard error what was done to make a plan fit.
void tell_actions(const Plan& plan);

/// The kernels that the run of a folder was made with.
KernelSettings kernels_of_run(const std::string& folder, const Job& job);

/// The kernels for a run in `folder`: measured, or where it goes on from a checkpoint (by the word of
/// --resume) those that it was begun with.
KernelSettings kernels_to_train(const std::string& folder, const std::string& resume, const Job& job);

}  // namespace convoy
