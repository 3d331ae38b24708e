#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "tests/trainer/train_here.h"

namespace convoy::test {
namespace {

/// Batch norm straight on the input, so that its statistics are those of the pixels.
constexpr const char* kNormFirst = R"(name = "norm-first"
input = { channels = 2, height = 4, width = 4 }
layers = [
  { name = "bn", type = "batch_norm" },
  { name = "ip", type = "fully_connected", outputs = 4 },
  { name = "loss", type = "softmax_loss" },
]
)";

struct Running {
  std::vector<float> mean;
  std::vector<float> variance;
};

/// The running statistics after some updates on batches of 16 samples, of 18. They must be the same on all
/// ranks.
Running after_updates(int updates, int ranks, int micro_batch) {
  const JobFolder folder;
  const std::string text =
      "samples = 18\nmean = [100]\ndeviation = [50]\n[train]\nbatch = 16\nmicro_batch = " +
      std::to_string(micro_batch) + "\n";
  const std::string job = folder.write_job(kNormFirst, text);
  std::vector<Running> all(static_cast<std::size_t>(ranks));
  with_sessions({job, folder.path("run"), ranks}, [&](Session& session) {
    take_steps(session, updates, 0.1);
    all[static_cast<std::size_t>(session.comm().rank())] = {
        values_of(session.executor(), "bn.running_mean"),
        values_of(session.executor(), "bn.running_variance")};
  });
  for (const Running& one : all) {
    EXPECT_EQ(one.mean, all[0].mean);
    EXPECT_EQ(one.variance, all[0].variance);
  }
  return all[0];
}

/// What they must be when the batch passes at once: 0.9 · (0, 1) + 0.1 · (mean, unbiased variance).
Running expected() {
  const JobFolder folder;
  const std::string job =
      folder.write_job(kNormFirst, "samples = 40\nmean = [100]\ndeviation = [50]\n[train]\nbatch = 16\n");
  Running running;
  with_sessions({job, folder.path("run")}, [&](Session& session) {
    for (std::size_t c = 0; c < 2; ++c) {
      double sum = 0;
      double squares = 0;
      constexpr double kCount = 16 * 16;
      for (std::int64_t i = 0; i < 16; ++i) {
        Image image;
        session.inputs().train->read(i, image);
        for (std::size_t p = c; p < image.pixels.size(); p += 2) {
          const double x = (image.pixels[p] - 100.0) / 50.0;
          sum += x;
          squares += x * x;
        }
      }
      const double mean = sum / kCount;
      running.mean.push_back(static_cast<float>(0.1 * mean));
      running.variance.push_back(
          static_cast<float>(0.9 + 0.1 * (squares - kCount * mean * mean) / (kCount - 1)));
    }
  });
  return running;
}

using ::testing::FloatNear;
using ::testing::Pointwise;

TEST(BatchNormStatistics, AreThoseOfTheBatch) {
  const Running running = after_updates(1, 1, 16);
  const Running by_hand = expected();
  EXPECT_THAT(running.mean, Pointwise(FloatNear(1e-6F), by_hand.mean));
  EXPECT_THAT(running.variance, Pointwise(FloatNear(1e-5F), by_hand.variance));
}

TEST(BatchNormStatistics, SharesOfRanksAndMicroBatchesAddUpToOne) {
  const std::vector<float> mean = after_updates(1, 1, 16).mean;
  for (const int ranks : {1, 2, 3, 4}) {
    for (const int micro_batch : {1, 3, 5, 16}) {
      EXPECT_THAT(after_updates(1, ranks, micro_batch).mean, Pointwise(FloatNear(1e-6F), mean))
          << ranks << " " << micro_batch;
    }
  }
}

TEST(BatchNormStatistics, RanksWithoutSamplesCountForNothing) {
  // The second batch has two samples; what the first left behind must not count again.
  const std::vector<float> mean = after_updates(2, 1, 16).mean;
  for (const int ranks : {3, 4}) {
    EXPECT_THAT(after_updates(2, ranks, 16).mean, Pointwise(FloatNear(1e-6F), mean)) << ranks;
  }
}

}  // namespace
}  // namespace convoy::test
