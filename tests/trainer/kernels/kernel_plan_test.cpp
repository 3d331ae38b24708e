#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>

#include "layers/cpu/cpu_backend.h"
#include "tests/layers/cpu/fake_timer.h"
#include "tests/layers/cuda/host_backend.h"
#include "tests/layers/cuda/pretended_libraries.h"
#include "trainer/kernels/kernel_cache.h"
#include "trainer/kernels/kernel_plan.h"
#include "trainer/planner/search_plan.h"

namespace convoy::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

constexpr const char* kNetwork = R"(name = "net"
input = { channels = 3, height = 12, width = 12 }
layers = [
  { name = "conv1", type = "convolution", outputs = 20, kernel = 3, padding = 1 },
  { name = "conv2", type = "convolution", outputs = 17, kernel = 3 },
  { name = "ip", type = "fully_connected", outputs = 4 },
  { name = "loss", type = "softmax_loss" },
]
)";

class KernelPlans : public testing::Test {
 protected:
  KernelPlans() {
    request_.samples = request_.batch = 24;
    request_.limit_bytes = std::int64_t{1} << 40;
    settings_.cache = folder_ + "/cache";
    settings_.measure = true;
    settings_.make_timer = [this](double, std::int64_t) {
      ++timers_;
      auto timer = std::make_unique<FakeTimer>();
      // GEMM wins everywhere.
      timer->of = times({{{" to "}, 0}, {{"plain gemm"}, 1e-4}}, 1e-3);
      return timer;
    };
  }
  ~KernelPlans() override { fs::remove_all(folder_); }

  KernelPlan plan(const KernelSettings& settings) {
    return plan_with_kernels(graph_, request_, settings, *make_single());
  }
  std::string implementation(const KernelPlan& made, const std::string& step) const {
    for (const Step& one : made.plan.program.steps) {
      if (one.name == step) return one.lowered->implementation(one.pass);
    }
    return "";
  }

  std::string folder_ =
      (fs::temp_directory_path() / ("convoy-kernel-plans-" + std::to_string(getpid()))).string();
  Graph graph_ = parse_network(kNetwork, "net.toml");
  PlanRequest request_;
  KernelSettings settings_;
  int timers_ = 0;
};

TEST_F(KernelPlans, WithoutSettingsTakesTheUsualKernels) {
  const KernelPlan made = plan({});
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  EXPECT_EQ(hash_of(made.plan.program, *made.backend),
            hash_of(search_plan(graph_, request_, *backend).program, *backend));
  EXPECT_EQ(made.kernels.line(), "");
  EXPECT_FALSE(fs::exists(settings_.cache));
}

TEST_F(KernelPlans, TakesWhatIsFasterAndRemembersIt) {
  const KernelPlan first = plan(settings_);
  EXPECT_THAT(implementation(first, "forward conv2"), HasSubstr("gemm"));
  EXPECT_EQ(first.kernels.problems, 2);
  EXPECT_EQ(first.kernels.measured, 2);
  EXPECT_EQ(first.kernels.differ, 2);
  EXPECT_THAT(first.kernels.line(), HasSubstr("2 of 2 problems run otherwise than usual"));
  const KernelPlan second = plan(settings_);
  EXPECT_EQ(second.kernels.measured, 0);
  EXPECT_EQ(second.kernels.differ, 2);
  EXPECT_EQ(hash_of(second.plan.program, *second.backend), hash_of(first.plan.program, *first.backend));
}

TEST_F(KernelPlans, OnceMadeAreNotMeasuredButTakenFromTheCache) {
  plan(settings_);
  settings_.measure = false;
  timers_ = 0;
  EXPECT_EQ(plan(settings_).kernels.differ, 2);
  EXPECT_EQ(timers_, 0);
}

TEST_F(KernelPlans, OfARunThatGoesOnTakeItsKernelsAndNoOthers) {
  const KernelPlan first = plan(settings_);
  std::ofstream(folder_ + "/kernels.json") << first.kernels.table.text();
  // Now the usual ways win, and the cache says so.
  fs::remove_all(settings_.cache);
  settings_.make_timer = [](double, std::int64_t) {
    auto timer = std::make_unique<FakeTimer>();
    timer->of = times({{{" to "}, 0}, {{"gemm"}, 1}}, 1e-3);
    return timer;
  };
  EXPECT_EQ(plan(settings_).kernels.differ, 0);
  settings_.kept = folder_ + "/kernels.json";
  const KernelPlan again = plan(settings_);
  EXPECT_EQ(again.kernels.measured, 0);
  EXPECT_EQ(hash_of(again.plan.program, *again.backend), hash_of(first.plan.program, *first.backend));
  settings_.kept = folder_ + "/missing.json";
  EXPECT_EQ(plan(settings_).kernels.known, 0) << "of before there was a choice";
}

