#pragma once

#include <string>

#include "launch/job/places.h"
#include "trainer/job.h"

namespace convoy {

/// Applies one `--set section.key=value` (or `key=value` for a key above the first section) to a job. The
/// value is TOML; where the key takes text, a bare word is text too: memory.limit=1GiB, data.root=/tmp/x.
/// Throws Error(usage) that begins `--set "section.key=value": `.
void apply_set(const std::string& assignment, Job& job, Places& places);

}  // namespace convoy
