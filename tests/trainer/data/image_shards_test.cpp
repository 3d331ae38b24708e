#include "trainer/data/image_shards.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "tests/trainer/data/loaded_content.h"
#include "tests/trainer/data/shard_files.h"
#include "trainer/data/loader.h"
#include "trainer/data/shard_names.h"
#include "trainer/data/shard_scan.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const Shape kOutput{3, 9, 9};

/// 33 pictures of 4 classes in shards of odd sizes for training, 5 for testing.
class Shards : public testing::Test {
 protected:
  void SetUp() override {
    write_shards(folder, "train", {7, 1, 13, 12}, 4);
    write_shards(folder, "val", {5}, 4);
    source.kind = "image-shards";
    source.root = folder.path();
    source.train_shards = "train-{000000..000003}.tar";
    source.test_shards = "val-*.tar";
  }

  std::shared_ptr<const Dataset> open(Split split = Split::train) const {
    return open_dataset(source, split);
  }
  void write_index_of(const std::string& pattern) const {
    std::vector<std::string> notes;
    const auto names = find_shards(folder.path(), pattern, notes);
    write_index(shards_index_path(folder.path(), pattern), index_bytes(scan_shards(folder.path(), names, 2)));
  }
  std::string path(const std::string& name) const { return folder.path() + "/" + name; }

  Folder folder;
  DataSource source;
};

Content load(const std::shared_ptr<const Dataset>& set, const LoaderOptions& options) {
  return load_all(set, kOutput, options);
}

LoaderOptions options_of(std::int64_t window, std::int64_t epochs = 1) {
  LoaderOptions options;
  options.batch = 6;
  options.epochs = epochs;
  options.window = window;
  options.augmentation.crop = CropKind::random_resized;
  options.augmentation.flip = true;
  return options;
}

