#include <gmock/gmock.h>

#include <filesystem>

#include "tests/launch/folder_job.h"
#include "tests/trainer/data/colour_sets.h"

// Images in folders, from the command line.

namespace convoy::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

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

}  // namespace
}  // namespace convoy::test
