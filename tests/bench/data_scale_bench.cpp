// Data sets of the size of ImageNet, of many tiny images:
//   tests/bench/data_scale_bench FOLDER [ENTRIES]        (from the build folder; ENTRIES: 1281167, 1 KiB
//   each)
// Writes shards and a list of so many images into the folder, where they are not there yet, then measures:
// making the index, opening the set, the first batch of 256, a million steps of the sampler, and the memory
// of each.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "layers/core/clock.h"
#include "tests/bench/arguments.h"
#include "trainer/data/epoch_order.h"
#include "trainer/data/folder_index.h"
#include "trainer/data/loader.h"
#include "trainer/data/parallel.h"
#include "trainer/data/shard_names.h"
#include "trainer/data/shard_scan.h"
#include "trainer/data/tar_writer.h"

namespace {

using namespace convoy;
namespace fs = std::filesystem;

constexpr std::int64_t kShardImages = 2000;
constexpr int kClasses = 1000;

void write_shards(const fs::path& folder, std::int64_t entries) {
  const std::string text = "P6\n1 1\n255\nabc";
  const std::span pixel(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  for (std::int64_t shard = 0; shard * kShardImages < entries; ++shard) {
    const fs::path path = folder / fmt::format("train-{:06}.tar", shard);
    if (fs::exists(path)) continue;
    TarWriter tar(path);
    for (std::int64_t i = shard * kShardImages; i < std::min(entries, (shard + 1) * kShardImages); ++i) {
      tar.add(fmt::format("n{:08}/n{:08}_{}.ppm", i % kClasses, i % kClasses, i), pixel);
    }
    tar.commit();
  }
}

void write_list(const fs::path& folder, std::int64_t entries) {
  if (fs::exists(folder / "train.txt")) return;
  std::ofstream list(folder / "train.txt");
  for (std::int64_t i = 0; i < entries; ++i)
    list << fmt::format("n{:08}/n{:08}_{}.JPEG {}\n", i % kClasses, i % kClasses, i, i % kClasses);
}

/// What a scan of ImageNet's folders gives.
Listing folders_of(std::int64_t entries) {
  Listing listing;
  listing.folders.push_back({"", -1, 0, {}});
  for (int c = 0; c < kClasses; ++c) {
    const std::string name = fmt::format("n{:08}", c);
    listing.class_names.push_back(name);
    listing.folders.push_back({name, c, 0, {}});
  }
  for (std::int64_t i = 0; i < entries; ++i) {
    listing.folders[static_cast<std::size_t>(1 + i % kClasses)].files.push_back(
        {fmt::format("n{:08}_{}.JPEG", i % kClasses, i), 110000});
  }
  return listing;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

rusage used() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

/// Seconds that pass, and those of all cores together, which other programs change less.
void measure(const char* what, const std::function<void()>& work) {
  const auto start = Clock::now();
  const rusage before = used();
  work();
  const rusage after = used();
  const double busy = seconds_of(after.ru_utime) - seconds_of(before.ru_utime) + seconds_of(after.ru_stime) -
                      seconds_of(before.ru_stime);
  fmt::print("  {:<44}{:9.3f} s   cores {:8.3f} s   peak {:8.1f} MiB\n", what, seconds_since(start), busy,
             static_cast<double>(after.ru_maxrss) / 1024);
}

void first_batch(const std::shared_ptr<const Dataset>& set, std::int64_t window) {
  LoaderOptions options;
  options.batch = 256;
  options.window = window;
  options.augmentation.crop = CropKind::random_resized;
  Loader loader(set, {3, 8, 8}, options);
  loader.next();
}

int run(bench::Arguments& arguments) {
  const fs::path folder = arguments.next("FOLDER");
  const std::int64_t entries = arguments.next_number("ENTRIES", 1281167);
  arguments.done();
  fs::create_directories(folder);
  write_shards(folder, entries);
  write_list(folder, entries);
  const std::string pattern = "train-*.tar";
  DataSource source{.kind = "image-shards", .root = folder};
  source.train_shards = pattern;
  source.train_list = "train.txt";
  std::shared_ptr<const Dataset> set;
  fmt::print("{} images of 1 x 1 pixels in {} shards\n", entries,
             (entries + kShardImages - 1) / kShardImages);
  fs::remove(shards_index_path(folder, pattern));
  const auto sample = [&](const std::function<std::int64_t(std::int64_t)>& at) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < 1'000'000; ++i) sum += at(i % entries);
    if (sum < 0) std::abort();
  };
  // From what takes little memory to what takes more: the peak only rises.
  measure("sampler, a million random steps", [&] {
    const EpochOrder order(1, 0, entries, true);
    sample([&](std::int64_t i) { return order.at(i); });
  });
  measure("sampler of 14,197,122 images, the same", [&] {
    const EpochOrder order(1, 0, 14'197'122, true);
    sample([&](std::int64_t i) { return order.at(i); });
  });
  {
    const Listing listing = folders_of(entries);
    const fs::path file = folder / "listed.convoy-index";
    measure("packing the index of listed folders, opening", [&] {
      write_index(file, index_bytes(listing));
      if (FolderIndex::open(file)->size() != entries) std::abort();
    });
  }
  measure("making the index of the shards", [&] {
    std::vector<std::string> notes;
    const Listing listing = scan_shards(folder, find_shards(folder, pattern, notes), scan_threads());
    write_index(shards_index_path(folder, pattern), index_bytes(listing));
  });
  measure("opening the shards by their index", [&] { set = open_dataset(source, Split::train); });
  measure("first batch, order \"random\"", [&] { first_batch(set, 0); });
  measure("first batch, order \"window\"", [&] { first_batch(set, 4096); });
  measure("sampler, a million steps in windows", [&] {
    const std::vector<std::int64_t> starts = set->shard_starts();
    const WindowOrder order(1, 0, starts, 4096);
    sample([&](std::int64_t i) { return order.at(i); });
  });
  source.kind = "image-list";
  measure("opening the list", [&] { set = open_dataset(source, Split::train); });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return convoy::bench::run_program(argc, argv, "data_scale_bench FOLDER [ENTRIES]", run);
}
