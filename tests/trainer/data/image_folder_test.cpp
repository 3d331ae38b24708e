#include "trainer/data/image_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "tests/trainer/data/folder_files.h"
#include "tests/trainer/data/loaded_content.h"
#include "trainer/data/loader.h"
#include "trainer/data/skip_broken.h"
#include "trainer/data/statistics.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const Shape kOutput{3, 9, 9};

Augmentation random_crops() {
  Augmentation augmentation;
  augmentation.crop = CropKind::random_resized;
  augmentation.flip = true;
  return augmentation;
}

Content load(const std::shared_ptr<const Dataset>& set, const LoaderOptions& options) {
  return load_all(set, kOutput, options);
}

LoaderOptions options_of(std::int64_t epochs) {
  LoaderOptions options;
  options.batch = 4;
  options.epochs = epochs;
  options.augmentation = random_crops();
  return options;
}

TEST(ImageFolder, DecodesWhatIsThere) {
  const ImageTree tree({"cat", "dog x"}, {3, 4});
  const auto train = open_dataset(tree.source(), Split::train);
  EXPECT_EQ(train->size(), 7);
  EXPECT_THAT(train->class_names(), ElementsAre("cat", "dog x"));
  EXPECT_EQ(train->shape(), (Shape{3, 0, 0}));
  Image image;
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(train->read(i, image), i < 3 ? 0 : 1);
    const int place = i < 3 ? i : i - 3;
    EXPECT_EQ(image.height, 10 + place);
    EXPECT_EQ(image.width, 20 - place);
    EXPECT_LE(distance(image, colour(i < 3 ? i : i + 1, image.height, image.width)), 4) << i;
  }
  const auto test = open_dataset(tree.source(), Split::test);
  EXPECT_EQ(test->size(), 2);
  EXPECT_EQ(test->read(1, image), 1);
}

TEST(ImageFolder, EachSampleComesOnceAnEpochFromAnyRanksAndThreads) {
  const ImageTree tree({"a", "b", "c"}, {5, 1, 7});
  const auto set = open_dataset(tree.source(), Split::train);
  LoaderOptions options = options_of(3);
  const Content expected = load(set, options);
  std::map<std::int64_t, int> counts;
  for (const std::int64_t index : expected.indices) ++counts[index];
  ASSERT_EQ(counts.size(), 13U);
  for (const auto& [index, count] : counts) EXPECT_EQ(count, 3) << index;
  for (int ranks = 1; ranks <= 5; ++ranks) {
    for (const int threads : {1, 2, 3, 8}) {
      options.ranks = ranks;
      options.threads = threads;
      EXPECT_EQ(load(set, options), expected) << ranks << " ranks, " << threads << " threads";
    }
  }
}

TEST(ImageFolder, AResumeGoesOnWithTheSameSamples) {
  const ImageTree tree({"a", "b"}, {6, 5});
  const auto set = open_dataset(tree.source(), Split::train);
  LoaderOptions options = options_of(2);
  const Content whole = load(set, options);
  options.start_epoch = 1;
  options.start_iteration = 1;
  options.ranks = 2;
  const Content rest = load(set, options);
  ASSERT_EQ(rest.indices.size(), 7U);
  EXPECT_EQ(rest.indices, std::vector(whole.indices.end() - 7, whole.indices.end()));
  EXPECT_EQ(rest.pixels, std::vector(whole.pixels.end() - 7 * kOutput.elements(), whole.pixels.end()));
}

TEST(ImageFolder, OpensWithAndWithoutAnIndexAlike) {
  const ImageTree tree({"a", "b"}, {3, 3});
  const auto scanned = open_dataset(tree.source(), Split::train);
  write_index(index_path(tree.path("train")), index_bytes(scan_folder(tree.path("train"), 2)));
  const auto indexed = open_dataset(tree.source(), Split::train);
  EXPECT_TRUE(indexed->take_notes().empty());
  EXPECT_EQ(indexed->checksum(), scanned->checksum());
  EXPECT_EQ(load(indexed, options_of(1)), load(scanned, options_of(1)));
  // A new image: the index is older than the folder, and not believed.
  tree.folder.write("train/b/z.jpg", jpeg_of(colour(1)));
  fs::last_write_time(tree.path("train/b"),
                      fs::last_write_time(tree.path("train/b")) + std::chrono::seconds(3));
  const auto renewed = open_dataset(tree.source(), Split::train);
  EXPECT_EQ(renewed->size(), 7);
  EXPECT_THAT(renewed->take_notes(), ElementsAre(HasSubstr("is older than")));
}

