#include <fstream>

#include "tests/end_to_end/job_under_test.h"

namespace convoy::test {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class BrokenCheckpoint : public JobUnderTest {
 protected:
  void SetUp() override {
    use(kTinyNetwork,
        "samples = 40\ntest_samples = 8\n[train]\nbatch = 8\nepochs = 3\n[checkpoint]\nevery_iterations = "
        "1\nkeep = 3\n[log]\nevery = 1\n");
    ASSERT_EQ(train(0, path("whole")).code, 0);
    ASSERT_EQ(train(0, path("cut"), {"train.iterations=8"}).code, 0);
    checkpoints_ = checkpoints_of(path("cut"));
    ASSERT_EQ(checkpoints_.size(), 3U);
  }

  static void truncate(const std::string& file) { fs::resize_file(file, fs::file_size(file) / 2); }
  static void flip_bit(const std::string& file) {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    const auto at = static_cast<std::streamoff>(fs::file_size(file) - 77);
    stream.seekg(at);
    const auto byte = static_cast<char>(stream.get() ^ 4);
    stream.seekp(at);
    stream.put(byte);
  }

  void expect_resumes_from_the_one_before(int ranks) {
    const Ended ended = train(ranks, path("cut"));
    EXPECT_EQ(ended.code, 0) << ended.all();
    EXPECT_EQ(count_of("convoy: warning: ", ended.err), 1) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(checkpoints_.back()));
    EXPECT_THAT(ended.out, HasSubstr("resumes after 7 of 15 updates"));
    EXPECT_EQ(losses_of(path("cut")).size(), 15U);
    EXPECT_LT(largest_difference(losses_of(path("cut")), losses_of(path("whole"))),
              ranks == 0 ? 1e-300 : 1e-5);
  }

  std::vector<std::string> checkpoints_;
};

TEST_F(BrokenCheckpoint, TruncatedIsSkippedWithAWarning) {
  truncate(checkpoints_.back());
  expect_resumes_from_the_one_before(0);
}

TEST_F(BrokenCheckpoint, BitFlippedIsSkippedWithAWarning) {
  flip_bit(checkpoints_.back());
  expect_resumes_from_the_one_before(0);
}

TEST_F(BrokenCheckpoint, EmptyIsSkippedWithOneWarningUnderMpirun) {
  fs::resize_file(checkpoints_.back(), 0);
  expect_resumes_from_the_one_before(2);
}

TEST_F(BrokenCheckpoint, AllBrokenIsRefusedAndNothingIsOverwritten) {
  truncate(checkpoints_[0]);
  flip_bit(checkpoints_[1]);
  flip_bit(checkpoints_[2]);
  const std::string before = read_text(path("cut") + "/metrics.jsonl");
  for (const int ranks : {0, 2}) {
    const Ended ended = train(ranks, path("cut"));
    EXPECT_EQ(ended.code, 2) << ended.all();
    EXPECT_THAT(ended.err, HasSubstr(path("cut") + "/checkpoints"));
    EXPECT_EQ(count_of(checkpoints_[1], ended.err), 1) << ended.err;
    EXPECT_EQ(checkpoints_of(path("cut")), checkpoints_);
    EXPECT_EQ(read_text(path("cut") + "/metrics.jsonl"), before);
  }
  EXPECT_EQ(run(convoy({"eval", path("cut")}), path("")).code, 2);
}

TEST_F(BrokenCheckpoint, OfAnotherNetworkIsRefusedAndNamesTheTensor) {
  use(kTinyBatchNorm, "samples = 40\n[train]\nbatch = 8\n");
  const Ended ended = train(0, path("cut"));
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("tensor \"ip.weight\" is "));
  EXPECT_THAT(ended.err, HasSubstr("but the network \"tiny-bn\" needs "));
}

}  // namespace
}  // namespace convoy::test
