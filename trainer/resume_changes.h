#pragma once

#include <string>
#include <vector>

namespace convoy {

/// What differs between two resolved jobs, by key: `train.precision: 'fp32' -> 'bf16'`. The path of the
/// network file is left out, since the network itself is compared. Empty when a text is no TOML.
std::vector<std::string> job_changes(const std::string& before, const std::string& now);

/// The first layer (or input) that differs between two networks as network_to_toml writes them, as it was and
/// as it is; or nothing.
std::vector<std::string> network_changes(const std::string& before, const std::string& now);

}  // namespace convoy
