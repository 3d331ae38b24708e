#include <algorithm>

#include "layers/core/error.h"
#include "trainer/storage/file_io.h"
#include "trainer/storage/safetensors.h"
#include "trainer/storage/safetensors_header.h"

namespace convoy {

using namespace safetensors;

namespace {

/// The tensors in the order of the file: wider elements first, so that each lies on a multiple of its size.
std::vector<const TensorSource*> in_file_order(std::span<const TensorSource> tensors) {
  std::vector<const TensorSource*> order;
  for (const TensorSource& tensor : tensors) order.push_back(&tensor);
  std::ranges::stable_sort(order, std::greater(), [](const TensorSource* t) { return size_of(t->dtype); });
  return order;
}

std::int64_t bytes_of(const TensorSource& tensor) {
  std::int64_t bytes = size_of(tensor.dtype);
  for (const std::int64_t dim : tensor.dims) bytes *= dim;
  return bytes;
}

Header describe(std::span<const TensorSource* const> tensors, const Metadata& metadata) {
  Header header{metadata, {}};
  std::int64_t end = 0;
  for (const TensorSource* tensor : tensors) {
    const std::int64_t begin = end;
    end += bytes_of(*tensor);
    header.entries.push_back(
        {tensor->name, std::string(element_name(tensor->dtype)), tensor->dims, begin, end});
  }
  return header;
}

/// What the reader would refuse must not be written: it would be found out only when it is needed.
void check_readable(const std::string& path, std::string_view head, std::int64_t data_bytes) {
  if (head.size() - length_bytes > static_cast<std::size_t>(max_header_bytes))
    fail(ExitCode::internal, "cannot write {}: its header would have {} bytes (the most is {})", path,
         head.size(), max_header_bytes);
  try {
    Header header = parse_header(path, head.substr(length_bytes));
    order_entries(path, header, data_bytes);
  } catch (const Error& error) {
    fail(ExitCode::internal, "cannot write {}: what was given makes no readable file ({})", path,
         error.what());
  }
}

}  // namespace

std::vector<TensorSource> sources_of(std::span<const TensorView> tensors) {
  std::vector<TensorSource> sources;
  for (const TensorView& tensor : tensors)
    sources.push_back({tensor.name, tensor.dtype, tensor.dims, [&tensor] { return tensor.data; }});
  return sources;
}

void write_safetensors(const std::string& path, std::span<const TensorSource> tensors,
                       const Metadata& metadata) {
  const std::vector<const TensorSource*> order = in_file_order(tensors);
  Header header = describe(order, metadata);
  header.metadata["crc32"] = "00000000";
  header.metadata["header_crc32"] = "00000000";
  std::string head = format_header(header);
  check_readable(path, head, header.entries.empty() ? 0 : header.entries.back().end);

  // The checksums are known last, and written over the zeros.
  PartialFile file(path);
  file.write(std::as_bytes(std::span(head)));
  DataChecksum checksum;
  for (const TensorSource* tensor : order) {
    const std::span<const std::byte> data = tensor->read();
    if (static_cast<std::int64_t>(data.size()) != bytes_of(*tensor))
      fail(ExitCode::internal, "cannot write {}: tensor {} of {} needs {} bytes, and {} were given", path,
           in_quotes(tensor->name), element_name(tensor->dtype), bytes_of(*tensor), data.size());
    checksum.add(data);
    file.write(data);
  }
  set_data_checksum(head, checksum.text());
  set_head_checksum(head, head_checksum(head).value());
  file.rewrite_start(std::as_bytes(std::span(head)));
  file.commit();
}

void write_safetensors(const std::string& path, std::span<const TensorView> tensors,
                       const Metadata& metadata) {
  write_safetensors(path, sources_of(tensors), metadata);
}

}  // namespace convoy
