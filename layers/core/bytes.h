#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace convoy {

/// Reads a size: "4GiB", "1.5 MiB", "512MB", "4096". Binary (KiB = 2^10) and decimal (KB or kB = 10^3) units,
/// up to EiB and EB; no exponents, and no unit without its B.
/// Throws Error(usage) for anything else, for negative sizes and for sizes over 2^62.
std::int64_t parse_bytes(std::string_view text);

/// Writes a size for people: "0 B", "1.50 MiB", "2.00 GiB".
std::string format_bytes(std::int64_t bytes);

/// Smallest multiple of `alignment` (a power of two) that is not below `bytes`.
constexpr std::int64_t round_up(std::int64_t bytes, std::int64_t alignment) {
  return (bytes + alignment - 1) & ~(alignment - 1);
}

}  // namespace convoy
