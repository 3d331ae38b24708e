#include <gmock/gmock.h>

#include <filesystem>
#include <sstream>

#include "tests/launch/folder_job.h"

// What is asked of a run that was trained on images in folders.

namespace convoy::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

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

}  // namespace
}  // namespace convoy::test
