#include "trainer/resume_changes.h"

#include <gmock/gmock.h>

#include "tests/trainer/train_here.h"

namespace convoy::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(JobChanges, NameEachKeyWithItsOldAndNewValue) {
  const std::string before =
      "network = \"/a/net.toml\"\nseed = 1\n[train]\nbatch = 32\nprecision = \"fp32\"\n";
  const std::string now = "network = \"/b/net.toml\"\nseed = 1\n[train]\nbatch = 64\nprecision = \"bf16\"\n";
  EXPECT_THAT(job_changes(before, before), IsEmpty());
  EXPECT_THAT(job_changes(before, now),
              ElementsAre("train.batch: 32 -> 64", HasSubstr("train.precision: 'fp32' -> 'bf16'")));
  EXPECT_THAT(job_changes("no toml =", now), IsEmpty());
}

TEST(NetworkChanges, NameTheFirstLayerThatDiffers) {
  const auto network = [](const char* relu) {
    return std::string("name = \"n\"\ninput = { channels = 1, height = 4, width = 4 }\nlayers = [\n") + relu +
           "  { type = \"softmax_loss\" },\n]\n";
  };
  const std::string before = network("  { type = \"relu\" },\n");
  EXPECT_THAT(network_changes(before, before), IsEmpty());
  EXPECT_THAT(network_changes(before, network("  { type = \"tanh\" },\n")),
              ElementsAre(AllOf(HasSubstr("\"relu\" }, -> { type"), HasSubstr("tanh"))));
  EXPECT_THAT(network_changes(before, network("")), ElementsAre(HasSubstr("relu")));
}

class ChangedRun : public ::testing::Test {
 protected:
  std::string log() const { return read_text(run_ + "/log/rank-0.log"); }

  JobFolder folder_;
  std::string job_ = folder_.write_job(kTinyNetwork, "samples = 32\n[train]\nbatch = 16\nepochs = 2\n");
  std::string run_ = folder_.path("run");
};

TEST_F(ChangedRun, TellsWhatIsNotAsItWas) {
  train_here({job_, run_, 1, {"train.iterations=2"}});
  std::string network = read_text(folder_.path("net.toml"));
  network.replace(network.find("relu"), 4, "tanh");
  folder_.write("net.toml", network);
  train_here({job_, run_, 1, {"optimizer.learning_rate=0.002"}});
  EXPECT_THAT(log(), HasSubstr("changed since the checkpoint: optimizer.learning_rate: 0.01 -> 0.002"));
  EXPECT_THAT(log(), HasSubstr("changed since the checkpoint: network: { name = \"relu"));
}

TEST_F(ChangedRun, SaysNothingWhereAllIsAsItWas) {
  train_here({job_, run_, 1});
  train_here({job_, run_, 1});
  EXPECT_THAT(log(), Not(HasSubstr("changed since")));
}

TEST_F(ChangedRun, IsNotTakenBack) {
  train_here({job_, run_, 1});
  try {
    train_here({job_, run_, 1, {"train.epochs=1"}});
    FAIL() << "it went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_THAT(error.what(), HasSubstr("has done 4 updates already, and the job asks for 2"));
  }
}

}  // namespace
}  // namespace convoy::test
