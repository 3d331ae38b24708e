#pragma once

#include <string>
#include <vector>

#include "trainer/job.h"

namespace convoy {

/// The job of a run folder, with --set options applied. Error(usage) when the folder holds no run.
Job job_of_run(const std::string& folder, const std::vector<std::string>& sets);

}  // namespace convoy
