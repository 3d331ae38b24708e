#pragma once

#include <string>
#include <vector>

#include "layers/core/error.h"

namespace convoy {

/// Whether the words of a command line ask for JSON; also when they are wrong otherwise.
bool asks_for_json(const std::vector<std::string>& words);

/// Prints `{"error":{"exit_code":3,"message":"..."}}` on standard output, where a command with --json would
/// have printed its answer. The message goes to standard error as well, by whoever calls this.
void print_error_json(ExitCode code, const std::string& message);

}  // namespace convoy
