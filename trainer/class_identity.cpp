#include "trainer/class_identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "layers/core/error.h"
#include "trainer/data/printable.h"

namespace convoy {
namespace {

constexpr const char* kKey = "convoy.classes";

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80; }

/// Bytes of the character that `text` starts with; 0 where it is no UTF-8 (RFC 3629).
std::size_t character_bytes(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t bytes = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (bytes == 0 || text.size() < bytes) return 0;
  if (!std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(bytes), continues)) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second > 0x9F;
  const bool too_large = lead == 0xF4 && second > 0x8F;
  return overlong || surrogate || too_large ? 0 : bytes;
}

/// "class 3 is "cat"", or that there is none.
std::string described(const std::vector<std::string>& names, std::size_t c) {
  return c < names.size() ? fmt::format("\"{}\"", printable(names[c])) : "no class";
}

}  // namespace

std::string utf8_name(std::string_view name) {
  std::string text;
  while (!name.empty()) {
    const std::size_t bytes = character_bytes(name);
    if (bytes > 0) {
      text += name.substr(0, bytes);
    } else {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(name[0]));
    }
    name.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return text;
}

std::string class_names_text(const std::vector<std::string>& names) {
  boost::json::array array;
  for (const std::string& name : names) array.emplace_back(boost::json::string(utf8_name(name)));
  return boost::json::serialize(array);
}

std::vector<std::string> class_names_of(const Metadata& metadata, const std::string& path) {
  std::vector<std::string> names;
  const auto found = metadata.find(kKey);
  if (found == metadata.end()) return names;
  try {
    const boost::json::value list = boost::json::parse(found->second);
    for (const auto& name : list.as_array()) names.emplace_back(name.as_string());
  } catch (const std::exception&) {
    fail(ExitCode::usage, "{}: its metadata \"{}\" are no list of names; take a file that Convoy wrote", path,
         kKey);
  }
  return names;
}

bool are_numbers(const std::vector<std::string>& names) {
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (names[c] != std::to_string(c)) return false;
  }
  return true;
}

void check_class_names(const std::vector<std::string>& kept, const std::vector<std::string>& data,
                       const std::string& path) {
  if (are_numbers(kept) || are_numbers(data)) return;
  for (std::size_t c = 0; c < std::max(kept.size(), data.size()); ++c) {
    if (c < kept.size() && c < data.size() && kept[c] == utf8_name(data[c])) continue;
    fail(ExitCode::usage,
         "{}: was trained with other classes than the data have: class {} is {} there, and {} in the data; "
         "use the data set that it was trained with, with the same class folders, or other weights",
         path, c, described(kept, c), described(data, c));
  }
}

}  // namespace convoy
