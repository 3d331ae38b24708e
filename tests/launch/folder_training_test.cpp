#include <gmock/gmock.h>

#include <filesystem>
#include <sstream>

#include "tests/launch/folder_job.h"

// Training on images in folders, in shards and in lists.

namespace convoy::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Which rank or thread decodes an image does not change what is trained.
TEST_F(FolderJob, TrainsAlikeOnAnyRanksAndThreads) {
  const std::string one = job("");
  ASSERT_EQ(train(one, "one", 1).code, 0);
  const std::vector<double> losses = losses_of(folder_.path("one"));
  ASSERT_EQ(losses.size(), 6U);
  const std::string threads = job("loader_threads = 3\n");
  ASSERT_EQ(train(threads, "threads", 1).code, 0);
  EXPECT_EQ(losses_of(folder_.path("threads")), losses);
  const Ended two = train(threads, "two", 2);
  ASSERT_EQ(two.code, 0) << two.all();
  EXPECT_LT(largest_difference(losses_of(folder_.path("two")), losses), 1e-5);
}

// The same images as a folder, as shards and as a list; shards in both orders, on any ranks and threads.
TEST_F(FolderJob, ShardsAndListsTrainAsTheFolder) {
  const std::string out = folder_.path("shards");
  ASSERT_EQ(data({"pack", tree_.path(""), "--out", out, "--shard-size", "4"}).code, 0);
  const std::vector<std::string> words{"data.kind=image-shards", "data.root=" + out,
                                       "data.mean=[100, 100, 100]", "data.deviation=[50, 50, 50]"};
  const std::string one_job = job("");
  const auto losses = [&](const std::string& run_name, int ranks, const std::vector<std::string>& more) {
    std::vector<std::string> command{"train", one_job, "--run-dir", folder_.path(run_name)};
    for (const auto* sets : {&words, &more}) {
      for (const std::string& set : *sets) command.insert(command.end(), {"--set", set});
    }
    const Ended ended = run(mpi_convoy(ranks, command), folder_.path(""));
    EXPECT_EQ(ended.code, 0) << ended.all();
    return losses_of(folder_.path(run_name));
  };
  for (const std::string order : {"random", "window"}) {
    const std::vector<std::string> more{"data.order=" + order, "data.window=5"};
    const std::vector<double> one = losses(order + "1", 1, more);
    ASSERT_EQ(one.size(), 6U);
    EXPECT_EQ(losses(order + "threads", 1, {more[0], more[1], "data.loader_threads=3"}), one);
    EXPECT_LT(largest_difference(losses(order + "2", 2, more), one), 1e-5);
  }
  std::string list;
  for (const char* name : {"ape", "bee"}) {
    std::vector<std::string> files;
    for (const auto& file : fs::directory_iterator(tree_.path(std::string("train/") + name)))
      files.push_back(fmt::format("train/{}/{}", name, file.path().filename().string()));
    std::ranges::sort(files);
    for (const std::string& file : files) list += file + (name[0] == 'a' ? " 0\n" : " 1\n");
  }
  tree_.folder.write("train.txt", {list.begin(), list.end()});
  const std::string val = "val/ape/v.jpg 0\nval/bee/v.jpg 1\n";
  tree_.folder.write("val.txt", {val.begin(), val.end()});
  const std::vector<double> of_folder =
      losses("folder", 1, {"data.kind=image-folder", "data.root=" + tree_.path("")});
  EXPECT_EQ(losses("list", 1, {"data.kind=image-list", "data.root=" + tree_.path("")}), of_folder);
}

// Colours, erasing and crops are of the sample and epoch, not of who prepares it, and a resumed run draws the
// same.
TEST_F(FolderJob, AugmentsAlikeOnAnyRanksAndThreadsAndAfterAResume) {
  const std::string plain = job("");
  const std::string more =
      "brightness = 0.4\ncontrast = 0.4\nsaturation = 0.4\nhue = 0.1\ncolour_shift = 0.1\nerase = 0.5\n"
      "erase_with = \"mean\"\n";
  ASSERT_EQ(train(plain, "plain", 1).code, 0);
  ASSERT_EQ(train(job(more), "one", 1).code, 0);
  const std::vector<double> losses = losses_of(folder_.path("one"));
  ASSERT_EQ(losses.size(), 6U);
  EXPECT_GT(largest_difference(losses_of(folder_.path("plain")), losses), 1e-4);
  const std::string threads = job(more + "loader_threads = 3\n");
  ASSERT_EQ(train(threads, "two", 2).code, 0);
  EXPECT_LT(largest_difference(losses_of(folder_.path("two")), losses), 1e-5);
  const std::vector<std::string> half{
      "train", threads, "--run-dir", folder_.path("half"), "--set", "train.iterations=4"};
  ASSERT_EQ(run(convoy(half), folder_.path("")).code, 0);
  ASSERT_EQ(train(threads, "half", 1).code, 0);
  EXPECT_EQ(losses_of(folder_.path("half")), losses);
}

