#include "trainer/program/buckets.h"

#include "layers/core/error.h"

namespace convoy {

std::vector<Slice> make_buckets(std::span<const std::int64_t> tensor_sizes, std::int64_t element_size,
                                std::int64_t bucket_bytes, std::int64_t first_bucket_bytes) {
  if (element_size < 1 || bucket_bytes < element_size || first_bucket_bytes < element_size) {
    fail(ExitCode::internal, "a bucket of {} bytes (the first of {}) cannot hold an element of {} bytes",
         bucket_bytes, first_bucket_bytes, element_size);
  }
  std::vector<Slice> buckets;
  Slice open;
  const auto close = [&] {
    if (open.count > 0) buckets.push_back(open);
    open = {open.first + open.count, 0};
  };
  for (const std::int64_t size : tensor_sizes) {
    if (size < 0) fail(ExitCode::internal, "a tensor of {} elements cannot go into a bucket", size);
    if (size * element_size >= bucket_bytes) close();
    open.count += size;
    if (open.count * element_size >= (buckets.empty() ? first_bucket_bytes : bucket_bytes)) close();
  }
  const bool tiny = open.count * element_size < bucket_bytes / 8;
  if (tiny && !buckets.empty()) {
    buckets.back().count += open.count;
  } else {
    close();
  }
  return buckets;
}

}  // namespace convoy
