#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <map>
#include <ostream>

#include "layers/core/error.h"
#include "tests/trainer/train_here.h"

// The large networks train in a part of the memory that they would take, and learn the same.
namespace convoy::test {
namespace {

/// How near the losses must be to those without a limit.
enum class Same : std::uint8_t {
  bits,      ///< recompute alone is enough
  sums,      ///< 1e-5, relative: micro-batches add up
  learning,  ///< they need only fall: batch norm's statistics are of smaller micro-batches
};

struct Case {
  std::string name;
  std::int64_t batch;
  double rate;
  int steps;
  int percent;  ///< of the unconstrained peak
  Same same;
  friend void PrintTo(const Case& one, std::ostream* out) {
    *out << one.name << " at " << one.percent << "%";
  }
};

/// What steps on one batch tell.
struct Steps {
  std::vector<double> losses;
  std::int64_t projected = 0;
  std::int64_t micro_batch = 0;
  bool recomputes = false;
};

Steps train_steps(const Case& one, const std::vector<std::string>& sets) {
  const JobFolder folder;
  const std::string sections = fmt::format(
      "samples = {0}\nmean = [128]\ndeviation = [64]\n[train]\nbatch = {0}\nepochs = 1\nevaluate_batch = "
      "1\n[optimizer]\nmomentum = 0\n[memory]\nstatistics_batch = {1}\n",
      one.batch, one.same == Same::learning ? one.batch / 4 : one.batch);
  const std::string job =
      folder.write_job(read_text(CONVOY_SOURCE "/configs/nets/" + one.name + ".toml"), sections);
  Steps steps;
  with_sessions({job, folder.path("run"), 1, sets}, [&](Session& session) {
    for (int i = 0; i < one.steps; ++i) {
      take_steps(session, 1, one.rate);
      steps.losses.push_back(session.executor().metrics().loss / static_cast<double>(one.batch));
    }
    steps.projected = session.plan().projected_bytes();
    steps.micro_batch = session.plan().micro_batch;
    steps.recomputes = !session.plan().program.choices.recompute.empty();
    EXPECT_EQ(session.device().peak_bytes(), session.plan().arena_bytes());
  });
  return steps;
}

class SmallLimits : public testing::TestWithParam<Case> {
 protected:
  /// Without a limit; the same for all limits of a network.
  static const Steps& ample(const Case& one) {
    static std::map<std::string, Steps> known;
    const auto found = known.find(one.name);
    return found != known.end() ? found->second : known.emplace(one.name, train_steps(one, {})).first->second;
  }
};

TEST_P(SmallLimits, TrainToTheSameLosses) {
  const Case& one = GetParam();
  const Steps& whole = ample(one);
  ASSERT_EQ(whole.micro_batch, one.batch);
  ASSERT_FALSE(whole.recomputes);
  const std::int64_t limit = whole.projected * one.percent / 100;
  const Steps part = train_steps(one, {fmt::format("memory.limit={}", limit)});
  EXPECT_LE(part.projected, limit);
  fmt::print("{}, batch {}, {}%: {} of {} bytes, {} at a time{}; losses {:.7f}, apart {:.1e}\n", one.name,
             one.batch, one.percent, part.projected, whole.projected, part.micro_batch,
             part.recomputes ? ", recomputes" : "", fmt::join(part.losses, " "),
             largest_difference(part.losses, whole.losses));
  EXPECT_LT(whole.losses.back(), whole.losses.front());
  EXPECT_LT(part.losses.back(), part.losses.front());
  if (one.same == Same::learning) return;
  EXPECT_LT(largest_difference(part.losses, whole.losses), 1e-5);
  if (one.same == Same::bits) {
    EXPECT_EQ(part.micro_batch, one.batch);
    EXPECT_TRUE(part.recomputes);
    EXPECT_EQ(part.losses, whole.losses);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, SmallLimits,
    testing::Values(Case{"alexnet", 256, 1e-4, 3, 60, Same::sums},
                    Case{"alexnet", 256, 1e-4, 3, 40, Same::sums},
                    Case{"alexnet", 256, 1e-4, 3, 25, Same::sums}, Case{"vgg16", 72, 1e-5, 2, 60, Same::sums},
                    Case{"vgg16", 72, 1e-5, 2, 40, Same::sums}, Case{"vgg16", 72, 1e-5, 2, 25, Same::sums},
                    Case{"resnet50", 32, 1e-3, 3, 60, Same::bits},
                    Case{"resnet50", 32, 1e-3, 3, 40, Same::learning},
                    Case{"resnet50", 32, 1e-3, 3, 25, Same::learning}),
    [](const auto& one) { return fmt::format("{}At{}Percent", one.param.name, one.param.percent); });

/// Promise 2, for a network whose peak is in its weights.
TEST(TightAlexNet, ALimitOfTheProjectionTrainsAndOneByteLessIsAnotherPlanOrARefusal) {
  const Case one{"alexnet", 8, 1e-4, 3, 100, Same::sums};
  const Steps whole = train_steps(one, {});
  const auto limit = [](std::int64_t bytes) { return fmt::format("memory.limit={}", bytes); };
  const Steps same = train_steps(one, {limit(whole.projected)});
  EXPECT_EQ(same.projected, whole.projected);
  EXPECT_EQ(same.losses, whole.losses);
  const Steps less = train_steps(one, {limit(whole.projected - 1)});
  EXPECT_LT(less.projected, whole.projected);
  EXPECT_LT(largest_difference(less.losses, whole.losses), 1e-5);
  try {
    train_steps(one, {limit(whole.projected - 1), "memory.allow=[]"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::does_not_fit);
  }
}

}  // namespace
}  // namespace convoy::test
