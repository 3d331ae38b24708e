#include <gtest/gtest.h>

#include <cmath>

#include "tests/trainer/train_here.h"
#include "trainer/data/augment.h"

namespace convoy::test {
namespace {

/// One pixel, two classes: logits w[c] · x + b[c]. Small enough to do the training by hand.
constexpr const char* kLogistic = R"(name = "logistic"
input = { channels = 1, height = 1, width = 1 }
layers = [
  { name = "ip", type = "fully_connected", outputs = 2, weight_init = { gaussian = 0.5 } },
  { name = "loss", type = "softmax_loss" },
]
)";

constexpr int kBatch = 8;
constexpr double kRate = 0.3;

/// Weights and biases after some updates, as PyTorch's SGD does them, in double precision.
struct ByHand {
  const Job& job;
  std::array<double, 4> value{};  ///< w0 w1 b0 b1
  std::array<double, 4> velocity{};
  double first_norm = 0;  ///< of the first gradient

  std::array<double, 4> gradient(const Dataset& set, std::int64_t first) const {
    std::array<double, 4> sum{};
    for (std::int64_t i = first; i < first + kBatch; ++i) {
      Image image;
      const std::int32_t label = set.read(i, image);
      const double x = (image.pixels[0] - job.data.mean[0]) / job.data.deviation[0];
      const double p0 = 1 / (1 + std::exp((value[1] - value[0]) * x + value[3] - value[2]));
      const std::array<double, 2> g{p0 - (label == 0), 1 - p0 - (label == 1)};
      for (std::size_t c = 0; c < 2; ++c) {
        sum[c] += g[c] * x / kBatch;
        sum[2 + c] += g[c] / kBatch;
      }
    }
    return sum;
  }

  void update(const Dataset& set, std::int64_t first) {
    std::array<double, 4> g = gradient(set, first);
    const double norm = std::sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2] + g[3] * g[3]);
    if (first == 0) first_norm = norm;
    const double clip = job.train.clip_norm > 0 ? std::min(1.0, job.train.clip_norm / norm) : 1;
    const Job::Optimizer& o = job.optimizer;
    for (std::size_t i = 0; i < 4; ++i) {
      const bool bias = i >= 2;
      const double d = g[i] * clip + (bias ? o.bias_decay : o.weight_decay) * value[i];
      velocity[i] = o.momentum * velocity[i] + d;
      value[i] -=
          kRate * (bias ? o.bias_rate : 1) * (o.nesterov ? d + o.momentum * velocity[i] : velocity[i]);
    }
  }
};

/// Trains five updates both ways and compares; gives the norm of the first gradient.
double compare(const std::vector<std::string>& sets) {
  const JobFolder folder;
  const std::string job = folder.write_job(kLogistic, "samples = 40\n[train]\nbatch = 8\n");
  double norm = 0;
  with_sessions({job, folder.path("run"), 1, sets}, [&](Session& session) {
    ByHand hand{session.job()};
    const auto all = [&] {
      std::vector<float> values = values_of(session.executor(), "ip.weight");
      for (const float b : values_of(session.executor(), "ip.bias")) values.push_back(b);
      return values;
    };
    const std::vector<float> start = all();
    std::copy(start.begin(), start.end(), hand.value.begin());
    for (int i = 0; i < 5; ++i) hand.update(*session.inputs().train, i * kBatch);
    take_steps(session, 5, kRate);
    const std::vector<float> end = all();
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(end[i], hand.value[i], 2e-6) << i;
      EXPECT_GT(std::abs(end[i] - start[i]), 1e-3) << i;
    }
    norm = hand.first_norm;
  });
  return norm;
}

TEST(Sgd, PlainGoesAgainstTheMeanGradient) { compare({"optimizer.momentum=0", "optimizer.weight_decay=0"}); }

TEST(Sgd, MomentumIsThatOfPyTorch) { compare({"optimizer.momentum=0.9", "optimizer.weight_decay=0"}); }

TEST(Sgd, NesterovIsThatOfPyTorch) { compare({"optimizer.momentum=0.8", "optimizer.nesterov=true"}); }

TEST(Sgd, DecayGoesByTheKindOfParameter) {
  compare({"optimizer.weight_decay=0.2", "optimizer.bias_decay=0.1"});
}

TEST(Sgd, BiasesMayHaveARateOfTheirOwn) { compare({"optimizer.bias_rate=2", "optimizer.bias_decay=0.1"}); }

TEST(Sgd, ClippingScalesTheGradientButNotTheDecay) {
  const double norm = compare({"optimizer.weight_decay=0.2", "train.clip_norm=0"});
  const std::string half = "train.clip_norm=" + std::to_string(norm / 2);
  compare({"optimizer.weight_decay=0.2", half});
  compare({"optimizer.weight_decay=0.2", half, "train.micro_batch=3"});
}

TEST(Sgd, MicroBatchesGiveTheMeanOverTheWholeBatch) {
  for (const char* size : {"1", "3", "4", "5"}) compare({std::string("train.micro_batch=") + size});
}

TEST(Sgd, ClippingTakesTheNormOverAllRanks) {
  const JobFolder folder;
  const std::string job = folder.write_job(
      kTinyNetwork, "samples = 50\n[train]\nbatch = 16\nclip_norm = 0.1\nepochs = 2\n[log]\nevery = 1\n");
  train_here({job, folder.path("one")});
  train_here({job, folder.path("three"), 3, {"train.micro_batch=2"}});
  const auto norms = [&](const char* run) {
    return numbers_of(metrics_of(folder.path(run), "train"), "gradient_norm");
  };
  EXPECT_GT(norms("one").front(), 0.1);
  EXPECT_LT(largest_difference(norms("three"), norms("one")), 1e-4);
  EXPECT_LT(largest_difference(losses_of(folder.path("three")), losses_of(folder.path("one"))), 1e-5);
}

}  // namespace
}  // namespace convoy::test
