#include <csignal>
#include <filesystem>

#include "tests/end_to_end/job_under_test.h"
#include "tests/trainer/data/folder_files.h"

// Packing and training on shards, killed in the middle.

namespace convoy::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNetwork = R"(
name = "pictures"
input = { channels = 3, height = 8, width = 8 }
layers = [
  { name = "conv", type = "convolution", outputs = 4, kernel = 3 },
  { name = "relu", type = "relu" },
  { name = "fc", type = "fully_connected", outputs = 3 },
  { name = "loss", type = "softmax_loss" },
]
)";

class KillOnShards : public JobUnderTest {
 protected:
  std::vector<std::string> pack_words(const std::string& out) const {
    return convoy({"data", "pack", tree_.path(""), "--out", out, "--shard-size", "5", "--shorter-side", "9"});
  }

  const ImageTree tree_{{"ape", "bee", "cat"}, {18, 15, 10}};
};

TEST_F(KillOnShards, PackingGoesOnWhereItWasKilled) {
  ASSERT_EQ(run(pack_words(path("whole")), path("")).code, 0);
  bool ended = false;
  int kills = 0;
  for (int round = 0; round < 40 && !ended; ++round) {
    Process process(pack_words(path("cut")), path(""));
    sleep_ms(4 + 3 * round);
    kill(process.pid(), SIGKILL);
    ended = process.wait().code == 0;
    kills += ended ? 0 : 1;
  }
  EXPECT_GE(kills, 1);
  ASSERT_EQ(run(pack_words(path("cut")), path("")).code, 0);
  for (const auto& file : fs::directory_iterator(path("whole"))) {
    EXPECT_EQ(read_text(path("cut/") + file.path().filename().string()), read_text(file.path()))
        << file.path();
  }
}

TEST_F(KillOnShards, SigtermOfPackingExits75AndLeavesWholeShards) {
  Process process(pack_words(path("cut")), path(""));
  wait_until([&] { return fs::exists(path("cut/train-000000.tar")) || !process.running(); });
  kill(process.pid(), SIGTERM);
  const Ended ended = process.wait();
  EXPECT_TRUE(ended.code == 75 || ended.code == 0) << ended.all();
  for (const auto& file : fs::directory_iterator(path("cut"))) EXPECT_NE(file.path().extension(), ".part");
}

// Each sample still comes exactly once an epoch: the losses are those of a run that was never cut.
TEST_F(KillOnShards, TrainingInWindowsLosesNothing) {
  ASSERT_EQ(run(pack_words(path("shards")), path("")).code, 0);
  folder_.write("net.toml", kNetwork);
  job_ = folder_.write("job.toml",
                       "network = \"net.toml\"\nthreads = 1\nkernels = \"default\"\n[data]\n"
                       "kind = \"image-shards\"\nroot = \"" +
                           path("shards") +
                           "\"\nmean = [100, 100, 100]\ndeviation = [50, 50, 50]\nflip = true\n"
                           "order = \"window\"\nwindow = 12\nloader_threads = 2\n[train]\nbatch = 4\n"
                           "epochs = 6\n[checkpoint]\nevery_iterations = 1\n[log]\nevery = 1\n");
  for (const int ranks : {0, 2}) {
    const std::string whole = path("whole" + std::to_string(ranks));
    const std::string cut = path("cut" + std::to_string(ranks));
    ASSERT_EQ(train(ranks, whole).code, 0);
    int kills = 0;
    for (const std::size_t update : {2, 13, 31, 50}) {
      Process process(train_words(ranks, cut), path(""));
      const auto saved = [&] {
        const std::vector<std::string> all = checkpoints_of(cut);
        return all.empty() ? 0 : std::stoul(all.back().substr(all.back().rfind("step-") + 5));
      };
      ASSERT_TRUE(wait_until([&] { return saved() >= update || !process.running(); }, 60));
      for (const pid_t pid : job_processes("convoy")) kill(pid, SIGKILL);
      kills += process.wait().code == 0 ? 0 : 1;
      ASSERT_TRUE(all_gone(10));
    }
    EXPECT_GE(kills, 1) << "the rest came too late";
    ASSERT_EQ(train(ranks, cut).code, 0);
    EXPECT_EQ(losses_of(cut), losses_of(whole));
    EXPECT_EQ(losses_of(cut).size(), 66U);
  }
}

}  // namespace
}  // namespace convoy::test