TEST(ImageFolder, RefusesFoldersThatDoNotMatch) {
  const ImageTree tree({"a", "b"}, {2, 2});
  DataSource source = tree.source();
  source.samples = 5;
  expect_error(ExitCode::data, {"train", "has 4 samples, but data.samples says 5"},
               [&] { open_dataset(source, Split::train); });
  source.samples = 0;
  source.classes = 3;
  expect_error(ExitCode::data, {"has 2 classes"}, [&] { open_dataset(source, Split::train); });
  tree.folder.write("val/new/x.jpg", Bytes(1));
  expect_error(ExitCode::data, {"val/new", "the training set does not have"},
               [&] { open_dataset(tree.source(), Split::test); });
  fs::create_directories(tree.path("train/c"));
  expect_error(ExitCode::data, {"train/c", "has no image"},
               [&] { open_dataset(tree.source(), Split::train); });
  source = tree.source();
  source.train_folder = "none";
  expect_error(ExitCode::data, {"none", "there is no such folder"},
               [&] { open_dataset(source, Split::train); });
}

/// A tree with all kinds of broken files among the ten of class a.
void damage(const ImageTree& tree) {
  const Bytes good = jpeg_of(colour(3));
  tree.folder.write("train/a/b.jpg", {});
  tree.folder.write("train/a/c.jpg", {good.begin(), good.begin() + 300});
  tree.folder.write("train/a/e.jpg", {'t', 'e', 'x', 't'});
  fs::remove(tree.path("train/a/g.jpg"));  // and a folder of its name
  fs::create_symlink("nowhere", tree.path("train/a/g.jpg"));
}

TEST(BrokenFiles, StopWithTheirName) {
  const ImageTree tree({"a", "b"}, {10, 2});
  damage(tree);
  const auto set = open_dataset(tree.source(), Split::train);
  Image image;
  expect_error(ExitCode::data,
               {"train/a/b.jpg: is empty", "with data.broken = \"skip\" the next file takes its place"},
               [&] { set->read(1, image); });
  expect_error(ExitCode::data, {"train/a/c.jpg: is a broken JPEG file"}, [&] { set->read(2, image); });
  expect_error(ExitCode::data, {"train/a/e.jpg: is neither a JPEG nor a PNG file"},
               [&] { set->read(4, image); });
  expect_error(ExitCode::data, {"train/a/g.jpg: cannot be read"}, [&] { set->read(6, image); });
  EXPECT_THROW(load(set, options_of(1)), Error);
}

TEST(BrokenFiles, AreReplacedAlikeOnAllRanksAndThreadsAndToldOnce) {
  const ImageTree tree({"a", "b"}, {10, 2});
  damage(tree);
  DataSource source = tree.source();
  source.broken_limit = 4;
  LoaderOptions options = options_of(3);
  const auto first = open_dataset(source, Split::train);
  const Content expected = load(first, options);
  EXPECT_EQ(expected.indices.size(), 36U);
  EXPECT_EQ(first->take_notes().size(), 4U);
  EXPECT_TRUE(first->take_notes().empty());
  for (int ranks = 1; ranks <= 5; ++ranks) {
    options.ranks = ranks;
    options.threads = 1 + ranks % 4;
    EXPECT_EQ(load(open_dataset(source, Split::train), options), expected) << ranks;
  }
  Image image, other;
  EXPECT_EQ(first->read(1, image), first->read(3, other));  // 1 and 2 are broken
  EXPECT_EQ(image.pixels, other.pixels);
}

TEST(BrokenFiles, PastTheLimitStop) {
  const ImageTree tree({"a", "b"}, {10, 2});
  damage(tree);
  DataSource source = tree.source();
  source.broken_limit = 3;
  const auto set = open_dataset(source, Split::train);
  expect_error(ExitCode::data, {"broken file 4", "data.broken_limit = 3"}, [&] { load(set, options_of(3)); });
}

TEST(BrokenFiles, RemovedWhileRunningIsBroken) {
  const ImageTree tree({"a", "b"}, {4, 2});
  DataSource source = tree.source();
  source.broken_limit = 1;
  const auto set = open_dataset(source, Split::train);
  fs::remove(tree.path("train/a/c.jpg"));
  EXPECT_EQ(load(set, options_of(1)).indices.size(), 6U);
  EXPECT_THAT(set->take_notes(), ElementsAre(HasSubstr("train/a/c.jpg: cannot be read")));
}

