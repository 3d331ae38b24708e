#include "trainer/storage/safetensors_stream.h"

#include <algorithm>
#include <cstring>

#include "layers/core/error.h"
#include "trainer/storage/file_io.h"
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
  file.read(0, std::as_writable_bytes(std::span(head)));
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
  file.read(static_cast<std::int64_t>(length_bytes),
            std::as_writable_bytes(std::span(head)).subspan(length_bytes));
  return head;
}

}  // namespace

std::vector<StoredTensor> stored(std::span<const TensorView> tensors) {
  std::vector<StoredTensor> all;
  for (const TensorView& tensor : tensors) {
    all.push_back({tensor.name, tensor.dtype, tensor.dims, [data = tensor.data](std::span<std::byte> bytes) {
                     if (!bytes.empty()) std::memcpy(bytes.data(), data.data(), bytes.size());
                   }});
  }
  return all;
}

SafetensorsStream SafetensorsStream::open(const std::string& path) {
  SafetensorsStream result;
  result.path_ = path;
  result.file_ = std::make_shared<InputFile>(path);
  result.head_ = read_head(path, *result.file_);
  const auto start = static_cast<std::int64_t>(result.head_.size());
  Header header = parse_header(path, std::string_view(result.head_).substr(length_bytes));
  order_entries(path, header, result.file_->size() - start);
  result.metadata_ = std::move(header.metadata);
  for (Entry& entry : header.entries) {
    const std::optional<DType> type = element_type(entry.dtype)->type;
    if (!type) {
      result.unsupported_.push_back({std::move(entry.name), std::move(entry.dtype)});
      continue;
    }
    result.tensors_.push_back({std::move(entry.name), *type, std::move(entry.dims),
                               [file = result.file_, place = start + entry.begin](
                                   std::span<std::byte> bytes) { file->read(place, bytes); }});
  }
  return result;
}

SafetensorsStream SafetensorsStream::open_checked(const std::string& path) {
  SafetensorsStream file = open(path);
  file.verify_checksums();
  return file;
}

void SafetensorsStream::verify_checksums() const {
  const auto verify = [&](const char* key, const char* part, const std::string& found) {
    const auto stored = metadata_.find(key);
    if (stored == metadata_.end())
      broken(path_, fmt::format("it has no checksum (metadata {})", in_quotes(key)));
    if (stored->second != found)
      broken(path_, fmt::format("the checksum of its {} is {}, where {} was stored", part, found,
                                in_quotes(stored->second)));
  };
  verify("header_crc32", "header", head_checksum(head_).value_or("not to be found"));
  constexpr std::int64_t kPiece = 1 << 20;
  std::vector<std::byte> piece(static_cast<std::size_t>(std::min(kPiece, file_->size())));
  DataChecksum data;
  for (auto place = static_cast<std::int64_t>(head_.size()); place < file_->size(); place += kPiece) {
    const std::span bytes =
        std::span(piece).first(static_cast<std::size_t>(std::min(kPiece, file_->size() - place)));
    file_->read(place, bytes);
    data.add(bytes);
  }
  verify("crc32", "data", data.text());
}

}  // namespace convoy
