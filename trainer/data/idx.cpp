#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "layers/core/error.h"
#include "trainer/data/byte_reader.h"
#include "trainer/data/formats.h"
#include "trainer/data/memory_dataset.h"

namespace convoy {
namespace {

constexpr int kUnsignedByte = 0x08;
constexpr std::int64_t kLongestSide = 65535;

/// Reads and checks the header; the sizes of the dimensions come back, each at least 1.
std::vector<std::int64_t> read_header(ByteReader& file, int dimensions, std::string_view what) {
  std::array<std::uint8_t, 4> magic{};
  file.read(magic.data(), 4, "the IDX header");
  if (magic[0] != 0 || magic[1] != 0) {
    fail(ExitCode::data,
         "{}: is no IDX file: starts with bytes {:02x} {:02x} {:02x} {:02x}, expected 00 00 08 {:02x}; fetch "
         "it again",
         file.name(), magic[0], magic[1], magic[2], magic[3], dimensions);
  }
  if (magic[2] != kUnsignedByte) {
    fail(ExitCode::data,
         "{}: byte 2 says elements of type 0x{:02x}, only unsigned bytes (0x08) are read; convert it",
         file.name(), magic[2]);
  }
  if (magic[3] != dimensions) {
    fail(ExitCode::data,
         "{}: byte 3 says {} dimensions, {} have {}; are the files of images and labels swapped?",
         file.name(), magic[3], what, dimensions);
  }
  std::vector<std::int64_t> sizes;
  for (int i = 0; i < dimensions; ++i) {
    std::array<std::uint8_t, 4> word{};
    file.read(word.data(), 4, "the IDX header");
    std::int64_t size = 0;
    for (const std::uint8_t byte : word) size = size * 256 + byte;
    if (size < 1 || (i > 0 && size > kLongestSide)) {
      fail(ExitCode::data,
           "{}: dimension {} at byte {} is {}, expected 1 to {}; the header is damaged, fetch it again",
           file.name(), i, file.offset() - 4, size, i > 0 ? kLongestSide : std::int64_t{0xFFFFFFFF});
    }
    sizes.push_back(size);
  }
  return sizes;
}

std::int64_t image_bytes(const ByteReader& file, const std::vector<std::int64_t>& sizes) {
  const std::int64_t each = sizes[1] * sizes[2];  // below 2^32
  if (sizes[0] > (std::int64_t{1} << 62) / each) {
    fail(ExitCode::data,
         "{}: the header at byte 4 says {} images of {} x {}, which no file can hold; fetch it again",
         file.name(), sizes[0], sizes[1], sizes[2]);
  }
  return sizes[0] * each;
}

void check_labels(const ByteReader& file, const std::vector<std::uint8_t>& labels, std::size_t classes) {
  const auto wrong = std::find_if(labels.begin(), labels.end(), [&](std::uint8_t x) { return x >= classes; });
  if (wrong == labels.end()) return;
  const auto record = wrong - labels.begin();
  fail(ExitCode::data,
       "{}: record {} (byte {}) has label {}, expected 0 to {}; correct the file or the number of classes",
       file.name(), record, record + 8, *wrong, classes - 1);
}

}  // namespace

std::shared_ptr<const Dataset> read_idx(const std::filesystem::path& images,
                                        const std::filesystem::path& labels,
                                        std::vector<std::string> class_names) {
  ByteReader image_file(images);
  ByteReader label_file(labels);
  const std::vector<std::int64_t> sizes = read_header(image_file, 3, "images");
  const std::int64_t count = read_header(label_file, 1, "labels")[0];
  if (sizes[0] != count) {
    fail(ExitCode::data, "{} has {} images, {} has {} labels; they are not of the same set",
         image_file.name(), sizes[0], label_file.name(), count);
  }
  std::vector<std::uint8_t> label_bytes = label_file.read_all(count, "labels");
  label_file.expect_end();
  check_labels(label_file, label_bytes, class_names.size());
  std::vector<std::uint8_t> pixels = image_file.read_all(image_bytes(image_file, sizes), "pixels");
  image_file.expect_end();
  return std::make_shared<MemoryDataset>(Shape{1, sizes[1], sizes[2]}, std::move(class_names),
                                         std::move(pixels), std::move(label_bytes));
}

std::shared_ptr<const Dataset> read_mnist(const std::filesystem::path& root, Split split,
                                          std::vector<std::string> class_names, const std::string& hint) {
  const std::string prefix = split == Split::train ? "train" : "t10k";
  const auto find = [&](const std::string& content) {
    for (const char separator : {'-', '.'}) {  // yann.lecun.com has dashes, some copies have a dot
      const auto found =
          find_packed_or_not(root / (prefix + "-" + content.substr(0, 6) + separator + content.substr(7)));
      if (found) return *found;
    }
    fail(ExitCode::data, "{}: there is no such file, with or without .gz; {}",
         (root / (prefix + "-" + content)).string(), hint);
  };
  const std::filesystem::path images = find("images-idx3-ubyte");
  return read_idx(images, find("labels-idx1-ubyte"), std::move(class_names));
}

}  // namespace convoy
