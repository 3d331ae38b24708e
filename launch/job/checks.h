#pragma once

#include <string>

#include "launch/job/places.h"
#include "trainer/job.h"

namespace convoy {

/// What no single key can tell: required keys, and keys that must fit each other. Throws Error(usage) with
/// the place of the key at fault.
void check_job(const Job& job, const Places& places);

/// Makes paths independent of the working folder. `network` is looked for from the working folder, then from
/// the folder of `job_file`; if it is in neither, throws Error(usage). Paths of data that exist become
/// absolute; others stay as they are, for the data set to complain about.
void resolve_paths(Job& job, const std::string& job_file, const Places& places);

}  // namespace convoy