TEST_F(KernelPlans, WithADamagedTableWarnAndTakeTheUsualKernels) {
  fs::create_directories(folder_);
  std::ofstream(folder_ + "/kernels.json") << "{";
  settings_.kept = folder_ + "/kernels.json";
  const KernelPlan made = plan(settings_);
  EXPECT_EQ(made.kernels.differ, 0);
  EXPECT_THAT(made.kernels.warnings, ElementsAre(HasSubstr("kernels.json")));
}

TEST_F(KernelPlans, AreTheSameOnAllRanksAndOneMeasures) {
  std::mutex mutex;
  std::vector<std::uint64_t> hashes;
  run_ranks(3, [&](Communicator& comm) {
    const KernelPlan made = plan_with_kernels(graph_, request_, settings_, comm);
    const std::lock_guard<std::mutex> lock(mutex);
    hashes.push_back(hash_of(made.plan.program, *made.backend));
    EXPECT_EQ(made.kernels.differ, 2);
  });
  ASSERT_EQ(hashes.size(), 3U);
  EXPECT_EQ(hashes[1], hashes[0]);
  EXPECT_EQ(hashes[2], hashes[0]);
  EXPECT_EQ(timers_, 1);
}

TEST_F(KernelPlans, FitWhereThoseOfTheUsualKernelsFit) {
  const std::int64_t usual = plan({}).plan.arena_bytes();
  const std::int64_t fast = plan(settings_).plan.arena_bytes();
  for (const std::int64_t limit : {usual, fast, std::max(usual, fast)}) {
    request_.limit_bytes = limit;
    const KernelPlan made = plan(settings_);
    EXPECT_EQ(made.plan.fits(), limit >= std::min(usual, fast));
    EXPECT_EQ(made.kernels.too_large, limit < fast);
  }
}

TEST_F(KernelPlans, ThatDoNotFitAreNotMeasuredFor) {
  request_.limit_bytes = 1;
  const KernelPlan made = plan(settings_);
  EXPECT_FALSE(made.plan.fits());
  EXPECT_EQ(timers_, 0);
}

/// With a backend of GPUs, of whose libraries' kernels "quick" wins.
class GpuKernelPlans : public KernelPlans {
 protected:
  GpuKernelPlans() {
    settings_.make_timer = [this](double, std::int64_t bytes) {
      ++timers_;
      auto timer = std::make_unique<FakeTimer>();
      timer->limit = bytes;
      timer->of = times({{{"quick"}, 1e-4}}, 1e-3);
      return timer;
    };
  }
  KernelPlan plan_here(Communicator& comm, const std::string& conditions = "a GPU") {
    thread_local HostAsGpu device;  // a rank is a thread
    return plan_with_kernels(
        graph_, request_, settings_, comm,
        make_backend_with_libraries(device, {.kernels = {"favourite", "quick"}, .conditions = conditions}));
  }
};

TEST_F(GpuKernelPlans, TakeWhatIsFasterAndRememberItForTheSameGpuAndLibraries) {
  const KernelPlan first = plan_here(*make_single());
  EXPECT_EQ(first.kernels.measured, 3) << "products, too, and all in the memory of the arena";
  EXPECT_EQ(first.kernels.differ, 3);
  for (const char* step : {"forward conv2", "backward_weights conv2", "forward ip"})
    EXPECT_EQ(implementation(first, step), "quick");
  EXPECT_EQ(plan_here(*make_single()).kernels.measured, 0);
  EXPECT_EQ(plan_here(*make_single(), "another GPU").kernels.measured, 3);
  settings_ = {};
  EXPECT_EQ(implementation(plan_here(*make_single()), "forward conv2"), "favourite");
}

TEST_F(GpuKernelPlans, AreTheSameOnAllRanksAndOneMeasures) {
  std::mutex mutex;
  std::vector<std::string> forward;
  run_ranks(3, [&](Communicator& comm) {
    const KernelPlan made = plan_here(comm);
    const std::lock_guard<std::mutex> lock(mutex);
    forward.push_back(implementation(made, "forward conv1"));
  });
  EXPECT_THAT(forward, ElementsAre("quick", "quick", "quick"));
  EXPECT_EQ(timers_, 1);
}

TEST_F(GpuKernelPlans, DoNotDependOnTheChoice) {
  const KernelPlan quick = plan_here(*make_single());
  settings_ = {};
  const KernelPlan usual = plan_here(*make_single());
  EXPECT_EQ(quick.plan.arena_bytes(), usual.plan.arena_bytes());
  EXPECT_EQ(hash_of(quick.plan.program, *quick.backend), hash_of(usual.plan.program, *usual.backend));
}

}  // namespace
}  // namespace convoy::test
