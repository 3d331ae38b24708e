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
  boost::json::object object_of(const std::string& folder, const std::vector<std::string>& sets) {
    const Ended ended = train(0, folder, sets);
    EXPECT_EQ(ended.code, 0) << ended.all();
    return summary_of(folder);
  }
};

TEST_F(ProcessMemory, StaysWithin64MiBOfTheProjectionInTrainingSavingAndResuming) {
  for (const char* epochs : {"train.epochs=1", "train.epochs=2"}) {
    const boost::json::object summary = object_of(path("run"), {epochs});
    const std::int64_t beside =
        summary.at("process_peak_bytes").as_int64() - summary.at("projected_bytes").as_int64();
    EXPECT_LE(beside, 64 << 20) << epochs;
    RecordProperty(epochs, std::to_string(beside));
    std::printf("%s: %.1f MiB beside the projection\n", epochs, static_cast<double>(beside) / (1 << 20));
  }
}

}  // namespace
}  // namespace convoy::test
