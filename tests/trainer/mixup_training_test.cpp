#include <gtest/gtest.h>

#include <cmath>

#include "tests/trainer/train_here.h"
#include "trainer/data/loader.h"
#include "trainer/preparation.h"

// Training on mixed samples: the same on any ranks and micro-batches, and after a resume.

namespace convoy::test {
namespace {

constexpr const char* kMixed = R"(samples = 53
test_samples = 10
flip = true
mixup = 0.4
[train]
batch = 15
epochs = 3
[log]
every = 1
)";

TEST(MixupTraining, IsTheSameOnAnyRanksAndMicroBatchesAndAfterAResume) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyHeads, kMixed);
  train_here({job, folder.path("one")});
  const std::vector<double> losses = losses_of(folder.path("one"));
  ASSERT_EQ(losses.size(), 12U);
  train_here({job, folder.path("ranks"), 3});
  EXPECT_LT(largest_difference(losses_of(folder.path("ranks")), losses), 1e-5);
  train_here({job, folder.path("parts"), 2, {"train.micro_batch=3", "data.loader_threads=3"}});
  EXPECT_LT(largest_difference(losses_of(folder.path("parts")), losses), 1e-5);
  train_here({job, folder.path("half"), 1, {"train.iterations=5"}});
  train_here({job, folder.path("half")});
  EXPECT_EQ(losses_of(folder.path("half")), losses);
  EXPECT_EQ(newest_tensors(folder.path("half")), newest_tensors(folder.path("one")));
  train_here({job, folder.path("plain"), 1, {"data.mixup=0"}});
  EXPECT_GT(largest_difference(losses_of(folder.path("plain")), losses), 1e-3);
}

// The first loss, by hand: probabilities of the mixed images, against both labels by their shares.
TEST(MixupTraining, LossIsThatOfBothLabels) {
  const JobFolder folder;
  std::string network = kTinyNetwork;
  const std::size_t drop = network.find("  { name = \"drop1\"");
  network.erase(drop, network.find('\n', drop) + 1 - drop);
  const std::string job = folder.write_job(network,
                                           "samples = 24\ntest_samples = 24\nmixup = 1\n[train]\nbatch = 24\n"
                                           "epochs = 1\n[log]\nevery = 1\n");
  train_here({job, folder.path("run")});
  double expected = 0;
  with_sessions({job, folder.path("other"), 1, {"train.evaluate_batch=24"}}, [&](Session& session) {
    LoaderOptions options;
    options.batch = 24;
    options.seed = static_cast<std::uint64_t>(session.job().seed);
    options.augmentation = training_augmentation(session.job(), session.graph().input());
    Loader loader(session.inputs().train, session.graph().input(), options);
    const Batch& batch = *loader.next();
    Executor& executor = session.executor();
    const Segment& segment = *executor.plan().program.find(SegmentKind::evaluate, 24);
    executor.load(segment, batch.pixels.data(), batch.labels.data(), 24);
    executor.run(segment, {.valid_samples = 24}, false);
    const std::vector<float> output = executor.output(segment);
    for (std::size_t n = 0; n < 24; ++n) {
      const SecondLabel& second = batch.second_labels[n];
      const auto of = [&](std::int32_t label) {
        return -std::log(static_cast<double>(output[n * 4 + static_cast<std::size_t>(label)]));
      };
      expected += (1 - second.share) * of(batch.labels[n]) + second.share * of(second.label);
    }
  });
  EXPECT_NEAR(losses_of(folder.path("run"))[0], expected / 24, 1e-5 * expected / 24);
}

TEST(MixupTraining, SecondLabelsArePlanned) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyNetwork, kMixed);
  for (const bool mixed : {true, false}) {
    with_sessions({job, folder.path("run"), 1, {mixed ? "data.mixup=0.4" : "data.mixup=0"}},
                  [&](Session& session) {
                    const Program& program = session.plan().program;
                    for (const Segment& segment : program.segments) {
                      const bool has = mixed && segment.kind == SegmentKind::train;
                      EXPECT_EQ(segment.second_labels >= 0, has);
                      if (!has) continue;
                      const Tensor& tensor = program.tensors[static_cast<std::size_t>(segment.second_labels)];
                      EXPECT_EQ(tensor.bytes, 8 * segment.samples);
                      EXPECT_EQ(tensor.category, Category::input);
                    }
                  });
  }
}

}  // namespace
}  // namespace convoy::test
