#pragma once

#include <fmt/format.h>

#include <string>

namespace convoy {

/// To the four digits that people want of a measured figure in a file.
inline double rounded(double value) { return std::stod(fmt::format("{:.4g}", value)); }

}  // namespace convoy
