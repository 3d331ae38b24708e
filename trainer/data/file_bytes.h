#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/data/memory_budget.h"

namespace convoy {

/// Files of images above this are refused.
inline constexpr std::int64_t kMostFileBytes = std::int64_t{1} << 29;

/// Reads a regular file whole into `out`, whose storage is reused. Throws Error(data) with the name when
/// there is none, it cannot be read, or it is larger than kMostFileBytes; Error(internal) when it is not the
/// file's fault (no memory, too many open files). Does not wait for a pipe that has taken the name. `budget`,
/// where given, is asked for what it takes.
void read_file(const std::string& path, std::vector<std::uint8_t>& out, BudgetClaim* budget = nullptr);

}  // namespace convoy
