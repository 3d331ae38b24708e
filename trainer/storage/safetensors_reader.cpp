#include <algorithm>
#include <new>

#include "layers/core/error.h"
#include "trainer/storage/file_io.h"
#include "trainer/storage/safetensors.h"
#include "trainer/storage/safetensors_header.h"

namespace convoy {

using namespace safetensors;

namespace {

/// Reads length and header: the 8 bytes and the JSON text. Nothing is allocated before its size is checked.
std::string read_head(const std::string& path, InputFile& file) {
  if (file.size() < static_cast<std::int64_t>(length_bytes))
    broken(path, fmt::format("it is truncated: {} bytes, where the length of the header takes {}",
                             file.size(), length_bytes));
  std::string head(length_bytes, '\0');
  file.read(std::as_writable_bytes(std::span(head)));
  std::uint64_t length = 0;
  for (std::size_t i = length_bytes; i-- > 0;) length = length << 8 | static_cast<unsigned char>(head[i]);

  if (length > static_cast<std::uint64_t>(max_header_bytes))
    broken(path, fmt::format("its first 8 bytes ask for a header of {} bytes (the most is {})", length,
                             max_header_bytes));
  const auto rest = static_cast<std::uint64_t>(file.size()) - length_bytes;
  if (length > rest)
    broken(path,
           fmt::format("it is truncated: a header of {} bytes, and {} bytes in the file after its length",
                       length, rest));
  head.resize(length_bytes + length);
  file.read(std::as_writable_bytes(std::span(head)).subspan(length_bytes));
  return head;
}

}  // namespace

SafetensorsFile SafetensorsFile::open(const std::string& path) try {
  SafetensorsFile result;
  InputFile file(path);
  result.head_ = read_head(path, file);
  result.data_size_ = static_cast<std::size_t>(file.size()) - result.head_.size();
  Header header = parse_header(path, std::string_view(result.head_).substr(length_bytes));
  order_entries(path, header, static_cast<std::int64_t>(result.data_size_));

  result.data_ = std::make_unique_for_overwrite<std::byte[]>(result.data_size_);
  const std::span<std::byte> data(result.data_.get(), result.data_size_);
  file.read(data);
  result.metadata_ = std::move(header.metadata);
  for (Entry& entry : header.entries) {
    const std::optional<DType> type = element_type(entry.dtype)->type;
    const auto bytes = data.subspan(static_cast<std::size_t>(entry.begin),
                                    static_cast<std::size_t>(entry.end - entry.begin));
    if (type)
      result.tensors_.push_back({std::move(entry.name), *type, std::move(entry.dims), bytes});
    else
      result.unsupported_.push_back({std::move(entry.name), std::move(entry.dtype)});
  }
  return result;
} catch (const std::bad_alloc&) {
  fail(ExitCode::internal, "cannot read {}: it does not fit into the host's memory", path);
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto found = std::ranges::find(tensors_, name, &TensorView::name);
  return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace convoy
