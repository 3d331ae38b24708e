#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/trainer/data/count_allocations.h"
#include "tests/trainer/data/folder_files.h"
#include "tests/trainer/data/loaded_content.h"
#include "trainer/data/memory_budget.h"
#include "trainer/data/png_writer.h"

// The memory of a loader has a bound, whatever images come.

namespace convoy {
namespace {

namespace fs = std::filesystem;

const Shape kCropOutput{3, 9, 9};

LoaderOptions cropping_options(int threads) {
  LoaderOptions options;
  options.batch = 4;
  options.threads = threads;
  options.ahead = 2;
  options.epochs = 3;
  options.augmentation.crop = CropKind::random_resized;
  return options;
}

/// The most that a loader holds while it gives all of its batches.
std::int64_t peak_of(const std::shared_ptr<const Dataset>& set, const LoaderOptions& options,
                     std::int64_t& bound) {
  const std::int64_t before = held_bytes();
  restart_peak();
  Loader loader(set, kCropOutput, options);
  while (loader.next() != nullptr) continue;
  bound = loader.memory_bytes();
  return peak_held_bytes() - before;
}

TEST(LoaderMemory, OfUsualImagesIsFarBelowTheBound) {
  const ImageTree tree({"a", "b"}, {20, 20});
  const auto set = open_dataset(tree.source(), Split::train);
  std::int64_t bound = 0;
  for (const int threads : {1, 3}) {
    EXPECT_LT(peak_of(set, cropping_options(threads), bound), 1 << 20) << threads;
    EXPECT_EQ(bound, 2 * 4 * (243 + 12) + threads * kThreadBytes);
  }
}

// Four threads that meet images of 60 MB at once would take 240 MB.
TEST(LoaderMemory, OfLargeImagesStaysUnderTheBound) {
  const Folder folder;
  Image image{3, 4000, 5000, {}};
  image.pixels.assign(std::size_t{3} * 4000 * 5000, 77);
  fs::create_directories(folder.path() + "/train/a");
  write_png(folder.path() + "/train/a/0.png", image);
  const auto image_bytes = static_cast<std::int64_t>(image.pixels.size());
  image = {};
  for (int i = 1; i < 4; ++i)
    fs::create_hard_link(folder.path() + "/train/a/0.png",
                         fmt::format("{}/train/a/{}.png", folder.path(), i));
  DataSource source{.kind = "image-folder", .root = folder.path()};
  source.train_folder = source.test_folder = "train";
  const auto set = open_dataset(source, Split::train);
  LoaderOptions options = cropping_options(4);
  options.epochs = 1;
  std::int64_t bound = 0;
  const std::int64_t peak = peak_of(set, options, bound);
  EXPECT_GT(peak, image_bytes);
  EXPECT_LT(peak, bound);
  EXPECT_LT(bound, 4 * image_bytes) << "or the test would show nothing";
}

// What one epoch leaves is what the next one takes.
TEST(LoaderMemory, LargeImagesAreNotKept) {
  const Folder folder;
  for (int i = 0; i < 3; ++i)
    folder.write(fmt::format("train/a/{}.jpg", i), jpeg_of(pattern(i == 1 ? 3000 : 30, i == 1 ? 2000 : 40)));
  DataSource source{.kind = "image-folder", .root = folder.path()};
  source.train_folder = source.test_folder = "train";
  const auto set = open_dataset(source, Split::train);
  LoaderOptions options = cropping_options(1);
  options.batch = 3;
  options.ahead = 1;
  options.shuffle = false;
  options.augmentation.crop = CropKind::window;
  options.augmentation.crop_padding = 9;
  Loader loader(set, kCropOutput, options);
  loader.next();
  EXPECT_LT(held_bytes(), (12 << 20)) << "18 MB of pixels were given back";
}

// Many threads that ask again while they hold: nobody waits forever, and the sum stays bounded.
TEST(MemoryBudget, IsNotExceededByMoreThanOneHolderAndNeverStalls) {
  constexpr std::int64_t kBudget = 10 * kMostKeptBytes;
  constexpr std::int64_t kMost = 2 * 7 * kMostKeptBytes;  // of one holder
  MemoryBudget budget(kBudget);
  std::atomic<std::int64_t> sum = 0;
  std::atomic<std::int64_t> most = 0;
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      BudgetClaim claim(budget);
      unsigned state = 77 + t;
      for (int i = 0; i < 500; ++i) {
        std::int64_t mine = 0;
        for (int times = 0; times < 2; ++times) {
          state = state * 1664525 + 1013904223;
          const std::int64_t bytes = kMostKeptBytes / 2 * (1 + (state >> 16) % 14);
          claim.add(bytes);
          if (bytes <= kMostKeptBytes) continue;
          mine += bytes;
          const std::int64_t now = sum.fetch_add(bytes) + bytes;
          std::int64_t before = most;
          while (now > before && !most.compare_exchange_weak(before, now)) continue;
          std::this_thread::yield();
        }
        sum -= mine;
        claim.release();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(sum, 0);
  EXPECT_GT(most, kBudget / 2) << "it is shared";
  EXPECT_LE(most, kBudget + kMost);
}

TEST(MemoryBudget, WhatIsMoreThanAllOfItIsTakenAlone) {
  MemoryBudget budget(kMostKeptBytes);
  BudgetClaim first(budget);
  first.add(100 * kMostKeptBytes);
  std::atomic<bool> taken = false;
  std::jthread other([&] {
    BudgetClaim second(budget);
    second.add(2 * kMostKeptBytes);
    taken = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_FALSE(taken);
  first.add(kMostKeptBytes);  // the thread's own
  first.release();
  other.join();
  EXPECT_TRUE(taken);
}

}  // namespace
}  // namespace convoy