TEST_F(Shards, DecodeWhatIsInThem) {
  const auto train = open();
  EXPECT_EQ(train->size(), 33);
  EXPECT_EQ(train->shape(), (Shape{3, 0, 0}));
  EXPECT_THAT(train->class_names(), ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(train->shard_starts(), ElementsAre(0, 7, 8, 21, 33));
  EXPECT_EQ(train->sample_name(20), path("train-000002.tar/0020.jpg"));
  Image image;
  for (int i = 0; i < 33; ++i) {
    EXPECT_EQ(train->read(i, image), i % 4);
    EXPECT_LE(distance(image, colour(i)), 4) << i;
  }
  const auto test = open(Split::test);
  EXPECT_EQ(test->size(), 5);
  EXPECT_EQ(test->read(3, image), 3);
}

TEST_F(Shards, NamesOfNumbersComeFromAFileOrTheTrainingSet) {
  write_shards(folder, "few", {2}, 4);
  source.test_shards = "few-*.tar";
  EXPECT_EQ(open(Split::test)->classes(), 4) << "as many as the training shards have";
  folder.write("classes.txt", bytes_of("ape\nbee x\ncat\ndog\nemu\n"));
  EXPECT_THAT(open(Split::test)->class_names(), ElementsAre("ape", "bee x", "cat", "dog", "emu"));
  EXPECT_EQ(open()->classes(), 5);
  source.classes = 5;
  EXPECT_EQ(open()->classes(), 5);
  source.classes = 4;
  expect_error(ExitCode::data, {"has 5 classes, but data.classes says 4"}, [&] { open(); });
  folder.write("classes.txt", bytes_of("ape\nbee\n"));
  expect_error(ExitCode::data, {"has label 3", "classes.txt names 2"}, [&] { open(); });
  folder.write("classes.txt", bytes_of("ape\n\nbee\n"));
  expect_error(ExitCode::data, {"classes.txt:2: is empty"}, [&] { open(); });
  folder.write("classes.txt", bytes_of("ape\nbee\nape\n"));
  expect_error(ExitCode::data, {"classes.txt:3: names a class again"}, [&] { open(); });
}

TEST_F(Shards, TestClassesAreNumberedAsTheTrainingSets) {
  folder.write("t-0.tar", tar_member("a/1.jpg", jpeg_of(colour(1))) +
                              tar_member("b/2.jpg", jpeg_of(colour(2))) +
                              tar_member("c/3.jpg", jpeg_of(colour(3))) + kTarEnd);
  folder.write("v-0.tar", tar_member("c/9.jpg", jpeg_of(colour(9))) + kTarEnd);
  source.train_shards = "t-*.tar";
  source.test_shards = "v-*.tar";
  const auto test = open(Split::test);
  EXPECT_THAT(test->class_names(), ElementsAre("a", "b", "c"));
  Image image;
  EXPECT_EQ(test->read(0, image), 2);
  folder.write("v-0.tar", tar_member("x/9.jpg", jpeg_of(colour(9))) + kTarEnd);
  expect_error(ExitCode::data, {"x: is a class that the training set does not have"},
               [&] { open(Split::test); });
}

TEST_F(Shards, EachSampleComesOnceAnEpochInBothOrders) {
  for (const std::int64_t window : {0, 10}) {
    const auto set = open();
    LoaderOptions options = options_of(window, 2);
    const Content expected = load(set, options);
    std::map<std::int64_t, int> counts;
    for (const std::int64_t index : expected.indices) ++counts[index];
    EXPECT_EQ(counts.size(), 33U);
    for (const auto& [index, count] : counts) EXPECT_EQ(count, 2) << index;
    for (int ranks = 1; ranks <= 5; ++ranks) {
      for (const int threads : {1, 3, 8}) {
        options.ranks = ranks;
        options.threads = threads;
        EXPECT_EQ(load(set, options), expected) << ranks << " ranks, " << threads << " threads";
      }
    }
    options.start_epoch = 1;
    options.start_iteration = 3;
    options.ranks = 2;
    const Content rest = load(set, options);
    EXPECT_EQ(rest.indices, std::vector(expected.indices.end() - 15, expected.indices.end()));
    EXPECT_EQ(rest.pixels,
              std::vector(expected.pixels.end() - 15 * kOutput.elements(), expected.pixels.end()));
  }
}

TEST_F(Shards, OpenWithAndWithoutAnIndexAlike) {
  const auto scanned = open();
  const Content expected = load(scanned, options_of(8));
  write_index_of(source.train_shards);
  EXPECT_TRUE(fs::exists(path("train.shards-index")));
  const auto indexed = open();
  EXPECT_TRUE(indexed->take_notes().empty());
  EXPECT_EQ(indexed->checksum(), scanned->checksum());
  EXPECT_EQ(load(indexed, options_of(8)), expected);
  // Copied elsewhere, with other times: the index still holds.
  const Folder other;
  for (const auto& file : fs::directory_iterator(folder.path())) {
    fs::copy_file(file.path(), fs::path(other.path()) / file.path().filename());
    fs::last_write_time(fs::path(other.path()) / file.path().filename(), fs::file_time_type::clock::now());
  }
  source.root = other.path();
  EXPECT_TRUE(open()->take_notes().empty());
}

TEST_F(Shards, AnIndexOfOtherShardsIsNotBelieved) {
  source.train_shards = "train-*.tar";
  write_index_of(source.train_shards);
  folder.write("train-000004.tar",
               tar_member("99.jpg", jpeg_of(colour(9))) + tar_member("99.cls", bytes_of("1")) + kTarEnd);
  const auto more = open();
  EXPECT_EQ(more->size(), 34);
  EXPECT_THAT(more->take_notes(),
              ElementsAre(AllOf(HasSubstr("train.shards-index is of other shards"), HasSubstr("000004"))));
  fs::remove(path("train-000004.tar"));
  fs::remove(path("train-000001.tar"));
  const auto fewer = open();
  EXPECT_EQ(fewer->size(), 32);
  EXPECT_EQ(fewer->take_notes().size(), 2U) << "the gap, and the index";
}

// A shard of the same size with other members: the header before each member tells.
TEST_F(Shards, AReorderedShardIsNoticedWhereverItIsRead) {
  write_index_of(source.train_shards);
  Bytes tar = read_bytes(path("train-000001.tar"));
  tar[0] = 'X';  // another name
  folder.write("train-000001.tar", tar);
  const auto set = open();
  EXPECT_TRUE(set->take_notes().empty());
  Image image;
  set->read(6, image);
  expect_error(ExitCode::data,
               {"train-000001.tar/0007.jpg: is not where the index says", "convoy data index"},
               [&] { set->read(7, image); });
}

TEST_F(Shards, ATornOrRemovedShardStopsOrIsSkipped) {
  write_index_of(source.train_shards);
  source.broken_limit = 100;
  const auto set = open();
  fs::resize_file(path("train-000003.tar"), 1200);
  fs::remove(path("train-000001.tar"));
  const Content content = load(set, options_of(0));
  EXPECT_EQ(content.indices.size(), 33U);
  const std::vector<std::string> notes = set->take_notes();
  EXPECT_EQ(std::ranges::count_if(
                notes, [](const std::string& n) { return n.find("has been cut short") != n.npos; }),
            11);
  EXPECT_EQ(
      std::ranges::count_if(
          notes, [](const std::string& n) { return n.find("train-000001.tar: cannot be read") != n.npos; }),
      1);
}

TEST_F(Shards, DamagedContentIsOneBrokenSample) {
  Bytes tar = read_bytes(path("train-000000.tar"));
  tar[512] = 0;  // of the first picture
  folder.write("train-000000.tar", tar);
  Image image;
  const auto stops = open();
  expect_error(ExitCode::data, {"train-000000.tar/0000.jpg: is neither"}, [&] { stops->read(0, image); });
  source.broken_limit = 1;
  const auto skips = open();
  EXPECT_EQ(skips->read(0, image), 1) << "the next one takes its place";
}

TEST_F(Shards, TheIndexOfAFolderIsNoIndexOfShards) {
  const ImageTree tree({"a"}, {2});
  write_index(path("train.shards-index"), index_bytes(scan_folder(tree.path("train"), 1)));
  expect_error(ExitCode::data, {"train.shards-index: is the index of a folder"}, [&] { open(); });
}

TEST_F(Shards, CountsMustBeWhatTheJobSays) {
  source.samples = 34;
  expect_error(ExitCode::data, {"has 33 samples, but data.samples says 34"}, [&] { open(); });
}

// Many shards, each opened once for all threads.
TEST_F(Shards, ManyShardsStayOpen) {
  write_shards(folder, "many", std::vector<int>(60, 1), 4);
  source.train_shards = "many-*.tar";
  const auto open_files = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), {}); };
  const auto set = open();
  const auto before = open_files();
  LoaderOptions options = options_of(0, 3);
  options.threads = 4;
  EXPECT_EQ(load(set, options).indices.size(), 180U);
  EXPECT_EQ(open_files(), before + 60);
}

TEST_F(Shards, StatisticsCountTheBytesRead) {
  const auto set = open();
  Loader loader(set, kOutput, options_of(0));
  while (loader.next() != nullptr) continue;
  std::int64_t bytes = 33 * kTarBlock;
  for (int i = 0; i < 33; ++i) bytes += static_cast<std::int64_t>(jpeg_of(colour(i)).size());
  EXPECT_EQ(loader.statistics().file_bytes, bytes);
  EXPECT_GT(loader.statistics().busy_seconds, 0);
}

}  // namespace
}  // namespace convoy
