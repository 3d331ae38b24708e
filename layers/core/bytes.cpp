#include "layers/core/bytes.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "layers/core/error.h"

namespace convoy {
namespace {

struct Unit {
  std::string_view name;
  double bytes;
};

constexpr std::array<Unit, 15> kUnits{{{"", 1},
                                       {"B", 1},
                                       {"KiB", 0x1p10},
                                       {"MiB", 0x1p20},
                                       {"GiB", 0x1p30},
                                       {"TiB", 0x1p40},
                                       {"PiB", 0x1p50},
                                       {"EiB", 0x1p60},
                                       {"kB", 1e3},
                                       {"KB", 1e3},
                                       {"MB", 1e6},
                                       {"GB", 1e9},
                                       {"TB", 1e12},
                                       {"PB", 1e15},
                                       {"EB", 1e18}}};

}  // namespace

std::int64_t parse_bytes(std::string_view text) {
  const std::string_view whole = text;
  double number = 0;
  const auto [end, problem] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (problem == std::errc{} && std::isfinite(number) && number >= 0) {
    for (const Unit& known : kUnits) {
      if (unit != known.name) continue;
      if (known.bytes == 1 && number != std::floor(number)) break;
      if (number * known.bytes <= 0x1p62) return static_cast<std::int64_t>(number * known.bytes);
      fail(ExitCode::usage, "\"{}\" is too large a size; the largest is 4EiB", whole);
    }
  }
  fail(ExitCode::usage,
       "\"{}\" is not a size; write a number of bytes, or a number with KB, MB, GB or TB (powers of 1000) or "
       "KiB, MiB, GiB or TiB (powers of 1024), for example 4GiB or 1.5GB",
       whole);
}

std::string format_bytes(std::int64_t bytes) {
  const double value = static_cast<double>(bytes);
  if (bytes < 1024) return fmt::format("{} B", bytes);
  if (value < 0x1p20) return fmt::format("{:.2f} KiB", value / 0x1p10);
  if (value < 0x1p30) return fmt::format("{:.2f} MiB", value / 0x1p20);
  if (value < 0x1p40) return fmt::format("{:.2f} GiB", value / 0x1p30);
  if (value < 0x1p50) return fmt::format("{:.2f} TiB", value / 0x1p40);
  if (value < 0x1p60) return fmt::format("{:.2f} PiB", value / 0x1p50);
  return fmt::format("{:.2f} EiB", value / 0x1p60);
}

}  // namespace convoy
