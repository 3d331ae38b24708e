#include "tests/trainer/storage/storage_fixture.h"

#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "layers/core/error.h"

namespace convoy::testing {

StorageTest::StorageTest() {
  std::string name = (std::filesystem::temp_directory_path() / "convoy-storage-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  folder_ = name;
}

StorageTest::~StorageTest() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

OwnedTensor::OwnedTensor(std::string name, DType dtype, std::vector<std::int64_t> dims, unsigned first)
    : name_(std::move(name)), dtype_(dtype), dims_(std::move(dims)) {
  std::int64_t bytes = size_of(dtype);
  for (const std::int64_t dim : dims_) bytes *= dim;
  for (std::int64_t i = 0; i < bytes; ++i)
    bytes_.push_back(static_cast<std::byte>(first + 7 * static_cast<unsigned>(i)));
}

std::vector<OwnedTensor> sample_tensors() {
  return {{"labels", DType::u8, {3}, 1},           {"conv1.weight", DType::f32, {2, 3}, 2},
          {"half", DType::f16, {1, 3}, 3},         {"brain", DType::bf16, {5}, 4},
          {"counts", DType::s32, {2, 1, 2}, 5},    {"scalar", DType::f32, {}, 6},
          {"empty", DType::f32, {0, 7}, 0},        {"empty bytes", DType::u8, {0}, 0},
          {"a \"quote\"\\\n é", DType::u8, {1}, 9}};
}

std::vector<TensorView> views_of(const std::vector<OwnedTensor>& tensors) {
  std::vector<TensorView> views;
  for (const OwnedTensor& tensor : tensors) views.push_back(tensor.view());
  return views;
}

OwnedTensor checkpoint_tensor(std::int64_t step, std::int64_t elements) {
  OwnedTensor tensor("weight", DType::f32, {elements}, 0);
  const std::vector<float> values(static_cast<std::size_t>(elements), static_cast<float>(step));
  std::memcpy(tensor.bytes_.data(), values.data(), tensor.bytes_.size());
  return tensor;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, std::string_view bytes) {
  std::filesystem::remove(path);  // ext4 makes who overwrites a file wait for the disk
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

std::string file_text(std::string_view json, std::string_view data) {
  std::string text;
  for (unsigned i = 0; i < 8; ++i)
    text += static_cast<char>(static_cast<unsigned char>(json.size() >> (8 * i)));
  return text.append(json).append(data);
}

std::string refusal(const std::string& path, SafetensorsFile (*reader)(const std::string&)) {
  try {
    reader(path);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage) << error.what();
    return error.what();
  }
}

}  // namespace convoy::testing
