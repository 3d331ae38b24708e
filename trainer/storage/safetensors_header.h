#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "layers/core/dtype.h"
#include "trainer/storage/safetensors.h"

namespace convoy::safetensors {

/// Longest header that is read or written, as in the reference implementation.
inline constexpr std::int64_t max_header_bytes = 100'000'000;
/// Bytes of the length before the header.
inline constexpr std::size_t length_bytes = 8;

/// One tensor as the header tells of it; begin and end count from the start of the data section.
struct Entry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> dims;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

struct Header {
  Metadata metadata;
  std::vector<Entry> entries;
};

/// An element type of the format; `type` is empty where Convoy has no such type.
struct ElementType {
  std::string_view name;
  std::int64_t bytes;
  std::optional<DType> type;
};

/// The element type called `name` ("F32"), or nullptr.
const ElementType* element_type(std::string_view name);

/// "F32" for fp32, and so on.
std::string_view element_name(DType type);

/// Reads the JSON text of a header (without the length) of exactly the form that the format describes.
/// Throws Error(usage) naming the file. Does not look at what the numbers mean: see order_entries.
Header parse_header(const std::string& path, std::string_view json);

/// The 8 bytes of length and the padded header, entries in the order given.
std::string format_header(const Header& header);

/// Sorts the entries by place and checks that each has the size its type and dimensions ask for, and that
/// together they fill the data section without hole or overlap. Throws Error(usage) naming file and tensor.
void order_entries(const std::string& path, Header& header, std::int64_t data_bytes);

/// CRC-32 (zlib's) of `head` (length and header) with the 8 digits of metadata "header_crc32" taken as zeros.
/// nullopt when there is no such metadata.
std::optional<std::string> head_checksum(std::string_view head);
/// Puts digits in the place of those 8.
void set_head_checksum(std::string& head, std::string_view digits);
/// CRC-32 of data pieces that follow each other.
class DataChecksum {
 public:
  void add(std::span<const std::byte> piece);
  /// 8 lower-case digits.
  std::string text() const;

 private:
  unsigned long crc_ = 0;
};
/// Puts digits in the place of those of metadata "crc32".
void set_data_checksum(std::string& head, std::string_view digits);

/// A name from a file, quoted and cut short, for messages.
std::string in_quotes(std::string_view name);

/// Throws Error(usage): what is wrong with the file, and what to do.
[[noreturn]] void broken(const std::string& path, const std::string& reason);

}  // namespace convoy::safetensors
