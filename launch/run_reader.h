#pragma once

#include <string>
#include <vector>

#include "trainer/job.h"

namespace convoy {

/// The job of a run folder, with --set options applied. Error(usage) when the folder holds no run.
Job job_of_run(const std::string& folder, const std::vector<std::string>& sets);

/// The file of weights to take for a run folder: `named` when that is not empty, or weights.safetensors of a
/// folder that `convoy convert` made. "" for the newest checkpoint.
std::string weights_of_run(const std::string& folder, const std::string& named);

}  // namespace convoy
