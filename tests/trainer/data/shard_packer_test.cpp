#include "trainer/data/shard_packer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "tests/trainer/data/shard_files.h"
#include "trainer/data/image_shards.h"
#include "trainer/data/parallel.h"
#include "trainer/data/shard_scan.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// 40 pictures in 3 classes.
class Packer : public testing::Test {
 protected:
  std::shared_ptr<const ImageFolder> folder_set(DecodeOptions decode = {}) const {
    std::vector<std::string> notes;
    return open_folder(tree.path("train"), list_classes(tree.path("train")), decode, false, notes);
  }
  std::string out(const std::string& name) const { return place.path() + "/" + name; }

  /// Packs what is missing; the number of images looked at.
  std::int64_t pack(const std::string& to, const PackOptions& options, int threads = 1,
                    std::vector<std::string>* left_out = nullptr) const {
    const auto set = folder_set();
    const ShardPacker packer(*set, out(to), "train", options);
    PackProgress progress;
    in_parallel(packer.shards(), threads, [&] {
      return [&, scratch = PackScratch()](std::int64_t i) mutable {
        if (!packer.is_done(i)) packer.pack(i, scratch, progress);
      };
    });
    if (left_out != nullptr) *left_out = progress.left_out;
    return progress.images;
  }
  std::shared_ptr<const Dataset> open(const std::string& name) const {
    DataSource source{.kind = "image-shards", .root = out(name)};
    source.train_shards = "train-*.tar";
    return open_dataset(source, Split::train);
  }
  static PackOptions seven_each() {
    PackOptions options;
    options.shard_samples = 7;
    return options;
  }

  const ImageTree tree{{"ape", "bee", "cat"}, {18, 18, 4}};
  const Folder place;
};

/// Pixels and label of every sample, in no order.
std::multiset<std::pair<std::int32_t, Bytes>> contents(const Dataset& set) {
  std::multiset<std::pair<std::int32_t, Bytes>> all;
  Image image;
  for (std::int64_t i = 0; i < set.size(); ++i) {
    const std::int32_t label = set.read(i, image);
    all.emplace(label, image.pixels);
  }
  return all;
}

TEST_F(Packer, ShardsHoldTheFolder) {
  EXPECT_EQ(pack("a", seven_each()), 40);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(fs::exists(out(fmt::format("a/train-{:06}.tar", i))));
  EXPECT_FALSE(fs::exists(out("a/train-000006.tar")));
  const auto shards = open("a");
  EXPECT_EQ(contents(*shards), contents(*folder_set()));
  Image image;
  std::set<std::int32_t> first;
  for (int i = 0; i < 14; ++i) first.insert(shards->read(i, image));
  EXPECT_GT(first.size(), 1U) << "classes are mixed";
}

// Without a change the files themselves are packed, as GNU tar takes them out again.
TEST_F(Packer, KeepsFilesAsTheyAre) {
  pack("a", seven_each());
  shell(fmt::format("mkdir '{0}/x' && for t in '{0}'/a/*.tar; do tar -C '{0}/x' -xf \"$t\"; done",
                    place.path()));
  std::multiset<Bytes> taken_out;
  for (const auto& file : fs::directory_iterator(place.path() + "/x")) {
    if (file.path().extension() == ".jpg") taken_out.insert(read_bytes(file.path().string()));
  }
  std::multiset<Bytes> there;
  for (const auto& file : fs::recursive_directory_iterator(tree.path("train"))) {
    if (file.is_regular_file()) there.insert(read_bytes(file.path().string()));
  }
  EXPECT_EQ(taken_out, there);
}

TEST_F(Packer, BytesDependOnNeitherThreadsNorInterruptions) {
  pack("one", seven_each());
  pack("four", seven_each(), 4);
  pack("again", seven_each());
  fs::remove(out("again/train-000002.tar"));  // as if it had been interrupted there
  place.write("again/train-000002.tar.part", Bytes(100, 1));
  EXPECT_EQ(pack("again", seven_each()), 7) << "only what was missing";
  for (int i = 0; i < 6; ++i) {
    const std::string name = fmt::format("/train-{:06}.tar", i);
    const Bytes bytes = read_bytes(out("one") + name);
    EXPECT_EQ(read_bytes(out("four") + name), bytes) << name;
    EXPECT_EQ(read_bytes(out("again") + name), bytes) << name;
  }
  EXPECT_FALSE(fs::exists(out("again/train-000002.tar.part")));
}

TEST_F(Packer, AStopLeavesWholeShardsOnly) {
  const auto set = folder_set();
  const ShardPacker packer(*set, out("a"), "train", seven_each());
  const std::atomic<bool> stop = true;
  PackProgress progress;
  progress.stop = &stop;
  PackScratch scratch;
  EXPECT_FALSE(packer.pack(0, scratch, progress));
  EXPECT_FALSE(packer.is_done(0));
  EXPECT_EQ(std::distance(fs::directory_iterator(out("a")), {}), 1) << "train.pack";
}

