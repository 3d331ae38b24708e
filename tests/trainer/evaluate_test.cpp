#include "trainer/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tests/trainer/data/data_files.h"
#include "tests/trainer/train_here.h"
#include "trainer/preparation.h"

namespace convoy::test {
namespace {

constexpr const char* kThirtySevenTests = "samples = 20\ntest_samples = 37\n[train]\nbatch = 8\n";

Evaluation evaluate_with(int ranks, std::int64_t size, const char* network = kTinyBatchNorm) {
  const JobFolder folder;
  const std::string job = folder.write_job(network, kThirtySevenTests);
  const std::vector<std::string> sets{"train.evaluate_batch=" + std::to_string(size)};
  Evaluation result;
  with_sessions({job, folder.path("run"), ranks, sets}, [&](Session& session) {
    const Evaluation own = evaluate(session.executor(), session.inputs().test, session.comm(), {}, 1);
    if (session.comm().rank() == 0) result = own;
  });
  return result;
}

TEST(Evaluate, CountsEachSampleOnceForAnyRanksAndSizes) {
  const Evaluation alone = evaluate_with(1, 37);
  EXPECT_EQ(alone.samples, 37);
  EXPECT_EQ(alone.top5, 1);  // of 4 classes
  for (const int ranks : {1, 2, 3, 4}) {
    for (const std::int64_t size : {1, 5, 8, 37, 100}) {
      const Evaluation result = evaluate_with(ranks, size);
      EXPECT_EQ(result.samples, 37) << ranks << " ranks, " << size;
      EXPECT_EQ(result.top1, alone.top1) << ranks << " ranks, " << size;
      EXPECT_NEAR(result.loss, alone.loss, 1e-5 * alone.loss) << ranks << " ranks, " << size;
    }
  }
}

TEST(Evaluate, DropsNothingOut) {
  const Evaluation first = evaluate_with(1, 8, kTinyNetwork);
  EXPECT_EQ(evaluate_with(1, 8, kTinyNetwork).loss, first.loss);
  EXPECT_NEAR(evaluate_with(3, 2, kTinyNetwork).loss, first.loss, 1e-5 * first.loss);
}

TEST(Evaluate, LeavesAuxiliaryHeadsOut) {
  const Evaluation alone = evaluate_with(1, 37, kTinyHeads);
  std::string without = kTinyHeads;  // other weights of the heads change nothing
  without.replace(without.find("weight = 0.3"), 12, "weight = 9.5");
  EXPECT_EQ(evaluate_with(1, 37, without.c_str()).loss, alone.loss);
  EXPECT_NEAR(evaluate_with(3, 5, kTinyHeads).loss, alone.loss, 1e-5 * alone.loss);
  EXPECT_EQ(alone.samples, 37);
}

// The training's loss is that of all losses by their weights; ranks and micro-batches agree on it.
TEST(AuxiliaryHeads, TrainTheSameOnAnyRanksAndMicroBatches) {
  const JobFolder folder;
  const std::string job =
      folder.write_job(kTinyHeads, "samples = 50\n[train]\nbatch = 16\nepochs = 2\n[log]\nevery = 1\n");
  train_here({job, folder.path("whole")});
  train_here({job, folder.path("ranks"), 3});
  train_here({job, folder.path("parts"), 1, {"train.micro_batch=5"}});
  EXPECT_EQ(losses_of(folder.path("whole")).size(), 8U);
  EXPECT_LT(largest_difference(losses_of(folder.path("ranks")), losses_of(folder.path("whole"))), 1e-5);
  EXPECT_LT(largest_difference(losses_of(folder.path("parts")), losses_of(folder.path("whole"))), 1e-5);
  const auto tensors = newest_tensors(folder.path("whole"));
  for (const char* name : {"head_ip.weight", "momentum.head_ip.bias", "other_ip.weight", "ip.weight"}) {
    EXPECT_TRUE(std::any_of(tensors.begin(), tensors.end(), [&](const auto& one) {
      return one.first == name;
    })) << name;
  }
}

/// Files under MNIST's names of `count` images of `side` x `side` pixels: 8 x 8 numbers, and zeros around
/// them.
void write_digits(const JobFolder& folder, std::uint32_t side, std::uint32_t count = 6) {
  Bytes images = idx_header({count, side, side});
  Bytes labels = idx_header({count});
  const std::uint32_t around = (side - 8) / 2;
  for (std::uint32_t i = 0; i < count; ++i) {
    for (std::uint32_t y = 0; y < side; ++y) {
      for (std::uint32_t x = 0; x < side; ++x) {
        const bool inside = std::max(x, y) < around + 8 && std::min(x, y) >= around;
        images.push_back(static_cast<std::uint8_t>(inside ? 1 + i * 37 + (y - around) * 11 + x - around : 0));
      }
    }
    labels.push_back(static_cast<std::uint8_t>(i % 4));
  }
  for (const std::string set : {"train", "t10k"}) {
    folder.write(set + "-images-idx3-ubyte", std::string(images.begin(), images.end()));
    folder.write(set + "-labels-idx1-ubyte", std::string(labels.begin(), labels.end()));
  }
}

/// Loss of a network that takes 12 x 12 pixels, on images of `side` x `side` padded to that.
double loss_on_digits(std::uint32_t side) {
  const JobFolder folder;
  write_digits(folder, side);
  std::string network = kTinyNetwork;
  network.replace(network.find("height = 8, width = 8"), 21, "height = 12, width = 12");
  const std::string job = folder.write_job(network, "classes = 4\nmean = [90]\ndeviation = [60]\n");
  double loss = 0;
  with_sessions(
      {job,
       folder.path("run"),
       1,
       {"data.kind=idx", "data.root=" + folder.path(""),
        "data.crop_padding=" + std::to_string((12 - side) / 2)}},
      [&](Session& session) {
        const Augmentation preparation = evaluation_augmentation(session.job(), session.graph().input());
        loss = evaluate(session.executor(), session.inputs().test, session.comm(), preparation, 1).loss;
      });
  return loss;
}

TEST(Evaluate, PutsImagesInTheMiddleOfANetworkThatTakesLargerOnes) {
  EXPECT_GT(loss_on_digits(12), 0);
  EXPECT_EQ(loss_on_digits(8), loss_on_digits(12));
}

/// Ten crops of each image of a set of 12 x 12 pixels, whose network takes 8 x 8; by the job's keys and in so
/// many ranks and crops at a time.
Evaluation ten_crops_of(int ranks, std::int64_t size, const std::string& crop) {
  const JobFolder folder;
  write_digits(folder, 12, 7);
  const std::string job = folder.write_job(kTinyNetwork, "classes = 4\nmean = [90]\ndeviation = [60]\n");
  Evaluation result;
  with_sessions({job,
                 folder.path("run"),
                 ranks,
                 {"data.kind=idx", "data.root=" + folder.path(""), "data.test_crop=" + crop,
                  "train.evaluate_batch=" + std::to_string(size)}},
                [&](Session& session) {
                  const Augmentation preparation =
                      evaluation_augmentation(session.job(), session.graph().input());
                  const Evaluation own =
                      evaluate(session.executor(), session.inputs().test, session.comm(), preparation, 2);
                  if (session.comm().rank() == 0) result = own;
                });
  return result;
}

TEST(Evaluate, OfTenCropsCountsEachImageOnceForAnyRanksAndSizes) {
  const Evaluation alone = ten_crops_of(1, 70, "ten-crop");
  EXPECT_EQ(alone.samples, 7);
  EXPECT_EQ(alone.top5, 1);
  EXPECT_GT(std::abs(alone.loss - ten_crops_of(1, 70, "centre").loss), 1e-4 * alone.loss);
  for (const int ranks : {1, 2, 3}) {
    for (const std::int64_t size : {1, 4, 10, 25, 100}) {
      const Evaluation result = ten_crops_of(ranks, size, "ten-crop");
      EXPECT_EQ(result.samples, 7) << ranks << " ranks, " << size;
      EXPECT_EQ(result.top1, alone.top1) << ranks << " ranks, " << size;
      EXPECT_NEAR(result.loss, alone.loss, 1e-5 * alone.loss) << ranks << " ranks, " << size;
    }
  }
}

// Against the ten windows cut by hand and sent through the network one by one.
TEST(Evaluate, OfTenCropsIsTheMeanOfTheirProbabilities) {
  const JobFolder folder;
  write_digits(folder, 12, 7);
  const std::string job = folder.write_job(kTinyNetwork, "classes = 4\nmean = [90]\ndeviation = [60]\n");
  const std::vector<std::string> sets{"data.kind=idx", "data.root=" + folder.path(""),
                                      "data.test_crop=ten-crop", "train.evaluate_batch=1"};
  with_sessions({job, folder.path("run"), 1, sets}, [&](Session& session) {
    Executor& executor = session.executor();
    const Segment& segment = *executor.plan().program.find(SegmentKind::evaluate, 1);
    const Dataset& set = *session.inputs().test;
    double loss = 0;
    double right = 0;
    Image image;
    for (std::int64_t n = 0; n < set.size(); ++n) {
      const std::int32_t label = set.read(n, image);
      std::array<double, 4> sums{};
      for (int k = 0; k < 10; ++k) {
        const std::array<std::array<int, 2>, 5> starts{{{0, 0}, {0, 4}, {4, 0}, {4, 4}, {2, 2}}};
        const auto [top, left] = starts[static_cast<std::size_t>(k % 5)];
        Bytes window;
        for (int y = 0; y < 8; ++y) {
          for (int x = 0; x < 8; ++x) {
            const int column = left + (k < 5 ? x : 7 - x);
            window.push_back(image.pixels[static_cast<std::size_t>((top + y) * 12 + column)]);
          }
        }
        executor.load(segment, window.data(), &label, 1);
        executor.run(segment, {.valid_samples = 1}, false);
        const std::vector<float> output = executor.output(segment);
        for (std::size_t c = 0; c < 4; ++c) sums[c] += output[c];
        loss -= std::log(output[static_cast<std::size_t>(label)]);
      }
      right += std::max_element(sums.begin(), sums.end()) - sums.begin() == label ? 1 : 0;
    }
    const Evaluation result = evaluate(executor, session.inputs().test, session.comm(),
                                       evaluation_augmentation(session.job(), session.graph().input()), 1);
    EXPECT_NEAR(result.loss, loss / 70, 1e-5 * result.loss);
    EXPECT_EQ(result.top1, right / 7);
  });
}

TEST(Evaluate, DoesNotDisturbTheTraining) {
  const JobFolder folder;
  const std::string job =
      folder.write_job(kTinyBatchNorm, "samples = 50\n[train]\nbatch = 8\nepochs = 3\n[log]\nevery = 1\n");
  train_here({job, folder.path("often")});
  train_here({job, folder.path("once"), 1, {"train.evaluate_every=0"}});
  EXPECT_EQ(losses_of(folder.path("often")), losses_of(folder.path("once")));
  EXPECT_EQ(newest_tensors(folder.path("often")), newest_tensors(folder.path("once")));
  EXPECT_EQ(metrics_of(folder.path("often"), "evaluation").size(), 3U);
  EXPECT_EQ(metrics_of(folder.path("once"), "evaluation").size(), 1U);
}

}  // namespace
}  // namespace convoy::test
