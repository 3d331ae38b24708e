#include <array>
#include <fstream>
#include <utility>

#include "layers/core/error.h"
#include "trainer/data/byte_reader.h"
#include "trainer/data/class_names.h"
#include "trainer/data/formats.h"
#include "trainer/data/memory_dataset.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr Shape kShape{3, 32, 32};
constexpr std::size_t kPlane = 32 * 32;
constexpr int kCoarseClasses = 20;

/// How one of the two sets is laid out in files.
struct Layout {
  const char* folder;       ///< that the archive unpacks to
  const char* archive;      ///< where it comes from
  const char* names_file;   ///< one class name a line
  std::size_t label_bytes;  ///< of a record; the last one is the label
  std::int64_t records;     ///< of a whole file
  std::vector<std::string> train_files;
  std::vector<std::string> test_files;
};

Layout layout_of(int classes) {
  if (classes == 10) {
    return {
        "cifar-10-batches-bin",
        "cifar-10-binary.tar.gz",
        "batches.meta.txt",
        1,
        10000,
        {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
        {"test_batch.bin"}};
  }
  return {"cifar-100-binary", "cifar-100-binary.tar.gz", "fine_label_names.txt", 2, 50000, {"train.bin"},
          {"test.bin"}};
}

/// Appends one record's planes (all of red, of green, of blue) as interleaved pixels.
void append_interleaved(const std::uint8_t* planes, std::vector<std::uint8_t>& pixels) {
  const std::size_t start = pixels.size();
  pixels.resize(start + 3 * kPlane);
  std::uint8_t* out = pixels.data() + start;
  for (std::size_t i = 0; i < kPlane; ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) out[3 * i + channel] = planes[channel * kPlane + i];
  }
}

void check_label(const ByteReader& file, std::int64_t record, int label, int classes, const char* what) {
  if (label < classes) return;
  fail(ExitCode::data, "{}: record {} has {} {}, expected 0 to {}; the file is damaged, fetch it again",
       file.name(), record, what, label, classes - 1);
}

void append_file(const fs::path& path, const Layout& layout, int classes, std::vector<std::uint8_t>& pixels,
                 std::vector<std::uint8_t>& labels) {
  ByteReader file(path);
  std::vector<std::uint8_t> record(layout.label_bytes + 3 * kPlane);
  std::int64_t count = 0;
  while (count < layout.records &&
         file.read_record(record.data(), static_cast<std::int64_t>(record.size()), "a record")) {
    const std::uint8_t label = record[layout.label_bytes - 1];
    check_label(file, count, label, classes, "label");
    if (layout.label_bytes == 2) check_label(file, count, record[0], kCoarseClasses, "coarse label");
    labels.push_back(label);
    append_interleaved(record.data() + layout.label_bytes, pixels);
    ++count;
  }
  if (count == 0) fail(ExitCode::data, "{}: is empty; fetch it again", file.name());
  file.expect_end();
}

/// The names that come with the files, or the standard ones where that file is not there.
std::vector<std::string> read_names(const fs::path& path, std::size_t classes) {
  std::ifstream file(path);
  if (!file) return classes == 10 ? cifar10_names() : cifar100_names();
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.size() != classes) {
    fail(ExitCode::data, "{}: has {} class names, expected {}, one a line; fetch it again or remove it",
         path.string(), names.size(), classes);
  }
  return names;
}

}  // namespace

std::shared_ptr<const Dataset> read_cifar(const fs::path& root, Split split, int classes) {
  const Layout layout = layout_of(classes);
  const std::vector<std::string>& files = split == Split::train ? layout.train_files : layout.test_files;
  const bool here = find_packed_or_not(root / files[0]).has_value();
  const fs::path folder = here ? root : root / layout.folder;
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
  for (const std::string& name : files) {
    const auto path = find_packed_or_not(folder / name);
    if (!path) {
      fail(ExitCode::data,
           "{}: there is no such file, with or without .gz, nor in {}; get {} from "
           "https://www.cs.toronto.edu/~kriz/cifar.html, unpack it and set data.root to its folder",
           (folder / name).string(), root.string(), layout.archive);
    }
    append_file(*path, layout, classes, pixels, labels);
  }
  return std::make_shared<MemoryDataset>(
      kShape, read_names(folder / layout.names_file, static_cast<std::size_t>(classes)), std::move(pixels),
      std::move(labels));
}

}  // namespace convoy
