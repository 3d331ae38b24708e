#pragma once

#include <cstdint>

namespace convoy {

/// How often this program has called operator new, on any thread.
std::int64_t allocations();

/// Bytes that it holds by operator new, and the most that it held since restart_peak().
std::int64_t held_bytes();
std::int64_t peak_held_bytes();
void restart_peak();

}  // namespace convoy
