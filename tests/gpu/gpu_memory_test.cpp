#include <gtest/gtest.h>

#include <cstdlib>

#include "layers/device/cuda/cuda_device.h"
#include "tests/trainer/train_here.h"

// What others took of a GPU's memory; and precisions that only GPUs have.
namespace convoy::test {
namespace {

std::string networks() {
  const char* bundle = std::getenv("CONVOY_TEST_SOURCE");
  return std::string(bundle != nullptr ? bundle : CONVOY_SOURCE) + "/configs/nets/";
}

class GpuMemory : public ::testing::Test {
 protected:
  boost::json::object train(const std::string& network, const std::string& batch,
                            std::vector<std::string> sets) {
    const std::string run = folder_.path("run-" + std::to_string(runs_++));
    const std::string job = folder_.write(
        "job.toml",
        "network = \"" + network + "\"\ndevice = \"cuda\"\n[data]\nkind = \"synthetic\"\nsamples = 512\n" +
            "test_samples = 8\n[train]\nepochs = 2\nbatch = " + batch +
            "\nevaluate_every = 0\n[checkpoint]\nevery_epochs = 0\n[optimizer]\nlearning_rate = 0.001\n" +
            "[log]\nevery = 1\n");
    train_here({job, run, 1, std::move(sets)});
    losses_ = losses_of(run);
    return summary_of(run);
  }

  JobFolder folder_;
  std::vector<double> losses_;
  int runs_ = 0;
};

TEST_F(GpuMemory, TrainsInWhatOthersLeft) {
  CudaDevice other(0);
  const std::int64_t left = std::int64_t{3} << 30;
  const std::int64_t taken = other.info().free_bytes - left;
  if (taken <= 0) GTEST_SKIP() << "less than 3 GiB are free";
  void* memory = other.allocate(taken);
  const boost::json::object summary = train(networks() + "vgg16.toml", "128", {});
  other.release(memory, taken);
  EXPECT_LE(summary.at("projected_bytes").as_int64(), left + (std::int64_t{1} << 29)) << "with its context";
  EXPECT_LE(summary.at("measured_peak_bytes").as_int64(), summary.at("projected_bytes").as_int64());
  EXPECT_EQ(summary.at("device_allocations_after_first_step").as_int64(), 0);
}

TEST_F(GpuMemory, RoundsToTf32OnlyWhenAsked) {
  if (!CudaDevice(0).info().tf32) GTEST_SKIP() << "the GPU has no TF32";
  const std::string network = networks() + "alexnet.toml";
  const boost::json::object strict = train(network, "64", {});
  const std::vector<double> reference = losses_;
  const boost::json::object rounded = train(network, "64", {"train.precision=\"tf32\""});
  EXPECT_NE(losses_, reference);
  EXPECT_LT(largest_difference(losses_, reference), 1e-2);
  EXPECT_EQ(rounded.at("projected_bytes"), strict.at("projected_bytes"));
}

}  // namespace
}  // namespace convoy::test
