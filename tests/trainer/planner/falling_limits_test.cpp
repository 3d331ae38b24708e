// The large networks under limits that fall from what they take to less than they can come down to.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "layers/core/error.h"
#include "layers/cpu/cpu_backend.h"
#include "trainer/planner/plan_report.h"
#include "trainer/planner/search_plan.h"

namespace convoy::test {
namespace {

constexpr int kLimits = 30;

struct Large {
  std::string name;
  std::int64_t batch;
  friend void PrintTo(const Large& net, std::ostream* out) { *out << net.name; }
};

class FallingLimits : public testing::TestWithParam<Large> {
 protected:
  FallingLimits() {
    request_.samples = 10 * GetParam().batch;
    request_.batch = GetParam().batch;
    request_.may_shrink = request_.may_recompute = request_.update_in_backward = true;
    request_.limit_bytes = std::int64_t{1} << 50;
  }

  Plan plan(std::int64_t limit) {
    PlanRequest request = request_;
    request.limit_bytes = limit;
    return search_plan(graph_, request, *backend_, &lowerings_);
  }

  Graph graph_ = read_network(CONVOY_SOURCE "/configs/nets/" + GetParam().name + ".toml");
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  Lowerings lowerings_;
  PlanRequest request_;
};

TEST_P(FallingLimits, NeverRaiseThePeakAndEndInALimitThatDoes) {
  const Plan ample = plan(request_.limit_bytes);
  EXPECT_TRUE(action_lines(ample).empty());
  std::int64_t peak = ample.projected_bytes();
  bool fitted = true;
  int changed = 0;
  std::int64_t named = 0;
  for (int i = 0; i < kLimits; ++i) {
    // From all of it down to a fiftieth, by equal factors.
    const auto limit = static_cast<std::int64_t>(static_cast<double>(ample.projected_bytes()) *
                                                 std::pow(0.02, static_cast<double>(i) / (kLimits - 1)));
    const Plan one = plan(limit);
    EXPECT_LE(one.projected_bytes(), peak) << "limit " << limit;
    EXPECT_FALSE(one.fits() && !fitted) << "fits again at " << limit;
    EXPECT_EQ(one.fits(), one.projected_bytes() <= limit);
    if (one.fits() && one.projected_bytes() < ample.projected_bytes()) {
      ++changed;
      EXPECT_FALSE(action_lines(one).empty());
    }
    if (!one.fits()) {
      EXPECT_EQ(one.smallest_limit_bytes, one.projected_bytes());
      EXPECT_THROW(refuse_plan(one, graph_), Error);
      if (named == 0) named = one.smallest_limit_bytes;
      EXPECT_EQ(one.smallest_limit_bytes, named);
    }
    fitted = one.fits();
    peak = one.projected_bytes();
  }
  EXPECT_GE(changed, 3) << "limits that were met by doing something";
  ASSERT_FALSE(fitted);
  EXPECT_TRUE(plan(named).fits());
  EXPECT_FALSE(plan(named - 1).fits());
  fmt::print("{}, batch {}: {} bytes, the least {} ({:.2f} of it), {} of {} limits met by doing something\n",
             GetParam().name, GetParam().batch, ample.projected_bytes(), named,
             static_cast<double>(named) / static_cast<double>(ample.projected_bytes()), changed, kLimits);
}

INSTANTIATE_TEST_SUITE_P(Networks, FallingLimits,
                         testing::Values(Large{"alexnet", 256}, Large{"vgg16", 64}, Large{"resnet50", 64},
                                         Large{"googlenet", 64}),
                         [](const auto& net) { return net.param.name; });

}  // namespace
}  // namespace convoy::test
