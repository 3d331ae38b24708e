#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

#include "tests/end_to_end/job_under_test.h"

namespace convoy::test {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// A file system of 1 MiB to train in.
class DiskFull : public JobUnderTest {
 protected:
  void SetUp() override {
    use(kTinyNetwork,
        "samples = 80\ntest_samples = 8\n[train]\nbatch = 8\nepochs = 1\n[checkpoint]\nevery_iterations = "
        "1\n[log]\nevery = 1\n");
    fs::create_directory(disk_);
    mounted_ = geteuid() == 0 && mount("none", disk_.c_str(), "tmpfs", 0, "size=1m") == 0;
    if (!mounted_) GTEST_SKIP() << "needs to mount a tmpfs, as root";
  }
  void TearDown() override {
    if (mounted_) umount2(disk_.c_str(), MNT_DETACH);
  }
  void fill() const {
    std::ofstream file(disk_ + "/filler");
    const std::string page(4096, 'x');
    while (file.write(page.data(), 4096) && file.flush()) {
    }
  }

  void expect_safe(int ranks) {
    const std::string run_dir = disk_ + "/run";
    ASSERT_EQ(train(ranks, run_dir, {"train.iterations=3"}).code, 0);
    const auto before = newest_tensors(run_dir);
    fill();
    const Ended ended = train(ranks, run_dir);
    EXPECT_EQ(ended.code, 1) << ended.all();
    EXPECT_EQ(count_of("No space left on device", ended.err), 1) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(run_dir));
    EXPECT_EQ(newest_tensors(run_dir), before) << "the last good checkpoint is as it was";
    EXPECT_TRUE(all_gone(5));
    for (const auto& entry : fs::recursive_directory_iterator(run_dir)) {
      EXPECT_EQ(entry.path().string().find("partial"), std::string::npos) << entry.path();
    }
    // Elsewhere the same checkpoint continues to what a run without the accident gives.
    fs::create_directory(path("rescued"));
    fs::copy(run_dir + "/checkpoints", path("rescued") + "/checkpoints", fs::copy_options::recursive);
    ASSERT_EQ(train(ranks, path("rescued")).code, 0);
    ASSERT_EQ(train(ranks, path("whole")).code, 0);
    EXPECT_EQ(newest_tensors(path("rescued")), newest_tensors(path("whole")));
  }

  const std::string disk_ = path("disk");
  bool mounted_ = false;
};

TEST_F(DiskFull, EndsWithAMessageAndLosesNothing) { expect_safe(0); }

TEST_F(DiskFull, EndsWithOneMessageUnderMpirun) { expect_safe(2); }

TEST_F(DiskFull, InTheMiddleOfARunKeepsTheLastCheckpoint) {
  const std::string run_dir = disk_ + "/run";
  Process process(train_words(0, run_dir, {"data.samples=800000"}), path(""));
  ASSERT_TRUE(wait_until([&] { return checkpoints_of(run_dir).size() >= 2; }));
  fill();
  const Ended ended = process.wait();
  EXPECT_EQ(ended.code, 1) << ended.all();
  EXPECT_THAT(ended.err, HasSubstr("No space left on device"));
  fs::remove(disk_ + "/filler");
  EXPECT_NO_THROW(newest_tensors(run_dir));
}

}  // namespace
}  // namespace convoy::test
