#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "tests/launch/process.h"
#include "tests/trainer/data/colour_sets.h"
#include "tests/trainer/data/folder_files.h"
#include "tests/trainer/job_folder.h"

// Images in folders, from the command line.

namespace convoy::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class DataCommand : public testing::Test {
 protected:
  Ended data(std::vector<std::string> words) const {
    words.insert(words.begin(), "data");
    return run(convoy(words), folder_.path(""));
  }

  const ImageTree tree_{{"ape", "bee"}, {6, 5}};
  const JobFolder folder_;
};

TEST_F(DataCommand, IndexWritesWhatTrainingReads) {
  const Ended ended = data({"index", tree_.path("")});
  EXPECT_EQ(ended.code, 0) << ended.all();
  EXPECT_THAT(ended.out, AllOf(HasSubstr("train.convoy-index: 11 images, 2 classes"),
                               HasSubstr("val.convoy-index: 2 images, 2 classes")));
  EXPECT_TRUE(fs::exists(tree_.path("train.convoy-index")));
  const Ended json = data({"index", tree_.path("train"), "--json"});
  const boost::json::value answer = boost::json::parse(json.out);
  EXPECT_EQ(answer.at("indices").at(0).at("images"), 11);
}

TEST_F(DataCommand, CheckNamesWhatIsBroken) {
  EXPECT_EQ(data({"check", tree_.path("")}).code, 0);
  tree_.folder.write("train/ape/c.jpg", {'t', 'e', 'x', 't'});
  tree_.folder.write("val/bee/v.jpg", {});
  const Ended ended = data({"check", tree_.path(""), "--threads", "3"});
  EXPECT_EQ(ended.code, 4);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("train/ape/c.jpg: is neither a JPEG nor a PNG file"),
                               HasSubstr("val/bee/v.jpg: is empty"), HasSubstr("13 images decoded in"),
                               HasSubstr("2 of them broken")));
}

TEST_F(DataCommand, ShowWritesASheet) {
  const std::string sheet = folder_.path("sheet.png");
  const Ended ended =
      data({"show", tree_.path(""), "--out", sheet, "--size", "32", "--rows", "3", "--columns", "4"});
  EXPECT_EQ(ended.code, 0) << ended.all();
  const Image image = cut(decoded(read_bytes(sheet)));
  EXPECT_EQ(image.width, 4 + 4 * 36);
  EXPECT_EQ(image.height, 4 + 3 * 36);
  tree_.folder.write("train/ape/c.jpg", {'t', 'e', 'x', 't'});
  const Ended again = data({"show", tree_.path(""), "--out", sheet, "--rows", "11", "--columns", "1"});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.out, HasSubstr("note: " + tree_.path("train/ape/c.jpg") + ": is neither"));
}

