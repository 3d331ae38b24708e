#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trainer/job.h"

namespace convoy {

/// Reads a job file and applies `--set` options in their order: each is "section.key=value", or "key=value"
/// for a key above the first section. Keys that neither names keep the defaults of Job.
///
/// The job that comes back is checked (words, ranges, sizes, keys that must fit each other) and its `network`
/// is an absolute path, found from the working folder or else from the job file's; so is `data.root` if it
/// exists.
///
/// Throws Error(usage) for anything wrong, with "file:line:column: " or "--set \"...\": " in front, the
/// section and the key, what was expected, and the nearest right word.
Job read_job(const std::string& path, const std::vector<std::string>& sets = {});

/// The same from text; `file_name` is for messages and for its folder.
Job parse_job(std::string_view text, const std::string& file_name, const std::vector<std::string>& sets = {});

}  // namespace convoy
