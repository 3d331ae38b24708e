#include "trainer/loss_scale.h"

#include <gtest/gtest.h>

#include "layers/core/error.h"

namespace convoy {
namespace {

TEST(LossScale, DoublesAfterTwoThousandGoodUpdatesInARow) {
  LossScale scale;
  EXPECT_EQ(scale.value(), 65536);
  for (int i = 0; i < 1999; ++i) scale.good_update();
  EXPECT_EQ(scale.value(), 65536);
  scale.good_update();
  EXPECT_EQ(scale.value(), 131072);
  EXPECT_EQ(scale.state().good_updates, 0);
}

TEST(LossScale, HalvesAtAnOverflowAndCountsAnew) {
  LossScale scale;
  for (int i = 0; i < 1999; ++i) scale.good_update();
  scale.overflow(1);
  EXPECT_EQ(scale.value(), 32768);
  for (int i = 0; i < 1999; ++i) scale.good_update();
  EXPECT_EQ(scale.value(), 32768);
}

TEST(LossScale, EndsTheRunWhereItCannotFallFurther) {
  LossScale scale;
  for (int i = 0; i < 16; ++i) scale.overflow(i);
  EXPECT_EQ(scale.value(), 1);
  try {
    scale.overflow(16);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::diverged);
  }
}

}  // namespace
}  // namespace convoy