TEST_F(DataCommand, PackWritesShardsThatAreADataSet) {
  const std::string out = folder_.path("shards");
  const Ended ended = data({"pack", tree_.path(""), "--out", out, "--shard-size", "4", "--threads", "2"});
  EXPECT_EQ(ended.code, 0) << ended.all();
  EXPECT_THAT(ended.out, AllOf(HasSubstr("train: 11 images in 3 shards"),
                               HasSubstr("val: 2 images in 1 shard"), HasSubstr("written and read back")));
  for (const char* name : {"train-000002.tar", "val-000000.tar", "train.shards-index", "classes.txt"}) {
    EXPECT_TRUE(fs::exists(out + "/" + name)) << name;
  }
  fs::remove(out + "/train-000001.tar");
  const Ended again = data({"pack", tree_.path(""), "--out", out, "--shard-size", "4", "--json"});
  EXPECT_EQ(again.code, 0) << again.all();
  const boost::json::value answer = boost::json::parse(again.out);
  EXPECT_EQ(answer.at("packed").at(0).at("shards_before"), 2);
  EXPECT_EQ(answer.at("packed").at(0).at("images"), 11);
  EXPECT_EQ(data({"check", out}).code, 0);
  const Ended other = data({"pack", tree_.path(""), "--out", out, "--raw"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("other options"));
}

TEST_F(DataCommand, PackStopsAtABrokenImageOrLeavesItOut) {
  tree_.folder.write("train/ape/c.jpg", {'t', 'e', 'x', 't'});
  const Ended stopped = data({"pack", tree_.path(""), "--out", folder_.path("a")});
  EXPECT_EQ(stopped.code, 4);
  EXPECT_THAT(stopped.err, HasSubstr("train/ape/c.jpg: is neither"));
  const Ended skipped = data({"pack", tree_.path(""), "--out", folder_.path("b"), "--broken", "skip"});
  EXPECT_EQ(skipped.code, 4);
  EXPECT_THAT(skipped.out, AllOf(HasSubstr("train/ape/c.jpg: is neither"), HasSubstr("10 images in 1 shard"),
                                 HasSubstr("1 left out")));
}

TEST_F(DataCommand, ShardsAreIndexedCheckedAndShown) {
  const std::string out = folder_.path("shards");
  ASSERT_EQ(data({"pack", tree_.path(""), "--out", out, "--shard-size", "4"}).code, 0);
  fs::remove(out + "/train.shards-index");
  const Ended indexed = data({"index", out});
  EXPECT_EQ(indexed.code, 0) << indexed.all();
  EXPECT_THAT(indexed.out, AllOf(HasSubstr("train.shards-index: 11 images, 2 classes"),
                                 HasSubstr("val.shards-index: 2 images, 2 classes")));
  EXPECT_EQ(data({"index", out + "/train-{000000..000002}.tar"}).code, 0);
  EXPECT_EQ(data({"show", out, "--out", folder_.path("s.png"), "--rows", "2"}).code, 0);
  fs::resize_file(out + "/train-000001.tar", 700);
  const Ended torn = data({"check", out});
  EXPECT_EQ(torn.code, 4);
  EXPECT_THAT(torn.err, HasSubstr("train-000001.tar: at byte"));
}

TEST_F(DataCommand, MeanIsTheSameOnAnyThreadsAndSources) {
  const auto mean = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "mean");
    words.emplace_back("--json");
    const Ended ended = data(words);
    EXPECT_EQ(ended.code, 0) << ended.all();
    const boost::json::value answer = boost::json::parse(ended.out);
    return boost::json::serialize(answer.at("mean")) + boost::json::serialize(answer.at("deviation"));
  };
  const std::string one = mean({tree_.path(""), "--threads", "1", "--whole"});
  EXPECT_EQ(mean({tree_.path("train"), "--threads", "5", "--whole"}), one);
  const std::string out = folder_.path("shards");
  ASSERT_EQ(data({"pack", tree_.path(""), "--out", out, "--shard-size", "3"}).code, 0);
  EXPECT_EQ(mean({out, "--whole"}), one);
  std::string list;
  for (const auto& file : fs::recursive_directory_iterator(tree_.path("train"))) {
    if (file.is_regular_file()) list += file.path().string() + " 0\n";
  }
  EXPECT_EQ(mean({folder_.write("list.txt", list), "--whole"}), one);
  const Ended text = data({"mean", tree_.path(""), "--size", "8"});
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("# 11 images of"), HasSubstr("\nmean = ["), HasSubstr("\ndeviation = [")));
}

// Of a made folder, by numpy; and what is printed for people says the same, in six digits.
TEST_F(DataCommand, MeanTellsThePrincipalColours) {
  const boost::json::object golden = golden_colours();
  const boost::json::value& set = golden.at("sets").at(1);
  const Folder images;
  write_golden_set(set, images);
  const Ended json = data({"mean", images.path(), "--whole", "--json", "--threads", "3"});
  ASSERT_EQ(json.code, 0) << json.all();
  const boost::json::value answer = boost::json::parse(json.out);
  for (const char* key : {"mean", "deviation", "covariance"})
    EXPECT_LT(relative_distance(numbers_in(answer.at(key)), numbers_in(set.at(key))), 1e-13) << key;
  const std::vector<double> values = numbers_in(answer.at("colour_eigenvalues"));
  const std::vector<double> vectors = numbers_in(answer.at("colour_eigenvectors"));
  EXPECT_LT(relative_distance(values, numbers_in(set.at("eigenvalues"))), 1e-13);
  EXPECT_LT(distance_of_components(vectors, numbers_in(set.at("eigenvectors"))), 1e-12);

  const Ended text = data({"mean", images.path(), "--whole"});
  ASSERT_EQ(text.code, 0) << text.all();
  folder_.write("net.toml", kTinyNetwork);
  const std::string job =
      folder_.write("job.toml", "network = 'net.toml'\n[data]\nkind = 'synthetic'\n" + text.out);
  const Ended resolved = run(convoy({"train", job, "--print-config"}), folder_.path(""));
  ASSERT_EQ(resolved.code, 0) << resolved.all();
  EXPECT_THAT(resolved.out, HasSubstr(fmt::format("colour_eigenvalues = [{:.6g}, {:.6g}, {:.6g}]\n",
                                                  values[0], values[1], values[2])));
  EXPECT_THAT(resolved.out,
              HasSubstr(fmt::format("{:.6g}, {:.6g}, {:.6g}]\n", vectors[6], vectors[7], vectors[8])));
}

