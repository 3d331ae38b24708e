#include <fmt/format.h>

#include "tests/end_to_end/job_under_test.h"

namespace convoy::test {
namespace {

using ::testing::HasSubstr;

/// A step of 200 images takes a gigabyte, and hardly any where they pass one by one.
constexpr const char* kWide = R"(name = "wide"
input = { channels = 1, height = 32, width = 32 }
layers = [
  { name = "conv1", type = "convolution", outputs = 256, kernel = 1 },
  { name = "lrn1", type = "lrn", size = 5 },
  { name = "pool1", type = "average_pool", global = true },
  { name = "ip", type = "fully_connected", outputs = 4 },
  { name = "loss", type = "softmax_loss" },
]
)";

class LessMemory : public JobUnderTest {
 protected:
  LessMemory() {
    use(kWide,
        "samples = 800\ntest_samples = 8\nmean = [128]\ndeviation = [64]\n[train]\nbatch = 800\nepochs = "
        "1\n[memory]\nlimit = \"3GiB\"\nallow = [\"micro_batch\"]\n");
  }
  /// Four ranks, of which rank 2 may have so many KiB of addresses.
  Ended train_with(const std::string& run_folder, std::int64_t kibibytes) {
    std::vector<std::string> words = train_words(4, run_folder);
    const auto binary = std::find(words.begin(), words.end(), convoy({})[0]);
    const std::string script = fmt::format(
        "[ \"${{OMPI_COMM_WORLD_RANK:-$PMI_RANK}}\" = 2 ] && ulimit -v {}; exec \"$@\"", kibibytes);
    words.insert(binary, {"/bin/sh", "-c", script, "sh"});
    return run(words, path(""));
  }
};

TEST_F(LessMemory, OnOneRankMakesAllPlanAgainAndTrain) {
  const Ended ended = train_with(path("run"), 1 << 20);
  ASSERT_EQ(ended.code, 0) << ended.all();
  EXPECT_EQ(count_of("rank 2 could not have its arena of", ended.out), 1) << ended.out;
  const boost::json::object summary = summary_of(path("run"));
  EXPECT_EQ(summary.at("planned_again"), 1);
  EXPECT_EQ(summary.at("complete"), true);
  EXPECT_EQ(summary.at("measured_peak_bytes"), summary.at("projected_bytes"));
  const boost::json::object plan = boost::json::parse(read_text(path("run") + "/plan.json")).as_object();
  EXPECT_EQ(plan.at("refusals").at(0).at("rank"), 2);
  EXPECT_LT(plan.at("micro_batch").as_int64(), 200);
  EXPECT_LT(plan.at("limit_bytes").as_int64(), std::int64_t{1} << 30);
}

TEST_F(LessMemory, ThanAnyPlanNeedsIsRefusedOnceWithTheRank) {
  // Enough for the process, and nothing beside it.
  const Ended ended = train_with(path("run"), 580 << 10);
  EXPECT_EQ(ended.code, 3) << ended.all();
  EXPECT_EQ(count_of("rank 2 could not have its arena of", ended.err), 1) << ended.err;
}

}  // namespace
}  // namespace convoy::test