TEST_F(Packer, ResizesByTheShorterSide) {
  tree.folder.write("train/cat/large.jpg", jpeg_of(pattern(100, 61)));
  tree.folder.write("train/cat/wide.jpg", jpeg_of(pattern(40, 90)));
  PackOptions options;
  options.shorter_side = 30;
  options.raw = true;
  pack("raw", options);
  const auto shards = open("raw");
  std::map<std::pair<int, int>, int> sizes;
  Image image;
  for (std::int64_t i = 0; i < shards->size(); ++i) {
    shards->read(i, image);
    ++sizes[{image.height, image.width}];
  }
  EXPECT_EQ((sizes[{49, 30}]), 1);
  EXPECT_EQ((sizes[{30, 67}]), 1);
  EXPECT_EQ((sizes[{10, 20}]), 3) << "smaller ones stay as they are";
  options.raw = false;
  pack("jpeg", options);
  const auto jpegs = open("jpeg");
  for (std::int64_t i = 0; i < jpegs->size(); ++i) {
    Image other;
    EXPECT_EQ(jpegs->read(i, other), shards->read(i, image));
    ASSERT_EQ(other.pixels.size(), image.pixels.size());
    double sum = 0;
    for (std::size_t j = 0; j < image.pixels.size(); ++j) sum += std::abs(image.pixels[j] - other.pixels[j]);
    EXPECT_LT(sum / static_cast<double>(image.pixels.size()), 12) << "but for what JPEG loses";
  }
}

TEST_F(Packer, RawPixelsAreWhatDecodingGives) {
  PackOptions options = seven_each();
  options.raw = true;
  pack("raw", options);
  EXPECT_EQ(contents(*open("raw")), contents(*folder_set()));
}

TEST_F(Packer, QualityDecidesTheSize) {
  const auto bytes_at = [&](int quality) {
    PackOptions options = seven_each();
    options.quality = quality;
    const std::string name = std::to_string(quality);
    pack(name, options);
    std::uint64_t bytes = 0;
    for (const ListedFolder& shard : scan_shards(out(name), {"train-000000.tar"}, 1).folders) {
      for (const ListedFile& file : shard.files) bytes += file.bytes;
    }
    return bytes;
  };
  tree.folder.write("train/cat/large.jpg", jpeg_of(pattern(200, 200)));
  EXPECT_LT(bytes_at(30), bytes_at(95));
}

TEST_F(Packer, BrokenImagesStopOrAreLeftOut) {
  tree.folder.write("train/bee/c.jpg", {'t', 'e', 'x', 't'});
  const Bytes good = jpeg_of(colour(3));
  tree.folder.write("train/bee/d.jpg", {good.begin(), good.begin() + 300});
  PackOptions options = seven_each();
  expect_error(ExitCode::data, {"train/bee/"}, [&] { pack("stop", options, 2); });
  options.skip_broken = true;
  std::vector<std::string> left_out;
  pack("skip", options, 2, &left_out);
  EXPECT_THAT(left_out, testing::UnorderedElementsAre(HasSubstr("bee/c.jpg: is neither"),
                                                      HasSubstr("bee/d.jpg: is a broken")));
  EXPECT_EQ(open("skip")->size(), 38);
}

TEST_F(Packer, OddNamesBecomeKeys) {
  tree.folder.write("train/cat/a.b c\n\xC3\xA4.x.jpg", jpeg_of(colour(1)));
  std::string umlauts;
  for (int i = 0; i < 60; ++i) umlauts += "\xC3\xA4";
  tree.folder.write("train/cat/" + umlauts + "x.jpg", jpeg_of(colour(2)));
  pack("a", seven_each());
  EXPECT_EQ(open("a")->size(), 42);
}

TEST_F(Packer, WhatWasPackedOtherwiseIsRefused) {
  pack("a", seven_each());
  PackOptions options = seven_each();
  options.raw = true;
  expect_error(ExitCode::usage, {"holds shards of other images or other options", "train.pack"},
               [&] { pack("a", options); });
  tree.folder.write("train/cat/new.jpg", jpeg_of(colour(1)));
  expect_error(ExitCode::usage, {"holds shards of other images"}, [&] { pack("a", seven_each()); });
  place.write("b/train-000009.tar", kTarEnd);
  expect_error(ExitCode::usage, {"that convoy did not pack"}, [&] { pack("b", seven_each()); });
  const auto set = folder_set();
  const ShardPacker one(*set, out("c"), "train", seven_each());
  expect_error(ExitCode::usage, {"another process packs there"}, [&] { pack("c", seven_each()); });
}

TEST_F(Packer, ClassNamesAreWrittenOnce) {
  write_class_names(out("a"), {"x", "y z"});
  write_class_names(out("a"), {"x", "y z"});
  EXPECT_EQ(read_bytes(out("a/classes.txt")), bytes_of("x\ny z\n"));
  expect_error(ExitCode::usage, {"names other classes"}, [&] { write_class_names(out("a"), {"x"}); });
  expect_error(ExitCode::data, {"x\\ny", "line break"}, [&] { write_class_names(out("b"), {"x\ny"}); });
}

}  // namespace
}  // namespace convoy