TEST_F(DataCommand, MistakesAreTold) {
  const auto refused = [&](const std::vector<std::string>& words, int code, const std::string& part) {
    const Ended ended = data(words);
    EXPECT_EQ(ended.code, code) << ended.all();
    EXPECT_THAT(ended.all(), HasSubstr(part));
  };
  refused({"indx", "x"}, 2, "did you mean \"index\"?");
  refused({"index", folder_.path("none")}, 4, "there is no such folder");
  refused({"show", tree_.path("")}, 2, "--out is missing");
  refused({"show", tree_.path(""), "--out", folder_.path("no/sheet.png")}, 2,
          "sheet.png: cannot be written: No such");
  refused({"index", tree_.path(""), "--threads", "0"}, 2, "threads");
  refused({}, 2, "parts:");
  refused({"pack", tree_.path("")}, 2, "--out is missing");
  refused({"pack", tree_.path(""), "--out", folder_.path("x"), "--raw", "--quality", "9"}, 2,
          "exclude each other");
  refused({"pack", tree_.path(""), "--out", folder_.path("x"), "--broken", "no"}, 2, "expected stop or skip");
  refused({"pack", tree_.path("train/ape/a.jpg"), "--out", folder_.path("x")}, 2, "is no folder of images");
  refused({"index", tree_.path("train/ape/a.jpg")}, 2, "need no index");
  refused({"mean", folder_.path("x-{0..1}.tar")}, 4, "x-0.tar: there is no such shard");
}

const char* const kPictureNetwork = R"(
name = "pictures"
input = { channels = 3, height = 8, width = 8 }
layers = [
  { name = "conv", type = "convolution", outputs = 4, kernel = 3 },
  { name = "relu", type = "relu" },
  { name = "fc", type = "fully_connected", outputs = 2 },
  { name = "loss", type = "softmax_loss" },
]
)";

class FolderJob : public DataCommand {
 protected:
  std::string job(const std::string& more) const {
    folder_.write("net.toml", kPictureNetwork);
    return folder_.write("job.toml",
                         "network = \"net.toml\"\nthreads = 1\n[data]\nkind = \"image-folder\"\nroot = \"" +
                             tree_.path("") + "\"\nflip = true\n" + more +
                             "[train]\nbatch = 4\nepochs = 2\n[log]\nevery = 1\n");
  }
  Ended train(const std::string& job, const std::string& run_name, int ranks) const {
    return run(mpi_convoy(ranks, {"train", job, "--run-dir", folder_.path(run_name)}), folder_.path(""));
  }
};

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

TEST_F(FolderJob, ShowDrawsWithTheJobsAugmentations) {
  const auto show = [&](const std::string& of_job) {
    const std::string sheet = folder_.path("sheet.png");
    const Ended ended =
        data({"show", tree_.path(""), "--out", sheet, "--job", of_job, "--rows", "2", "--columns", "5"});
    EXPECT_EQ(ended.code, 0) << ended.all();
    const Image image = cut(decoded(read_bytes(sheet)));
    EXPECT_EQ(image.width, 4 + 5 * 12);  // samples of 8 x 8, as the network takes them
    EXPECT_EQ(image.height, 4 + 2 * 12);
    return image.pixels;
  };
  const Bytes plain = show(job(""));
  EXPECT_EQ(show(job("")), plain);
  const Bytes shifted = show(job("colour_shift = 5\n"));
  EXPECT_NE(shifted, plain);
  EXPECT_NE(show(job("colour_shift = 5\ncolour_eigenvalues = []\ncolour_eigenvectors = []\n")), shifted);
  EXPECT_NE(show(job("mixup = 1\n")), plain);
  EXPECT_NE(show(job("erase = 1\nerase_with = \"mean\"\n")), plain);
  const auto refused = [&](const std::vector<std::string>& more, const std::string& part) {
    std::vector<std::string> words{"show", tree_.path(""), "--out", folder_.path("s.png")};
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = data(words);
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.all(), HasSubstr(part));
  };
  const std::string here = job("");
  refused({"--job", here, "--size", "9"}, "leave --size");
  refused({"--set", "data.flip=true"}, "give --job too");
  refused({"--job", here, "--set", "data.kind=mnist"}, "has no image files");
  refused({"--job", here, "--set", "data.hue=0.6"}, "0.5");
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

