#include "trainer/storage/safetensors_header.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <iterator>

#include "layers/core/error.h"

namespace convoy::safetensors {
namespace {

constexpr std::array element_types{
    ElementType{"F32", 4, DType::f32}, ElementType{"F16", 2, DType::f16}, ElementType{"BF16", 2, DType::bf16},
    ElementType{"U8", 1, DType::u8},   ElementType{"I32", 4, DType::s32}, ElementType{"F64", 8, {}},
    ElementType{"I64", 8, {}},         ElementType{"U64", 8, {}},         ElementType{"U32", 4, {}},
    ElementType{"I16", 2, {}},         ElementType{"U16", 2, {}},         ElementType{"I8", 1, {}},
    ElementType{"BOOL", 1, {}},        ElementType{"F8_E4M3", 1, {}},     ElementType{"F8_E5M2", 1, {}},
    ElementType{"F8_E4M3FNUZ", 1, {}}, ElementType{"F8_E5M2FNUZ", 1, {}}, ElementType{"F8_E8M0", 1, {}},
    ElementType{"C64", 8, {}},
};

std::string json_string(std::string_view text) {
  return boost::json::serialize(boost::json::value(boost::json::string_view(text.data(), text.size())));
}

/// Bytes of a tensor, or nullopt when they are more than 63 bits can count.
std::optional<std::int64_t> tensor_bytes(const Entry& entry, std::int64_t element_bytes) {
  std::int64_t bytes = element_bytes;
  for (const std::int64_t dim : entry.dims)
    if (__builtin_mul_overflow(bytes, dim, &bytes)) return std::nullopt;
  return bytes;
}

void check_size(const std::string& path, const Entry& entry) {
  const ElementType* type = element_type(entry.dtype);
  if (type == nullptr)
    broken(path,
           fmt::format("tensor {} has unknown dtype {}", in_quotes(entry.name), in_quotes(entry.dtype)));
  const std::optional<std::int64_t> bytes = tensor_bytes(entry, type->bytes);
  if (!bytes) broken(path, fmt::format("tensor {} has a shape whose size overflows", in_quotes(entry.name)));
  if (entry.begin > entry.end || entry.end - entry.begin != *bytes)
    broken(path, fmt::format("tensor {} of {} needs {} bytes, but its data_offsets are {} to {}",
                             in_quotes(entry.name), entry.dtype, *bytes, entry.begin, entry.end));
}

}  // namespace

const ElementType* element_type(std::string_view name) {
  const auto found = std::ranges::find(element_types, name, &ElementType::name);
  return found == element_types.end() ? nullptr : &*found;
}

std::string_view element_name(DType type) {
  return std::ranges::find(element_types, std::optional(type), &ElementType::type)->name;
}

std::string format_header(const Header& header) {
  std::string json = "{\"__metadata__\":{";
  const char* separator = "";
  for (const auto& [key, value] : header.metadata) {
    json += fmt::format("{}{}:{}", separator, json_string(key), json_string(value));
    separator = ",";
  }
  json += "}";
  for (const Entry& entry : header.entries)
    json +=
        fmt::format(R"(,{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", json_string(entry.name),
                    entry.dtype, fmt::join(entry.dims, ","), entry.begin, entry.end);
  json += "}";
  json.resize((json.size() + 7) / 8 * 8, ' ');

  std::string head(length_bytes, '\0');
  for (std::size_t i = 0; i < length_bytes; ++i)
    head[i] = static_cast<char>(static_cast<unsigned char>(json.size() >> (8 * i)));
  return head + json;
}

void order_entries(const std::string& path, Header& header, std::int64_t data_bytes) {
  std::ranges::sort(header.entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
  std::int64_t end = 0;
  for (const Entry& entry : header.entries) {
    check_size(path, entry);
    if (entry.begin != end)
      broken(path,
             fmt::format("tensor {} begins at byte {} of the data, where {} is expected ({})",
                         in_quotes(entry.name), entry.begin, end, entry.begin < end ? "overlap" : "hole"));
    end = entry.end;
  }
  if (end > data_bytes)
    broken(path, fmt::format("it is truncated: the header tells of {} bytes of data, the file has {}", end,
                             data_bytes));
  if (end < data_bytes)
    broken(path, fmt::format("{} bytes follow the last tensor, which ends at byte {} of the data",
                             data_bytes - end, end));
}

std::string in_quotes(std::string_view name) {
  constexpr std::size_t longest = 80;
  return fmt::format("{:?}{}", name.substr(0, longest), name.size() > longest ? "..." : "");
}

void broken(const std::string& path, const std::string& reason) {
  fail(ExitCode::usage, "{}: {}; the file is damaged or not safetensors: use another copy of it", path,
       reason);
}

}  // namespace convoy::safetensors
