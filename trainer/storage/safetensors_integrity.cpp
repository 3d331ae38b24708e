#include <zlib.h>

#include "layers/core/error.h"
#include "trainer/storage/safetensors.h"
#include "trainer/storage/safetensors_header.h"

namespace convoy {
namespace safetensors {
namespace {

constexpr std::size_t digits = 8;

constexpr std::string_view header_key = "\"header_crc32\":\"";
constexpr std::string_view data_key = "\"crc32\":\"";

/// Where the digits of a checksum begin, or npos. The key cannot be found by mistake inside another text:
/// there, its quotes have backslashes before them.
std::size_t place_of_digits(std::string_view head, std::string_view key) {
  const std::size_t place = head.find(key, length_bytes);
  if (place == std::string_view::npos || place + key.size() + digits > head.size())
    return std::string_view::npos;
  return place + key.size();
}

uLong add(uLong crc, std::string_view text) {
  return crc32_z(crc, reinterpret_cast<const Bytef*>(text.data()), text.size());
}

}  // namespace

std::optional<std::string> head_checksum(std::string_view head) {
  const std::size_t place = place_of_digits(head, header_key);
  if (place == std::string_view::npos) return std::nullopt;
  uLong crc = add(0, head.substr(0, place));
  crc = add(crc, "00000000");
  return fmt::format("{:08x}", add(crc, head.substr(place + digits)));
}

void set_head_checksum(std::string& head, std::string_view checksum) {
  head.replace(place_of_digits(head, header_key), digits, checksum);
}

void set_data_checksum(std::string& head, std::string_view checksum) {
  head.replace(place_of_digits(head, data_key), digits, checksum);
}

void DataChecksum::add(std::span<const std::byte> piece) {
  // crc32_z takes a null pointer for "start anew", which an empty tensor must not do.
  if (!piece.empty()) crc_ = crc32_z(crc_, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
}

std::string DataChecksum::text() const { return fmt::format("{:08x}", crc_); }

}  // namespace safetensors

}  // namespace convoy
