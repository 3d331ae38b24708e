#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "layers/core/dtype.h"

namespace convoy {

/// One named tensor whose bytes belong to somebody else: little-endian, row-major, without gaps.
struct TensorView {
  std::string name;  ///< any UTF-8 text but "__metadata__"
  DType dtype = DType::f32;
  std::vector<std::int64_t> dims;  ///< {} is a scalar; a dimension of 0 makes the tensor empty
  std::span<const std::byte> data;
};

/// The same whose bytes are made when they are needed.
struct TensorSource {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> dims;
  /// Called once. What it gives stays as it is until the next source is read.
  std::function<std::span<const std::byte>()> read;
};

/// Sources of tensors that are in memory; the views must outlive them.
std::vector<TensorSource> sources_of(std::span<const TensorView> tensors);

/// Text that goes with the tensors of a file. Keys and values are UTF-8.
using Metadata = std::map<std::string, std::string>;

/// Writes tensors to a safetensors file (https://github.com/huggingface/safetensors, "Format"): the length of
/// the header as 8 little-endian bytes, a JSON header padded with spaces to a multiple of 8, the data without
/// holes. Wider element types come first, otherwise in the order given, so that each tensor is aligned.
/// "crc32" and "header_crc32" are added to the metadata, replacing what is there: see open_checked.
///
/// All or nothing: the file is written as `path`.partial.<pid>, synced, renamed, and its folder synced. On
/// any failure the partial file is removed and an older file at `path` is as it was. Throws Error(internal):
/// "cannot write PATH: No space left on device", or when the tensors cannot be stored (a name given twice,
/// data whose size is not that of dims, text that is not UTF-8).
void write_safetensors(const std::string& path, std::span<const TensorView> tensors,
                       const Metadata& metadata);
/// The same, one tensor in memory at a time.
void write_safetensors(const std::string& path, std::span<const TensorSource> tensors,
                       const Metadata& metadata);

class SafetensorsStream;

/// A safetensors file, read into memory and validated. Owns its data; the views live as long as it does,
/// also when it is moved. SafetensorsStream reads files that are large.
class SafetensorsFile {
 public:
  /// A tensor of an element type that the format has and Convoy has not ("F64", "I64", "BOOL", ...).
  struct Unsupported {
    std::string name;
    std::string dtype;
  };

  /// Reads and validates everything but checksums. Any file may be given: throws Error(usage) that names the
  /// file and the offset or tensor for one that is missing, truncated, damaged or not safetensors, and
  /// Error(internal) when memory for it is lacking.
  static SafetensorsFile open(const std::string& path);

  /// As open; also requires and verifies the checksums that write_safetensors stores. A flipped bit anywhere
  /// in the file is found.
  static SafetensorsFile open_checked(const std::string& path);

  /// Reads all that is in an open file.
  explicit SafetensorsFile(const SafetensorsStream& stream);

  const Metadata& metadata() const { return metadata_; }

  /// In the order of their data. Files of other writers may hold tensors that are not aligned to their
  /// element size.
  const std::vector<TensorView>& tensors() const { return tensors_; }

  /// Tensors that tensors() leaves out; find does not find them.
  const std::vector<Unsupported>& unsupported() const { return unsupported_; }

  /// The tensor of that name, or nullptr.
  const TensorView* find(std::string_view name) const;

 private:
  std::unique_ptr<std::byte[]> data_;
  Metadata metadata_;
  std::vector<TensorView> tensors_;
  std::vector<Unsupported> unsupported_;
};

}  // namespace convoy