TEST_F(FolderJob, EvaluatesAndPredictsTestImages) {
  ASSERT_EQ(train(job(""), "run", 1).code, 0);
  const Ended evaluated = run(convoy({"eval", folder_.path("run"), "--json"}), folder_.path(""));
  ASSERT_EQ(evaluated.code, 0) << evaluated.all();
  EXPECT_EQ(boost::json::parse(evaluated.out).at("samples"), 2);
  const Ended predicted =
      run(convoy({"predict", folder_.path("run"), "--index", "1", "--json"}), folder_.path(""));
  ASSERT_EQ(predicted.code, 0) << predicted.all();
  const boost::json::value of_set = boost::json::parse(predicted.out).at("predictions").at(0);
  EXPECT_EQ(of_set.at("label"), 1);
  const Ended by_name =
      run(convoy({"predict", folder_.path("run"), tree_.path("val/bee/v.jpg"), "--json"}), folder_.path(""));
  ASSERT_EQ(by_name.code, 0) << by_name.all();
  EXPECT_EQ(boost::json::parse(by_name.out).at("predictions").at(0).at("classes"), of_set.at("classes"));
}

TEST_F(FolderJob, TenCropsAreEvaluatedAndPredicted) {
  const Image half = pattern(12, 20);  // whose crops differ
  tree_.folder.write("val/ape/v.jpg", jpeg_of(half));
  ASSERT_EQ(train(job("test_crop = \"ten-crop\"\n"), "run", 1).code, 0);
  const auto answer = [&](std::vector<std::string> words, int ranks) {
    words.emplace_back("--json");
    const Ended ended = run(mpi_convoy(ranks, words), folder_.path(""));
    EXPECT_EQ(ended.code, 0) << ended.all();
    return boost::json::parse(ended.out);
  };
  const boost::json::value one = answer({"eval", folder_.path("run")}, 1);
  EXPECT_EQ(one.at("samples"), 2);
  EXPECT_EQ(one.at("crops"), 10);
  EXPECT_NEAR(metrics_of(folder_.path("run"), "evaluation").back().at("loss").to_number<double>(),
              one.at("loss").as_double(), 1e-6);
  const boost::json::value three =
      answer({"eval", folder_.path("run"), "--set", "train.evaluate_batch=3"}, 3);
  EXPECT_EQ(three.at("samples"), 2);
  EXPECT_NEAR(three.at("loss").as_double(), one.at("loss").as_double(), 1e-6);
  const boost::json::value centre =
      answer({"eval", folder_.path("run"), "--set", "data.test_crop=centre"}, 1);
  EXPECT_EQ(centre.at("crops"), 1);
  EXPECT_GT(std::abs(centre.at("loss").as_double() - one.at("loss").as_double()), 1e-6);

  const auto classes = [](const boost::json::value& found) {
    return found.at("predictions").at(0).at("classes");
  };
  const boost::json::value by_index = answer({"predict", folder_.path("run"), "--index", "0"}, 1);
  EXPECT_EQ(classes(by_index),
            classes(answer({"predict", folder_.path("run"), tree_.path("val/ape/v.jpg")}, 1)));
  EXPECT_NE(
      classes(by_index),
      classes(answer({"predict", folder_.path("run"), "--index", "0", "--set", "data.test_crop=centre"}, 1)));
  const Ended map = run(convoy({"predict", folder_.path("run"), "--index", "0", "--map"}), folder_.path(""));
  EXPECT_EQ(map.code, 2);
  EXPECT_THAT(map.all(), HasSubstr("data.test_crop=centre"));
}

TEST_F(FolderJob, EvaluationTellsOfClasses) {
  ASSERT_EQ(train(job(""), "run", 1).code, 0);
  const std::string file = folder_.path("matrix.csv");
  const Ended json =
      run(mpi_convoy(2, {"eval", folder_.path("run"), "--json", "--confusion", file}), folder_.path(""));
  ASSERT_EQ(json.code, 0) << json.all();
  const boost::json::value answer = boost::json::parse(json.out);
  double right = 0;
  for (const auto& one : answer.at("classes").as_array()) {
    EXPECT_EQ(one.at("samples"), 1);
    right += one.at("top1").to_number<double>();
  }
  EXPECT_EQ(answer.at("classes").at(1).at("name"), "bee");
  EXPECT_EQ(right / 2, answer.at("top1").to_number<double>());
  std::istringstream matrix(read_text(file));
  std::string row;
  std::getline(matrix, row);
  EXPECT_EQ(row, "true class,ape,bee\r");
  for (const std::string name : {"ape", "bee"}) {
    std::getline(matrix, row);
    EXPECT_THAT(row, testing::AnyOf(name + ",1,0\r", name + ",0,1\r"));
  }
  const Ended text = run(convoy({"eval", folder_.path("run")}), folder_.path(""));
  EXPECT_EQ(text.code, 0);
  EXPECT_EQ(count_of(" taken for ", text.out), right == 2 ? 0 : static_cast<int>(2 - right)) << text.out;
  const Ended none = run(convoy({"eval", folder_.path("run"), "--worst", "0"}), folder_.path(""));
  EXPECT_EQ(count_of("\n", none.out), 1) << none.out;
  const Ended lost = run(convoy({"eval", folder_.path("run"), "--confusion", folder_.path("no/such.csv")}),
                         folder_.path(""));
  EXPECT_EQ(lost.code, 2);
  EXPECT_THAT(lost.err, HasSubstr("--confusion: cannot write"));
  const Ended nameless = run(convoy({"eval", folder_.path("run"), "--confusion", ""}), folder_.path(""));
  EXPECT_EQ(nameless.code, 2);
  EXPECT_THAT(nameless.err, HasSubstr("--confusion is empty; give it FILE, or leave it out"));
}

