#include <algorithm>
#include <new>

#include "layers/core/error.h"
#include "trainer/storage/safetensors.h"
#include "trainer/storage/safetensors_stream.h"

namespace convoy {
namespace {

std::size_t bytes_of(const StoredTensor& tensor) {
  std::int64_t bytes = size_of(tensor.dtype);  // that it does not overflow was checked when it was opened
  for (const std::int64_t dim : tensor.dims) bytes *= dim;
  return static_cast<std::size_t>(bytes);
}

}  // namespace

SafetensorsFile::SafetensorsFile(const SafetensorsStream& stream) try
    : metadata_(stream.metadata()), unsupported_(stream.unsupported()) {
  std::size_t sum = 0;
  for (const StoredTensor& tensor : stream.tensors()) sum += bytes_of(tensor);
  data_ = std::make_unique_for_overwrite<std::byte[]>(sum);
  std::byte* next = data_.get();
  for (const StoredTensor& tensor : stream.tensors()) {
    const std::span<std::byte> bytes(next, bytes_of(tensor));
    tensor.read(bytes);
    tensors_.push_back({tensor.name, tensor.dtype, tensor.dims, bytes});
    next += bytes.size();
  }
} catch (const std::bad_alloc&) {
  fail(ExitCode::internal, "cannot read {}: it does not fit into the host's memory", stream.path());
}

SafetensorsFile SafetensorsFile::open(const std::string& path) {
  return SafetensorsFile(SafetensorsStream::open(path));
}

SafetensorsFile SafetensorsFile::open_checked(const std::string& path) {
  return SafetensorsFile(SafetensorsStream::open_checked(path));
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto found = std::ranges::find(tensors_, name, &TensorView::name);
  return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace convoy