TEST_F(FolderJob, MetricsTellOfTheLoader) {
  ASSERT_EQ(train(job(""), "run", 1).code, 0);
  double bytes = 0;
  for (const boost::json::object& line : metrics_of(folder_.path("run"), "train")) {
    EXPECT_GE(line.at("data_batches_ready").as_int64(), 0);
    EXPECT_LE(line.at("data_batches_ready").as_int64(), 4);
    EXPECT_GE(line.at("data_decode_rate").to_number<double>(), 0);
    EXPECT_GE(line.at("data_wait_share").to_number<double>(), 0);
    EXPECT_EQ(line.at("data_wait_rank"), 0);
    bytes += line.at("data_bytes_read").to_number<double>();
  }
  double files = 0;
  for (const auto& file : fs::recursive_directory_iterator(tree_.path("train"))) {
    if (file.is_regular_file()) files += static_cast<double>(file.file_size());
  }
  EXPECT_GT(bytes, 0);
  EXPECT_LE(bytes, 2 * files) << "two epochs, less what was read before the first line";
}

TEST_F(FolderJob, StopsAtABrokenFileOrTakesAnother) {
  tree_.folder.write("train/ape/c.jpg", {'t', 'e', 'x', 't'});
  const std::string mean = "mean = [100, 100, 100]\ndeviation = [50, 50, 50]\n";
  const Ended stopped = train(job(mean), "stopped", 1);
  EXPECT_EQ(stopped.code, 4);
  EXPECT_THAT(stopped.all(), HasSubstr("train/ape/c.jpg: is neither a JPEG nor a PNG file"));
  const Ended skipped = train(job(mean + "broken = \"skip\"\n"), "skipped", 1);
  EXPECT_EQ(skipped.code, 0) << skipped.all();
  EXPECT_EQ(count_of("train/ape/c.jpg: is neither", skipped.all()), 1);
  const Ended limited = train(job(mean + "broken = \"skip\"\nbroken_limit = 0\n"), "limited", 1);
  EXPECT_EQ(limited.code, 4);
  EXPECT_THAT(limited.all(), HasSubstr("more than data.broken_limit = 0"));
}

TEST_F(FolderJob, AShorterSideThatCoversNoInputIsRefused) {
  const Ended ended = train(job("shorter_side = 7\n"), "run", 1);
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.all(), HasSubstr("[data] shorter_side = 7 leaves no window of"));
  EXPECT_FALSE(fs::exists(folder_.path("run")));
}

TEST_F(FolderJob, RanksWithOtherFilesAreRefused) {
  const std::string here = job("");
  const ImageTree other({"ape", "bee"}, {6, 5});
  other.folder.write("train/ape/c.jpg", jpeg_of(colour(9, 50, 50)));  // one file of another size
  std::vector<std::string> words = mpi_convoy(1, {"train", here, "--run-dir", folder_.path("run")});
  const std::vector<std::string> second =
      convoy({"train", here, "--run-dir", folder_.path("run"), "--set", "data.root=" + other.path("")});
  words.insert(words.end(), {":", "-n", "1"});
  words.insert(words.end(), second.begin(), second.end());
  const Ended ended = run(words, folder_.path(""));
  EXPECT_EQ(ended.code, 4) << ended.all();
  EXPECT_THAT(ended.all(), HasSubstr("the ranks do not have the same files"));
}

/// The lines of a text that begin with that.
std::string lines_with(const std::string& start, const std::string& text) {
  std::istringstream in(text);
  std::string found;
  for (std::string line; std::getline(in, line);) found += line.starts_with(start) ? line + "\n" : "";
  return found;
}

// Left empty they are measured as data mean measures them; the run keeps them and draws with them, and a
// resumed run draws the same.
TEST_F(FolderJob, ShiftsAlongTheColoursOfItsOwnImages) {
  const std::string shift = "colour_shift = 3\n";
  const std::string measured = job(shift + "colour_eigenvalues = []\ncolour_eigenvectors = []\n");
  ASSERT_EQ(train(measured, "measured", 2).code, 0);
  const std::vector<double> losses = losses_of(folder_.path("measured"));
  ASSERT_EQ(losses.size(), 6U);
  const std::string resolved = read_text(folder_.path("measured/job.toml"));
  const Ended mean = data({"mean", tree_.path(""), "--size", "8"});
  ASSERT_EQ(mean.code, 0) << mean.all();
  const std::string own = mean.out.substr(mean.out.find("colour_eigenvalues"));
  const std::string given = job(shift + own);
  ASSERT_EQ(train(given, "given", 2).code, 0);
  EXPECT_EQ(losses_of(folder_.path("given")), losses);
  EXPECT_EQ(lines_with("colour_eigen", read_text(folder_.path("given/job.toml"))),
            lines_with("colour_eigen", resolved));
  ASSERT_EQ(train(job(shift), "imagenet", 2).code, 0);
  EXPECT_GT(largest_difference(losses_of(folder_.path("imagenet")), losses), 1e-4);
  EXPECT_THAT(read_text(folder_.path("imagenet/job.toml")),
              HasSubstr("colour_eigenvalues = [0.2175, 0.0188, 0.0045]"));

  const std::string again = job(shift + "colour_eigenvalues = []\ncolour_eigenvectors = []\n");
  const std::vector<std::string> half{
      "train", again, "--run-dir", folder_.path("half"), "--set", "train.iterations=4"};
  ASSERT_EQ(run(mpi_convoy(2, half), folder_.path("")).code, 0);
  ASSERT_EQ(train(again, "half", 2).code, 0);
  EXPECT_EQ(losses_of(folder_.path("half")), losses);
  EXPECT_EQ(lines_with("colour_eigen", read_text(folder_.path("half/job.toml"))),
            lines_with("colour_eigen", resolved));
}

}  // namespace
}  // namespace convoy::test
