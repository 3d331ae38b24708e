#pragma once

#include <cstdint>

namespace convoy {

/// How often this program has called operator new, on any thread.
std::int64_t allocations();

}  // namespace convoy