TEST(BrokenFiles, AShareOfTheSetMayBeBroken) {
  const ImageTree tree({"a", "b"}, {10, 2});
  damage(tree);
  DataSource source = tree.source();
  source.broken_limit = 1;
  source.broken_share = 0.34;  // 4 of 12
  EXPECT_EQ(load(open_dataset(source, Split::train), options_of(1)).indices.size(), 12U);
  source.broken_share = 0.33;
  const auto set = open_dataset(source, Split::train);
  expect_error(ExitCode::data, {"broken file 4", "more than 3, which is data.broken_share = 0.33 of 12"},
               [&] { load(set, options_of(3)); });
  source.broken_limit = -1;  // nothing may be broken, whatever the share
  const auto strict = open_dataset(source, Split::train);
  expect_error(ExitCode::data, {"train/a/"}, [&] { load(strict, options_of(1)); });
}

// The files go while the loader is at work, some batches already taken.
TEST(BrokenFiles, RemovedUnderTheLoadersHandsStopItOrAreReplaced) {
  for (const bool skips : {false, true}) {
    const ImageTree tree({"a", "b"}, {20, 20});
    DataSource source = tree.source();
    source.broken_limit = skips ? 40 : -1;
    LoaderOptions options = options_of(3);
    options.threads = 3;
    options.ahead = 1;
    Loader loader(open_dataset(source, Split::train), kOutput, options);
    for (int i = 0; i < 3; ++i) ASSERT_NE(loader.next(), nullptr);
    const fs::path left = tree.path("train/b/k.jpg");
    const Bytes kept = read_bytes(left.string());
    fs::remove_all(tree.path("train"));
    if (skips) tree.folder.write("train/b/k.jpg", kept);
    std::int64_t samples = 12;
    const auto rest = [&] {
      while (const Batch* batch = loader.next()) {
        samples += batch->count;
        EXPECT_THAT(batch->labels, testing::Each(1)) << "of the one file that is left";
      }
    };
    if (skips) {
      rest();
      EXPECT_EQ(samples, 120);
    } else {
      expect_error(ExitCode::data, {".jpg: cannot be read: No such file"}, rest);
    }
  }
}

TEST(BrokenFiles, WhatIsNoFileOrMayNotBeReadIsToldAtOnce) {
  const ImageTree tree({"a"}, {4});
  const auto set = open_dataset(tree.source(), Split::train);
  fs::remove(tree.path("train/a/a.jpg"));
  fs::create_directory(tree.path("train/a/a.jpg"));
  fs::remove(tree.path("train/a/b.jpg"));
  ASSERT_EQ(mkfifo(tree.path("train/a/b.jpg").c_str(), 0600), 0);
  Image image;
  for (const std::int64_t index : {0, 1})
    expect_error(ExitCode::data, {".jpg: is no regular file"}, [&] { set->read(index, image); });
  fs::remove(tree.path("train/a/c.jpg"));
  fs::create_symlink("c.jpg", tree.path("train/a/c.jpg"));
  expect_error(ExitCode::data, {"c.jpg: cannot be read: Too many levels of symbolic links"},
               [&] { set->read(2, image); });
  if (::geteuid() == 0) return;  // who may read everything
  fs::permissions(tree.path("train/a/d.jpg"), fs::perms::none);
  expect_error(ExitCode::data, {"d.jpg: cannot be read: Permission denied"}, [&] { set->read(3, image); });
}

TEST(BrokenFiles, WhereAllAreItStops) {
  const ImageTree tree({"a"}, {2});
  DataSource source = tree.source();
  source.broken_limit = 100;
  const auto set = open_dataset(source, Split::train);
  fs::remove(tree.path("train/a/a.jpg"));
  fs::remove(tree.path("train/a/b.jpg"));
  Image image;
  expect_error(ExitCode::data, {"cannot be read"}, [&] { set->read(0, image); });
}

TEST(ImageFolder, AWrongEndingDoesNotMatter) {
  const ImageTree tree({"a"}, {2});
  fs::copy_file(kImages + "rgb.png", tree.path("train/a/c.jpg"));
  const auto set = open_dataset(tree.source(), Split::train);
  Image image;
  set->read(2, image);
  EXPECT_EQ(distance(image, read_ppm(kImages + "rgb.png.ppm")), 0);
}

TEST(ImageFolder, StatisticsAreOfWhatTheNetworkSees) {
  const ImageTree tree({"a"}, {1});
  const auto set = open_dataset(tree.source(), Split::train);
  Augmentation centre;
  centre.crop = CropKind::centre;
  centre.shorter_side = 9;
  const ChannelStatistics statistics = channel_statistics(*set, 10, centre, kOutput);
  ASSERT_EQ(statistics.mean.size(), 3U);
  EXPECT_NEAR(statistics.mean[1], 5, 2);
  EXPECT_LT(statistics.deviation[1], 2);
}

}  // namespace
}  // namespace convoy
