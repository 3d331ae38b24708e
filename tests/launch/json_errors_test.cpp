#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/launch/process.h"
#include "tests/trainer/job_folder.h"

// With --json an error is one object on standard output, and the message on standard error as ever.

namespace convoy::test {
namespace {

using ::testing::HasSubstr;

class JsonErrors : public ::testing::Test {
 protected:
  Ended call(const std::vector<std::string>& words, int ranks = 0) const {
    return run(ranks > 0 ? mpi_convoy(ranks, words) : convoy(words), folder_.path(""));
  }

  /// Expects the one object, with the exit code of the program and what standard error says.
  void expect_told(const Ended& ended, int code, const std::string& message) const {
    EXPECT_EQ(ended.code, code) << ended.all();
    EXPECT_THAT(ended.err, HasSubstr(message));
    EXPECT_EQ(count_of("\n", ended.out), 1) << ended.out;
    boost::system::error_code problem;
    const boost::json::value value = boost::json::parse(ended.out, problem);
    ASSERT_FALSE(problem) << ended.out;
    ASSERT_EQ(value.as_object().size(), 1U);
    const boost::json::object& error = value.at("error").as_object();
    EXPECT_EQ(error.at("exit_code"), code);
    const std::string told(error.at("message").as_string());
    EXPECT_THAT(told, HasSubstr(message));
    EXPECT_THAT(ended.err, HasSubstr(told));
  }

  const JobFolder folder_;
};

TEST_F(JsonErrors, OfEveryCommand) {
  const std::string no = "/no/such";
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"train", no}, {"plan", no}, {"inspect", no}, {"eval", no}, {"time", no}})
    expect_told(call({words[0], words[1], "--json"}), 2, no);
  expect_told(call({"predict", no, "--index", "1", "--json"}), 2, no);
  expect_told(call({"data", "index", no, "--json"}), 4, no);
  expect_told(call({"devices", "--json", "--abacus"}), 2, "unknown option \"--abacus\"");
}

TEST_F(JsonErrors, OfTraining) {
  const std::string job = folder_.write_job(kTinyNetwork, "samples = 40\n[train]\nbatch = 8\nepochs = 2\n");
  const auto train = [&](const std::string& set, int ranks) {
    return call({"train", job, "--json", "--run-dir", folder_.path("run"), "--set", set}, ranks);
  };
  expect_told(train("memory.limit=1KiB", 0), 3, "does not fit");
  expect_told(train("optimizer.learning_rate=1e6", 0), 6, "loss is not finite");
  expect_told(train("data.kind=mnist", 0), 2, "apart");
}

TEST_F(JsonErrors, AreToldOnceByManyRanks) {
  const std::string job = folder_.write_job(kTinyNetwork, "samples = 40\n[train]\nbatch = 8\nepochs = 2\n");
  const auto train = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"train", job, "--json", "--run-dir", folder_.path("run")};
    words.insert(words.end(), more.begin(), more.end());
    return call(words, 3);
  };
  expect_told(train({"--set", "memory.limit=1KiB"}), 3, "does not fit");
  expect_told(train({"--set", "train.bacth=8"}), 2, "did you mean");
  expect_told(train({"--jsn"}), 2, "unknown option \"--jsn\"");
}

TEST_F(JsonErrors, AreUtf8WhateverAPathHolds) {
  const Ended ended = call({"inspect", "/no/\xff.toml", "--json"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("/no/\xff.toml"));
  const boost::json::value error = boost::json::parse(ended.out).at("error");
  EXPECT_THAT(std::string(error.at("message").as_string()), HasSubstr("/no/\\xff.toml"));
}

}  // namespace
}  // namespace convoy::test
