#include <algorithm>

#include "layers/core/error.h"
#include "trainer/storage/file_io.h"
#include "trainer/storage/safetensors.h"
#include "trainer/storage/safetensors_header.h"

namespace convoy {

using namespace safetensors;

namespace {

/// The tensors in the order of the file: wider elements first, so that each lies on a multiple of its size.
std::vector<const TensorView*> in_file_order(std::span<const TensorView> tensors) {
  std::vector<const TensorView*> order;
  for (const TensorView& tensor : tensors) order.push_back(&tensor);
  std::ranges::stable_sort(order, std::greater(), [](const TensorView* t) { return size_of(t->dtype); });
  return order;
}

Header describe(std::span<const TensorView* const> tensors, const Metadata& metadata) {
  Header header{metadata, {}};
  std::int64_t end = 0;
  for (const TensorView* tensor : tensors) {
    const std::int64_t begin = end;
    end += static_cast<std::int64_t>(tensor->data.size());
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

void write_safetensors(const std::string& path, std::span<const TensorView> tensors,
                       const Metadata& metadata) {
  const std::vector<const TensorView*> order = in_file_order(tensors);
  std::vector<std::span<const std::byte>> pieces;
  for (const TensorView* tensor : order) pieces.push_back(tensor->data);

  Header header = describe(order, metadata);
  header.metadata["crc32"] = data_checksum(pieces);
  header.metadata["header_crc32"] = "00000000";
  std::string head = format_header(header);
  set_head_checksum(head, head_checksum(head).value());
  check_readable(path, head, header.entries.empty() ? 0 : header.entries.back().end);

  PartialFile file(path);
  file.write(std::as_bytes(std::span(head)));
  for (const std::span<const std::byte> piece : pieces) file.write(piece);
  file.commit();
}

}  // namespace convoy
