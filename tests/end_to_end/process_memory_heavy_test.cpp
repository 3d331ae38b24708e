#include "tests/end_to_end/job_under_test.h"

namespace convoy::test {
namespace {

/// AlexNet, whose checkpoint has half a gigabyte: saving and reading it pass through the arena.
class ProcessMemory : public JobUnderTest {
 protected:
  ProcessMemory() {
    use(read_text(CONVOY_SOURCE "/configs/nets/alexnet.toml").c_str(),
        "samples = 32\ntest_samples = 8\nmean = [128]\ndeviation = [64]\n[train]\nbatch = 16\nepochs = "
        "1\n[checkpoint]\nkeep = 1\n");
  }
  /// Trains, saves and resumes, in a folder of its own.
  void expect_within_64_mib(const std::string& name, const std::vector<std::string>& sets) {
    for (const char* epochs : {"train.epochs=1", "train.epochs=2"}) {
      std::vector<std::string> all = sets;
      all.emplace_back(epochs);
      const boost::json::object summary = object_of(path(name), all);
      const std::int64_t beside =
          summary.at("process_peak_bytes").as_int64() - summary.at("projected_bytes").as_int64();
      EXPECT_LE(beside, 64 << 20) << name << " " << epochs;
      RecordProperty(name + epochs, std::to_string(beside));
      std::printf("%s, %s: %.1f MiB beside the projection\n", name.c_str(), epochs,
                  static_cast<double>(beside) / (1 << 20));
    }
  }
  boost::json::object object_of(const std::string& folder, const std::vector<std::string>& sets) {
    const Ended ended = train(0, folder, sets);
    EXPECT_EQ(ended.code, 0) << ended.all();
    return summary_of(folder);
  }
};

TEST_F(ProcessMemory, StaysWithin64MiBOfTheProjectionInTrainingSavingAndResuming) {
  expect_within_64_mib("run", {});
}

// Little lies above the flat buffers then, and the largest parameter has 144 MiB.
TEST_F(ProcessMemory, StaysWithinItWhereGradientsAreKept) {
  expect_within_64_mib("clipped", {"train.batch=4", "train.clip_norm=1e6"});
  expect_within_64_mib("in-parts", {"train.batch=8", "train.micro_batch=2"});
}

}  // namespace
}  // namespace convoy::test
