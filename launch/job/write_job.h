#pragma once

#include <string>

#include "trainer/job.h"

namespace convoy {

/// The resolved job file: every key with its value. For a job that `read_job` gave, parsing this gives an
/// equal job, to the last bit of every number.
std::string job_to_toml(const Job& job);

/// All keys for a terminal, section by section: default, meaning, type and range.
std::string job_help();

/// docs/job-file.md: the same as tables in Markdown.
std::string job_keys_markdown();

}  // namespace convoy
