#include <gtest/gtest.h>

#include <chrono>

#include "tests/trainer/data/count_allocations.h"
#include "tests/trainer/data/folder_files.h"
#include "trainer/data/epoch_order.h"
#include "trainer/data/image_folder.h"
#include "trainer/data/loader.h"

// A set of ImageNet's size. Of its images those of the first batches are on the disk; names, sizes and
// classes are listed of all.

namespace convoy {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kImages = 1'281'167;
constexpr int kClasses = 1000;
const Shape kOutput{3, 64, 64};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Listing imagenet() {
  Listing listing;
  listing.folders.push_back({"", -1, 0, {}});
  for (int c = 0; c < kClasses; ++c) {
    listing.class_names.push_back(fmt::format("n{:08}", c));
    listing.folders.push_back({listing.class_names.back(), c, 0, {}});
  }
  for (std::int64_t i = 0; i < kImages; ++i) {
    ListedFolder& folder = listing.folders[static_cast<std::size_t>(1 + i % kClasses)];
    folder.files.push_back({fmt::format("{}_{:05}.JPEG", folder.path, i / kClasses), 110000});
  }
  return listing;
}

TEST(ImageNetsSize, IndexAndFirstBatchAreThereAtOnceInLittleMemory) {
  const Folder folder;
  const Listing listing = imagenet();
  const fs::path file = folder.path() + "/train.convoy-index";
  const auto start = Clock::now();
  write_index(file, index_bytes(listing));
  std::shared_ptr<const FolderIndex> index = FolderIndex::open(file);
  EXPECT_LT(seconds_since(start), 2) << "packing, writing and opening the index";
  ASSERT_EQ(index->size(), kImages);

  LoaderOptions options;
  options.batch = 256;
  options.ahead = 1;
  options.augmentation.crop = CropKind::random_resized;
  const EpochOrder order(options.seed, 0, kImages, true);
  const Bytes picture = jpeg_of(pattern(100, 120));
  for (std::int64_t i = 0; i < 4 * options.batch; ++i)
    folder.write("train/" + index->entry(order.at(i)).path, picture);

  std::vector<std::int32_t> labels(kClasses);
  for (int c = 0; c < kClasses; ++c) labels[static_cast<std::size_t>(c)] = c;
  const std::vector<std::string> names = index->class_names();
  const std::int64_t before = held_bytes();
  restart_peak();
  const auto opened = Clock::now();
  const auto set = std::make_shared<ImageFolder>(folder.path() + "/train", FolderIndex::open(file), names,
                                                 std::move(labels), DecodeOptions{});
  Loader loader(set, kOutput, options);
  ASSERT_NE(loader.next(), nullptr);
  EXPECT_LT(seconds_since(opened), 1) << "opening and the first batch";
  for (int i = 1; i < 4; ++i) ASSERT_NE(loader.next(), nullptr);
  EXPECT_LT(peak_held_bytes() - before, loader.memory_bytes());
  EXPECT_LT(peak_held_bytes() - before, 8 << 20) << "the index is mapped, the order computed";
}

}  // namespace
}  // namespace convoy
