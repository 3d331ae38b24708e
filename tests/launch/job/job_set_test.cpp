#include <gmock/gmock.h>

#include "tests/launch/job/job_files.h"

namespace convoy::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class JobSet : public JobFolder {};

TEST_F(JobSet, SetsEveryType) {
  const Job job =
      parse(kLeastJob, {"seed=3", "train.batch = 32 ", "optimizer.learning_rate=1e-3", "data.flip=true",
                        "data.mean=[1, 2]", "memory.limit=1GiB", "data.root=/tmp/a b=c", "device=cpu"});
  EXPECT_EQ(job.seed, 3);
  EXPECT_EQ(job.train.batch, 32);
  EXPECT_DOUBLE_EQ(job.optimizer.learning_rate, 1e-3);
  EXPECT_TRUE(job.data.flip);
  EXPECT_EQ(job.data.mean, (std::vector<double>{1, 2}));
  EXPECT_EQ(job.memory.limit, "1GiB");
  EXPECT_EQ(job.data.root, "/tmp/a b=c");
  EXPECT_EQ(job.device, "cpu");
}

TEST_F(JobSet, TakesQuotedAndBareText) {
  EXPECT_EQ(parse(kLeastJob, {"data.root=\"/tmp/x\""}).data.root, "/tmp/x");
  EXPECT_EQ(parse(kLeastJob, {"data.root='/tmp/x'"}).data.root, "/tmp/x");
  EXPECT_EQ(parse(kLeastJob, {"data.root=a\"b\\c"}).data.root, "a\"b\\c");
  EXPECT_EQ(parse(kLeastJob, {"data.root=2012"}).data.root, "2012");
  EXPECT_EQ(parse(kLeastJob, {"data.root="}).data.root, "");
  EXPECT_EQ(parse(kLeastJob, {"memory.reserve=4096"}).memory.reserve, "4096");
}

TEST_F(JobSet, OverridesTheFileAndTheLastOneCounts) {
  const std::string job = kLeastJob + "[train]\nbatch = 5\n";
  EXPECT_EQ(parse(job, {"train.batch=6"}).train.batch, 6);
  EXPECT_EQ(parse(job, {"train.batch=6", "train.batch=7"}).train.batch, 7);
}

TEST_F(JobSet, GivesRequiredKeys) {
  EXPECT_EQ(parse("", {"network=net.toml", "data.kind=mnist"}).data.kind, "mnist");
}

TEST_F(JobSet, NamesAnUnknownKey) {
  const auto said = [&](const std::string& set) { return refusal(kLeastJob, {set}); };
  EXPECT_EQ(said("train.bach=3"),
            "--set \"train.bach=3\": unknown key \"train.bach\" (did you mean \"train.batch\"?)");
  EXPECT_THAT(said("trian.batch=3"), HasSubstr("(did you mean \"train.batch\"?)"));
  EXPECT_THAT(said("batch=3"), HasSubstr("unknown key \"batch\" (did you mean \"train.batch\"?)"));
  EXPECT_THAT(said("data.learning_rate=3"), HasSubstr("(did you mean \"optimizer.learning_rate\"?)"));
  EXPECT_THAT(said("train.seed=3"), HasSubstr("(did you mean \"seed\"?)"));
  EXPECT_THAT(said("lr=3"), HasSubstr("(did you mean \"optimizer.learning_rate\"?)"));
  EXPECT_THAT(said("zzzzzzzzzz.q=3"), HasSubstr("unknown key \"zzzzzzzzzz.q\"; `convoy train --help`"));
  EXPECT_THAT(said("=3"), HasSubstr("unknown key \"\""));
  EXPECT_THAT(said("train=3"),
              HasSubstr("\"train\" is a section; name one of its keys, such as train.batch"));
}

TEST_F(JobSet, NamesAWrongValue) {
  const auto said = [&](const std::string& set) { return refusal(kLeastJob, {set}); };
  EXPECT_THAT(said("train.batch=x"),
              StartsWith("--set \"train.batch=x\": [train]: key \"batch\": expected integer from "
                         "1 to 1000000000, found \"x\""));
  EXPECT_THAT(said("train.batch="), HasSubstr("found nothing"));
  EXPECT_THAT(said("train.batch=3.5"), HasSubstr("expected an integer, found a number"));
  EXPECT_THAT(said("train.batch=0"), HasSubstr("0 is out of range; it must be from 1"));
  EXPECT_THAT(said("train.batch=3\nepochs=4"), HasSubstr("found \"3\nepochs=4\""));
  EXPECT_THAT(said("schedule.type=stap"), HasSubstr("\"stap\" is not known (did you mean \"step\"?)"));
  EXPECT_THAT(said("memory.allow=['recompute', 'recompute']"),
              StartsWith("--set \"memory.allow=['recompute', 'recompute']\": [memory]: key \"allow\": "
                         "\"recompute\" stands twice"));
  EXPECT_THAT(said("memory.limit=12 parsecs"), HasSubstr("\"12 parsecs\" is not a size"));
  EXPECT_THAT(said("data.root=\"open"), HasSubstr("expected text, found \"\"open\""));
  EXPECT_THAT(said("data.root=\xFF"), HasSubstr("expected text"));
  EXPECT_THAT(said("train.batch"), HasSubstr("expected section.key=value"));
}

TEST_F(JobSet, HasNoPlaceInTheFile) {
  EXPECT_THAT(refusal(kLeastJob, {"train.batch=0"}), testing::Not(HasSubstr("job.toml")));
}

}  // namespace
}  // namespace convoy::test
