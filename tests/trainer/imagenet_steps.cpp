#include "tests/trainer/imagenet_steps.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/trainer/train_here.h"

namespace convoy::test {
namespace {

constexpr const char* kJob = R"(samples = 2
mean = [128]
deviation = [64]
[train]
batch = 2
epochs = 1
[optimizer]
momentum = 0
)";

/// The most memory that this process has had, in bytes.
std::int64_t most_resident() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes << 10;
  }
  ADD_FAILURE() << "no VmHWM in /proc/self/status";
  return 0;
}

}  // namespace

void expect_three_good_steps(const ImagenetNetwork& network) {
  const JobFolder folder;
  const std::string job =
      folder.write_job(read_text(CONVOY_SOURCE "/configs/nets/" + network.name + ".toml"), kJob);
  with_sessions({job, folder.path("run"), 1}, [&](Session& session) {
    std::vector<double> losses;
    std::int64_t allocations = 0;
    std::int64_t resident = 0;
    for (int step = 0; step < 3; ++step) {
      take_steps(session, 1, network.rate);
      losses.push_back(session.executor().metrics().loss / 2);
      if (step > 0) continue;
      allocations = session.device().allocations();
      resident = most_resident();
    }
    fmt::print("{}: losses {:.4f} {:.4f} {:.4f}\n", network.name, losses[0], losses[1], losses[2]);
    EXPECT_LT(losses[1], losses[0]);
    EXPECT_LT(losses[2], losses[1]);
    EXPECT_EQ(session.device().allocations(), allocations);
    EXPECT_EQ(session.device().peak_bytes(), session.executor().plan().arena_bytes());
    EXPECT_LE(most_resident() - resident, 4 << 20) << "what takes the images, at most";
  });
}

}  // namespace convoy::test
