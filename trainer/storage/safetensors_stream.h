#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "trainer/storage/safetensors.h"

namespace convoy {

class InputFile;

/// A tensor of a file, whose bytes are not in memory.
struct StoredTensor {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> dims;
  /// Fills `bytes`, of which there are as many as the tensor has. Any number of times, in any order. Throws
  /// Error(usage) that names the file when it cannot be read.
  std::function<void(std::span<std::byte> bytes)> read;
};

/// Tensors that are in memory, as if they were stored; the views' data must outlive them.
std::vector<StoredTensor> stored(std::span<const TensorView> tensors);

/// A safetensors file, validated and open, whose tensors are read when they are wanted: it takes as much
/// memory as its header. The tensors keep the file open; what takes its name meanwhile does not matter.
class SafetensorsStream {
 public:
  using Unsupported = SafetensorsFile::Unsupported;

  /// As SafetensorsFile::open, but for the data.
  static SafetensorsStream open(const std::string& path);
  /// As SafetensorsFile::open_checked: reads the whole file once, a piece at a time.
  static SafetensorsStream open_checked(const std::string& path);

  const std::string& path() const { return path_; }
  const Metadata& metadata() const { return metadata_; }
  /// In the order of their data.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  const std::vector<Unsupported>& unsupported() const { return unsupported_; }

 private:
  SafetensorsStream() = default;
  void verify_checksums() const;

  std::string path_;
  std::shared_ptr<InputFile> file_;
  std::string head_;  ///< the 8 bytes of length and the header
  Metadata metadata_;
  std::vector<StoredTensor> tensors_;
  std::vector<Unsupported> unsupported_;
};

}  // namespace convoy
