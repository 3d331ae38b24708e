#include "tests/end_to_end/job_under_test.h"

namespace convoy::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Mistakes under mpirun with three ranks: the exit code is the job's, the message comes once.
class OneMessage : public JobUnderTest {
 protected:
  void expect(int code, const std::string& message, const std::vector<std::string>& sets) {
    const Ended ended = train(3, path("run"), sets);
    EXPECT_EQ(ended.code, code) << ended.all();
    EXPECT_EQ(count_of(message, ended.err), 1) << ended.err;
    EXPECT_EQ(count_of("convoy: ", ended.err), 1) << ended.err;
    EXPECT_LT(ended.seconds, 10);
    EXPECT_TRUE(all_gone(5));
  }
};

constexpr const char* kSmall = "samples = 40\ntest_samples = 8\n[train]\nbatch = 8\nepochs = 2\n";

TEST_F(OneMessage, ForAMisspeltKeyBeforeMpiStarts) {
  use(kTinyNetwork, "[train]\nbacth = 8\n");
  expect(2, "did you mean \"batch\"", {});
  EXPECT_FALSE(std::filesystem::exists(path("run")));
}

TEST_F(OneMessage, ForANetworkThatCannotBe) {
  use("name = \"net\"\ninput = { channels = 1, height = 2, width = 2 }\nlayers = [\n"
      "{ name = \"c\", type = \"convolution\", outputs = 4, kernel = 3 },\n{ type = \"softmax_loss\" },\n]\n",
      "");
  expect(2, "net.toml:4:", {});
}

TEST_F(OneMessage, ForALimitThatIsTooSmall) {
  use(kTinyNetwork, kSmall);
  expect(3, "does not fit", {"memory.limit=1KiB"});
  expect(3, "MiB for buffers of collectives", {"memory.limit=1KiB"});
  EXPECT_FALSE(std::filesystem::exists(path("run")));
}

TEST_F(OneMessage, ForALossThatIsNotFinite) {
  use(kTinyNetwork, kSmall);
  expect(6, "the training loss is not finite", {"optimizer.learning_rate=1e6"});
}

TEST_F(OneMessage, ForATestLossThatIsNotFinite) {
  use(kTinyNetwork, kSmall);
  expect(6, "the test loss is not finite", {"optimizer.learning_rate=1e6", "train.iterations=4"});
  EXPECT_FALSE(std::filesystem::exists(path("run") + "/checkpoints/step-000000004.safetensors"));
}

TEST_F(OneMessage, ForARunFolderThatIsAFile) {
  use(kTinyNetwork, kSmall);
  folder_.write("run", "a file");
  expect(2, "cannot make the run folder", {});
}

TEST_F(OneMessage, ForARunOfAnotherBatch) {
  use(kTinyNetwork, kSmall);
  ASSERT_EQ(train(0, path("run")).code, 0);
  expect(2, "batch = 8, and the job has 16", {"train.batch=16"});
}

TEST_F(OneMessage, WithoutALauncherDivergenceExits6) {
  use(kTinyNetwork, kSmall);
  const Ended ended = train(0, path("run"), {"optimizer.learning_rate=1e6"});
  EXPECT_EQ(ended.code, 6);
  EXPECT_THAT(ended.err, HasSubstr("lower optimizer.learning_rate"));
  EXPECT_THAT(ended.err, Not(HasSubstr("rank")));
}

}  // namespace
}  // namespace convoy::test
