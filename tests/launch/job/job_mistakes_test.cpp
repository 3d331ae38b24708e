#include <gmock/gmock.h>

#include "tests/launch/job/job_files.h"

namespace convoy::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Lines added to the least job (the first of them is line 5 and stands in [data]), and what the message
/// says.
struct Mistake {
  const char* name;
  std::string lines;
  std::string place;
  std::vector<std::string> says;
};

void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

class JobMistake : public JobFolder, public testing::WithParamInterface<Mistake> {};

TEST_P(JobMistake, IsNamedWithItsPlaceAndCure) {
  const std::string message = refusal(kLeastJob + GetParam().lines);
  EXPECT_THAT(message, StartsWith("job.toml:" + GetParam().place + ": "));
  for (const std::string& part : GetParam().says) EXPECT_THAT(message, HasSubstr(part));
}

const std::vector<Mistake> kMistakes{
    {"UnknownKey",
     "[train]\nbach = 3",
     "6:1",
     {"[train]", "unknown key \"bach\"", "did you mean \"batch\"?"}},
    {"UnknownKeyOfAnotherSection",
     "bach = 3",
     "5:1",
     {"[data]", "unknown key \"bach\"", "did you mean \"batch\" in [train]?"}},
    {"UnknownKeyThatNothingIsNear",
     "[log]\nzzzzzzzz = 3",
     "6:1",
     {"unknown key \"zzzzzzzz\"; [log] has every"}},
    {"NameOfAnotherSystem", "batch_size = 3", "5:1", {"did you mean \"batch\" in [train]?"}},
    {"WrongSection", "batch = 3", "5:1", {"[data]: unknown key \"batch\"; it belongs in [train]"}},
    {"WrongSectionOfTwo", "[train]\ntype = 'sgd'", "6:1", {"it belongs in [optimizer] or in [schedule]"}},
    {"TopKeyInASection", "seed = 3", "5:1", {"\"seed\"; it belongs above the first section"}},
    {"UnknownSection", "[trian]\nbatch = 3", "5:2", {"unknown section [trian]", "did you mean [train]?"}},
    {"UnknownSectionThatNothingIsNear",
     "[kubernetes]\n",
     "5:2",
     {"unknown section [kubernetes]; the sections are"}},
    {"SectionTwice", "[train]\nbatch = 3\n[train]\nepochs = 3", "7:1", {"not valid TOML", "'train'"}},
    {"KeyTwice", "[train]\nbatch = 3\nbatch = 4", "7:9", {"not valid TOML", "'batch'"}},
    {"SectionInDoubleBrackets",
     "[[train]]\nbatch = 3",
     "5:3",
     {"\"train\" is a section; write [train] once"}},
    {"SectionInASection", "[train.extra]\n", "5:8", {"[train]: unknown key \"extra\""}},
    {"KeyAsSection", "[seed]\n", "5:1", {"job: key \"seed\": expected an integer, found a table"}},
    {"NotToml", "[train]\nbatch = \n", "6:9", {"not valid TOML"}},
    {"TextForInteger",
     "[train]\nbatch = 'x'",
     "6:9",
     {"[train]: key \"batch\": expected an integer, found a string"}},
    {"NumberForInteger", "[train]\nbatch = 3.5", "6:9", {"expected an integer, found a number"}},
    {"TextForNumber", "[optimizer]\nmomentum = '0.9'", "6:12", {"key \"momentum\": expected a number"}},
    {"IntegerForBoolean", "flip = 1", "5:8", {"key \"flip\": expected true or false, found an integer"}},
    {"IntegerForText", "root = 1", "5:8", {"key \"root\": expected a string"}},
    {"NumberForNumbers", "mean = 1", "5:8", {"key \"mean\": expected an array of numbers"}},
    {"TextInNumbers", "mean = [1, 'x']", "5:8", {"expected an array of numbers, found a string in it"}},
    {"ArrayForSize", "[memory]\nlimit = [1]", "6:9", {"key \"limit\": expected a size such as \"4GiB\""}},
    {"IntegerTooSmall", "[train]\nbatch = 0", "6:9", {"0 is out of range; it must be from 1 to 1000000000"}},
    {"IntegerTooLarge", "[train]\nbatch = 1000000001", "6:9", {"out of range"}},
    {"NoEpochs", "[train]\nepochs = 0", "6:10", {"key \"epochs\": 0 is out of range"}},
    {"NumberTooLarge", "[schedule]\nfinal = 1.5", "6:9", {"1.5 is out of range; it must be from 0 to 1"}},
    {"NumberAtAnOpenEnd", "[optimizer]\nmomentum = 1.0", "6:12", {"it must be at least 0 and below 1"}},
    {"NumberAtAnOpenStart", "[schedule]\nstep_epochs = 0", "6:15", {"it must be above 0 and at most 1"}},
    {"NotFinite", "[optimizer]\nlearning_rate = inf", "6:17", {"inf is out of range"}},
    {"NotANumber", "[optimizer]\nlearning_rate = nan", "6:17", {"nan is out of range"}},
    {"IntegerThatNoDoubleHolds",
     "[optimizer]\nlearning_rate = 9223372036854775807",
     "6:17",
     {"9223372036854775807 is out of range"}},
    {"IntegersThatNoDoubleHolds",
     "mean = [9223372036854775807]",
     "5:8",
     {"9223372036854775807 is out of range"}},
    {"UnknownWord",
     "[schedule]\ntype = 'cosin'",
     "6:8",
     {"\"cosin\" is not known", "did you mean \"cosine\"?", "known are constant, step, multi_step"}},
    {"WordTwice",
     "[memory]\nallow = ['recompute', 'micro_batch',\n  'recompute']",
     "7:3",
     {"key \"allow\": \"recompute\" stands twice"}},
    {"NoSize", "[memory]\nlimit = '12 parsecs'", "6:9", {"\"12 parsecs\" is not a size", "or \"auto\""}},
    {"SizeWithAnExponent", "[memory]\nlimit = '1e9'", "6:9", {"\"1e9\" is not a size", "KiB, MiB, GiB"}},
    {"NearlyAuto", "[memory]\nlimit = 'atuo'", "6:9", {"did you mean \"auto\"?"}},
    {"NegativeSize", "[memory]\nlimit = -1", "6:9", {"\"-1\" is not a size"}},
    {"ZeroLimit", "[memory]\nlimit = 0", "6:9", {"\"0\" is too small; it must be at least 1 B"}},
    {"NegativeDeviation", "deviation = [-1]", "5:13", {"-1 is out of range"}},
    {"ZeroDeviation",
     "deviation = [1, 0]",
     "5:13",
     {"key \"deviation\": 0 is out of range; it must be above 0"}},
};

INSTANTIATE_TEST_SUITE_P(All, JobMistake, testing::ValuesIn(kMistakes),
                         [](const auto& parameters) { return std::string(parameters.param.name); });

}  // namespace
}  // namespace convoy::test
