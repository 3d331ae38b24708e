#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

#include "tests/launch/process.h"
#include "tests/trainer/job_folder.h"

namespace convoy::test {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Folder : public ::testing::Test {
 protected:
  Ended train(const std::string& run_dir, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"train", job_, "--run-dir", run_dir};
    words.insert(words.end(), more.begin(), more.end());
    return run(convoy(words), folder_.path(""));
  }

  /// With kernels by measurement, and again in a new folder as long as other work on the machine disturbs the
  /// trials, which then say nothing.
  Ended train_measured(const std::string& run_dir, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"--set", "kernels=measured"};
    words.insert(words.end(), more.begin(), more.end());
    Ended ended = train(run_dir, words);
    for (int again = 0; ended.out.find("kernels: ") == std::string::npos && again < 10; ++again) {
      fs::remove_all(run_dir);
      ended = train(run_dir, words);
    }
    return ended;
  }

  JobFolder folder_;
  std::string job_ =
      folder_.write_job(kTinyNetwork, "samples = 40\ntest_samples = 8\n[train]\nbatch = 16\nepochs = 2\n");
};

TEST_F(Folder, HoldsWhatTheDesignPromises) {
  ASSERT_EQ(train(folder_.path("run")).code, 0);
  for (const char* name : {"job.toml", "plan.json", "plan.html", "kernels.json", "metrics.jsonl",
                           "summary.json", "checkpoints"}) {
    EXPECT_TRUE(fs::exists(folder_.path("run") + "/" + name)) << name;
  }
  EXPECT_EQ(checkpoints_of(folder_.path("run")).size(), 2U);
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path("run"))) {
    EXPECT_EQ(entry.path().string().find("partial"), std::string::npos) << entry.path();
  }
}

TEST_F(Folder, ItsJobFileRepeatsTheRun) {
  ASSERT_EQ(train(folder_.path("run"), {"--set", "seed=7", "--set", "optimizer.learning_rate=0.05"}).code, 0);
  job_ = folder_.path("run") + "/job.toml";
  ASSERT_EQ(train(folder_.path("again")).code, 0);
  EXPECT_EQ(newest_tensors(folder_.path("again")), newest_tensors(folder_.path("run")));
}

TEST_F(Folder, KeepsTheKernelsOfARunThatGoesOn) {
  const std::string run_dir = folder_.path("run");
  ASSERT_EQ(train_measured(run_dir, {"--set", "train.epochs=1"}).code, 0);
  const std::string kernels = read_text(run_dir + "/kernels.json");
  EXPECT_THAT(kernels, HasSubstr("fp32 1x8x8 to 4, kernel 3x3"));
  const std::string cache = folder_.path("cache");
  EXPECT_TRUE(fs::exists(cache));
  fs::remove_all(cache);
  ASSERT_EQ(train(run_dir, {"--set", "kernels=measured"}).code, 0);
  EXPECT_EQ(read_text(run_dir + "/kernels.json"), kernels);
  EXPECT_FALSE(fs::exists(cache)) << "nothing was measured";
}

TEST_F(Folder, PlanFindsTheKernelsThatTrainingMeasured) {
  const Ended trained = train_measured(folder_.path("run"));
  ASSERT_EQ(trained.code, 0);
  EXPECT_THAT(trained.out, HasSubstr("kernels: "));
  const Ended planned = run(convoy({"plan", job_, "--json", "--set", "kernels=measured"}), folder_.path(""));
  EXPECT_EQ(boost::json::parse(planned.out).at("projected_bytes"),
            summary_of(folder_.path("run")).at("projected_bytes"));
}

TEST_F(Folder, ADamagedCacheOfKernelsIsAWarning) {
  ASSERT_EQ(train_measured(folder_.path("first")).code, 0);
  for (const auto& file : fs::directory_iterator(folder_.path("cache")))
    std::ofstream(file.path()) << "no table";
  const Ended ended = train(folder_.path("second"), {"--set", "kernels=measured"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out, HasSubstr("/cache/kernels-onednn"));
  EXPECT_EQ(count_of("warning: ", ended.out), 1);
}

TEST_F(Folder, ThatIsAFileIsRefused) {
  const Ended ended = train(job_);
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("cannot make the run folder"));
  EXPECT_THAT(read_text(job_), HasSubstr("synthetic"));
}

TEST_F(Folder, ThatCannotBeWrittenIsRefused) {
  if (geteuid() != 0) {
    fs::create_directory(folder_.path("locked"));
    fs::permissions(folder_.path("locked"), fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_EQ(train(folder_.path("locked") + "/run").code, 2);
    return;
  }
  fs::create_directory(folder_.path("ro"));
  if (mount("none", folder_.path("ro").c_str(), "tmpfs", MS_RDONLY, "size=64k") != 0)
    GTEST_SKIP() << "cannot mount a tmpfs";
  const Ended ended = train(folder_.path("ro") + "/run");
  umount(folder_.path("ro").c_str());
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("Read-only file system"));
}

TEST_F(Folder, OfAFinishedRunEndsAtOnceWithTheSameAccuracy) {
  ASSERT_EQ(train(folder_.path("run")).code, 0);
  const boost::json::value top1 = summary_of(folder_.path("run")).at("top1");
  const Ended again = train(folder_.path("run"));
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.out, HasSubstr("resumes after 6 of 6 updates"));
  EXPECT_EQ(summary_of(folder_.path("run")).at("top1"), top1);
}

TEST_F(Folder, WithCheckpointsIsNotBegunAnewWithResumeNo) {
  ASSERT_EQ(train(folder_.path("run")).code, 0);
  const auto before = newest_tensors(folder_.path("run"));
  const Ended ended = train(folder_.path("run"), {"--resume", "no"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("choose another --run-dir"));
  EXPECT_EQ(newest_tensors(folder_.path("run")), before);
}

TEST_F(Folder, MayResumeFromAFileElsewhere) {
  ASSERT_EQ(train(folder_.path("run")).code, 0);
  ASSERT_EQ(train(folder_.path("branch"), {"--resume", checkpoints_of(folder_.path("run")).front()}).code, 0);
  EXPECT_EQ(newest_tensors(folder_.path("branch")), newest_tensors(folder_.path("run")));
  EXPECT_EQ(train(folder_.path("none"), {"--resume", folder_.path("none.safetensors")}).code, 2);
}

}  // namespace
}  // namespace convoy::test
