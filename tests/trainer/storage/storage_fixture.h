#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/storage/safetensors.h"

namespace convoy::testing {

/// A folder that is there for one test.
class StorageTest : public ::testing::Test {
 protected:
  StorageTest();
  ~StorageTest() override;
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
};

/// A tensor that owns its bytes; byte i is first + 7 i.
struct OwnedTensor {
  OwnedTensor(std::string name, DType dtype, std::vector<std::int64_t> dims, unsigned first);
  TensorView view() const { return {name_, dtype_, dims_, bytes_}; }

  std::string name_;
  DType dtype_;
  std::vector<std::int64_t> dims_;
  std::vector<std::byte> bytes_;
};

/// One tensor of each type, a scalar, two empty ones, and names that JSON must escape.
std::vector<OwnedTensor> sample_tensors();
std::vector<TensorView> views_of(const std::vector<OwnedTensor>& tensors);

/// A step's checkpoint: one fp32 tensor "weight" of `elements` that all are float(step).
OwnedTensor checkpoint_tensor(std::int64_t step, std::int64_t elements);

std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view bytes);

/// A safetensors file of this header (not padded) and data.
std::string file_text(std::string_view json, std::string_view data);

/// The message of the Error that `open` (or another reader) throws, "" when it throws none.
/// The test fails when its exit code is not 2.
std::string refusal(const std::string& path, SafetensorsFile (*reader)(const std::string&));

}  // namespace convoy::testing