// Classes are numbered by their names, so another folder moves them: weights must not be taken for it.
TEST_F(FolderJob, WeightsGoWithTheClassesThatTheyWereTrainedWith) {
  const std::string one_job = job("");
  ASSERT_EQ(train(one_job, "run", 1).code, 0);
  for (const char* part : {"train", "val"})
    fs::rename(tree_.path(std::string(part) + "/ape"), tree_.path(std::string(part) + "/cat"));
  const std::string message = "class 0 is \"ape\" there, and \"bee\" in the data";
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"eval"}, {"predict", "--index", "0"}, {"train", one_job, "--run-dir"}}) {
    std::vector<std::string> command = words;
    command.insert(words[0] == "train" ? command.end() : command.begin() + 1, folder_.path("run"));
    if (words[0] == "train") command.insert(command.end(), {"--set", "train.epochs=3"});
    const Ended ended = run(convoy(command), folder_.path(""));
    EXPECT_EQ(ended.code, 2) << ended.all();
    EXPECT_THAT(ended.err, AllOf(HasSubstr(message), HasSubstr(".safetensors"))) << words[0];
  }
  // An image alone says nothing of classes.
  const Ended image =
      run(convoy({"predict", folder_.path("run"), tree_.path("val/bee/v.jpg")}), folder_.path(""));
  EXPECT_EQ(image.code, 0) << image.all();
}

TEST_F(FolderJob, ClassesOfAnyNameAreTrainedAndFoundAgain) {
  for (const char* part : {"train", "val"}) {
    fs::rename(tree_.path(std::string(part) + "/ape"), tree_.path(std::string(part) + "/a\nb, \"c\" \xE9"));
    fs::rename(tree_.path(std::string(part) + "/bee"), tree_.path(std::string(part) + "/b \xE2\x98\x83"));
  }
  const Ended trained = train(job(""), "run", 1);
  ASSERT_EQ(trained.code, 0) << trained.all();
  const std::string file = folder_.path("matrix.csv");
  const Ended ended =
      run(convoy({"eval", folder_.path("run"), "--json", "--confusion", file}), folder_.path(""));
  ASSERT_EQ(ended.code, 0) << ended.all();
  const boost::json::value answer = boost::json::parse(ended.out);
  EXPECT_EQ(answer.at("classes").at(0).at("name"), "a\nb, \"c\" \\xe9");
  EXPECT_EQ(answer.at("classes").at(1).at("name"), "b \xE2\x98\x83");
  EXPECT_THAT(read_text(file),
              testing::StartsWith("true class,\"a\nb, \"\"c\"\" \\xe9\",b \xE2\x98\x83\r\n"));
}

// Of every job for ImageNet there is a plan, on a machine without ImageNet.
TEST(ImageNetJobs, ArePlannedWithoutTheData) {
  const JobFolder folder;
  int jobs = 0;
  for (const auto& file : fs::directory_iterator(CONVOY_SOURCE "/configs/jobs")) {
    if (!file.path().stem().string().ends_with("-imagenet")) continue;
    ++jobs;
    const Ended ended = run(
        convoy({"plan", file.path().string(), "--json", "--memory-limit", "8GiB", "--set", "train.batch=8"}),
        folder.path(""));
    ASSERT_EQ(ended.code, 0) << file.path() << ended.all();
    EXPECT_EQ(boost::json::parse(ended.out).at("fits"), true) << file.path();
  }
  EXPECT_EQ(jobs, 17);
  const Ended ended =
      run(convoy({"plan", CONVOY_SOURCE "/configs/jobs/resnet50-imagenet.toml", "--set", "data.classes=10"}),
          folder.path(""));
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("the network tells 1000 classes apart, but data.classes is 10"));
}

}  // namespace
}  // namespace convoy::test
