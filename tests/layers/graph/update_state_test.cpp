#include "layers/graph/update_state.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <set>

#include "trainer/storage/safetensors.h"

namespace convoy {
namespace {

constexpr double kOverflow = std::numeric_limits<double>::infinity();
constexpr UpdateRule kScaled{true, 0};

std::vector<float> values_of(const SafetensorsFile& file, const std::string& name) {
  const TensorView& tensor = *file.find(name);
  std::vector<float> values(tensor.data.size() / sizeof(float));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

TEST(UpdateState, ScalesLossesAsPyTorchDoes) {
  const SafetensorsFile golden = SafetensorsFile::open(CONVOY_SOURCE "/tests/golden/loss_scale.safetensors");
  const std::vector<float> overflows = values_of(golden, "overflows");
  const std::vector<float> changes = values_of(golden, "changes");
  const std::set<float> found(overflows.begin(), overflows.end());
  UpdateState state = first_update_state(kScaled);
  std::vector<float> mine;
  for (std::int64_t i = 0; i < std::stoll(golden.metadata().at("updates")); ++i) {
    const double before = state.loss_scale;
    const bool overflow = found.contains(static_cast<float>(i));
    decide_update(kScaled, overflow ? kOverflow : 1, i, state);
    ASSERT_EQ(state.skips_update != 0, overflow);
    if (!overflow) {
      ASSERT_EQ(state.gradient_scale, static_cast<float>(1 / before));
    }
    if (state.loss_scale != before) {
      mine.push_back(static_cast<float>(i));
      mine.push_back(static_cast<float>(state.loss_scale));
    }
  }
  EXPECT_GT(changes.size(), 20U);
  EXPECT_EQ(mine, changes);
  EXPECT_EQ(state.skipped_updates, std::ssize(found));
}

TEST(UpdateState, LeavesUpdatesOutWhoseGradientsAreNoNumbers) {
  for (const double squares : {kOverflow, std::numeric_limits<double>::quiet_NaN()}) {
    UpdateState state = first_update_state(kScaled);
    decide_update(kScaled, squares, 0, state);
    EXPECT_TRUE(skips_update(&state));
    EXPECT_EQ(state.loss_scale, 32768);
    decide_update(kScaled, 1, 1, state);
    EXPECT_FALSE(skips_update(&state));
    EXPECT_EQ(state.good_updates, 1);
  }
}

TEST(UpdateState, UpdatesNothingAfterAnOverflowWithAScaleOfOne) {
  UpdateState state = first_update_state(kScaled);
  for (int i = 0; i < 16; ++i) decide_update(kScaled, kOverflow, i, state);
  EXPECT_EQ(state.loss_scale, 1);
  EXPECT_EQ(state.stuck_at, -1);
  decide_update(kScaled, kOverflow, 16, state);
  EXPECT_EQ(state.stuck_at, 16);
  decide_update(kScaled, 1, 17, state);
  EXPECT_TRUE(skips_update(&state));
  EXPECT_EQ(state.stuck_at, 16);
  EXPECT_EQ(state.skipped_updates, 16);
}

TEST(UpdateState, ClipsTheNormOfTheGradientThatIsNotScaled) {
  const UpdateRule rule{true, 2};
  UpdateState state = first_update_state(rule);
  const double scaled = 65536.0 * 65536.0;
  decide_update(rule, 9 * scaled, 0, state);
  EXPECT_DOUBLE_EQ(state.gradient_norm, 3);
  EXPECT_FLOAT_EQ(state.gradient_scale, 2.F / 3 / 65536);
  decide_update(rule, 1 * scaled, 1, state);
  EXPECT_DOUBLE_EQ(state.gradient_norm, 1);
  EXPECT_EQ(state.gradient_scale, 1.F / 65536);
  decide_update(rule, kOverflow, 2, state);
  EXPECT_EQ(state.gradient_norm, 0) << "of an update that was left out";
}

// What is not finite then shows in the loss.
TEST(UpdateState, LeavesNoUpdateOutWithoutALossScale) {
  UpdateState state = first_update_state({false, 2});
  decide_update({false, 2}, std::numeric_limits<double>::quiet_NaN(), 0, state);
  EXPECT_FALSE(skips_update(&state));
  EXPECT_EQ(state.gradient_scale, 1);
  EXPECT_EQ(state.loss_scale, 1);
}

}  // namespace
}  // namespace convoy
