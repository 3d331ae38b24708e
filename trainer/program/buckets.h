#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "layers/core/slice.h"

namespace convoy {

/// Cuts the flat gradient buffer into buckets that are reduced one by one while backward goes on (Li et al.,
/// "PyTorch Distributed", VLDB 2020, §3.2.3). `tensor_sizes` (elements) lie back to back in the order in
/// which backward finishes them. Cuts only between tensors: a bucket is closed by the tensor that brings it
/// to `bucket_bytes`, the first one to `first_bucket_bytes` so that communication starts early; a tensor of
/// `bucket_bytes` or more is a bucket of its own. A last bucket below an eighth of `bucket_bytes` joins the
/// one before it. The buckets cover the buffer exactly, in order, and none is empty. Throws Error(internal)
/// for negative sizes or limits below one element.
std::vector<Slice> make_buckets(std::span<const std::int64_t> tensor_sizes, std::int64_t element_size,
                                std::int64_t bucket_bytes, std::int64_t first_bucket_bytes);

}  // namespace convoy
