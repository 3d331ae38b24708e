#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

namespace convoy {

/// A field of a tar header: where it starts and how long it is.
struct TarField {
  std::size_t start;
  std::size_t length;
};

inline constexpr TarField kTarName{0, 100};
inline constexpr TarField kTarMode{100, 8};
inline constexpr TarField kTarUser{108, 8};
inline constexpr TarField kTarGroup{116, 8};
inline constexpr TarField kTarSize{124, 12};
inline constexpr TarField kTarTime{136, 12};
inline constexpr TarField kTarCheckSum{148, 8};
inline constexpr std::size_t kTarType = 156;
inline constexpr TarField kTarMagic{257, 8};  ///< with the version
inline constexpr TarField kTarPrefix{345, 155};

/// Magic and version of ustar and pax; GNU tar's is "ustar  ", and its headers have no prefix.
inline constexpr char kPosixMagic[] = {'u', 's', 't', 'a', 'r', '\0', '0', '0'};

/// Text up to a 0 or the end of the field.
inline std::string tar_text(std::span<const std::uint8_t> header, TarField field) {
  const auto bytes = header.subspan(field.start, field.length);
  return {bytes.begin(), std::find(bytes.begin(), bytes.end(), 0)};
}

/// An octal number between spaces and zeros, or a big-endian one after a first byte of 0x80 (GNU); nullopt
/// where it is neither, or negative.
inline std::optional<std::int64_t> tar_number(std::span<const std::uint8_t> header, TarField field) {
  const auto bytes = header.subspan(field.start, field.length);
  std::uint64_t value = 0;
  if (bytes[0] >= 0x80) {
    for (std::size_t i = 1; i < bytes.size(); ++i) {
      if (value >> 54 != 0) return std::nullopt;
      value = value << 8 | bytes[i];
    }
    return bytes[0] == 0x80 ? std::optional(static_cast<std::int64_t>(value)) : std::nullopt;
  }
  std::size_t i = 0;
  while (i < bytes.size() && bytes[i] == ' ') ++i;
  for (; i < bytes.size() && bytes[i] >= '0' && bytes[i] <= '7'; ++i) value = value << 3 | (bytes[i] & 7U);
  const auto is_end = [](std::uint8_t byte) { return byte == 0 || byte == ' '; };
  if (!std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(i), bytes.end(), is_end)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

/// Sum of a header's bytes, its check sum taken as spaces.
inline std::uint32_t tar_check_sum(std::span<const std::uint8_t> header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool own = i >= kTarCheckSum.start && i < kTarCheckSum.start + kTarCheckSum.length;
    sum += own ? std::uint32_t{' '} : std::uint32_t{header[i]};
  }
  return sum;
}

}  // namespace convoy
