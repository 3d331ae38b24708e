#include "tests/trainer/imagenet_steps.h"

#include <gtest/gtest.h>

// The two cheapest; imagenet_steps_heavy_test.cpp has the others.
namespace convoy::test {
namespace {

TEST(ImagenetSteps, LowerTheLossOfSqueezeNetAndAllocateNothing) {
  expect_three_good_steps({"squeezenet1_1", 2e-3});
}

TEST(ImagenetSteps, LowerTheLossOfResNet18AndAllocateNothing) { expect_three_good_steps({"resnet18", 1e-2}); }

}  // namespace
}  // namespace convoy::test
