#include <gtest/gtest.h>

#include "tests/trainer/imagenet_steps.h"

// All networks of ImageNet size but the two of imagenet_steps_test.cpp: seconds a step, gigabytes of weights.
namespace convoy::test {
namespace {

class ImagenetStepsOfLarge : public testing::TestWithParam<ImagenetNetwork> {};

TEST_P(ImagenetStepsOfLarge, LowerTheLossAndAllocateNothing) { expect_three_good_steps(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Configs, ImagenetStepsOfLarge,
                         testing::Values(ImagenetNetwork{"alexnet", 1e-4},
                                         ImagenetNetwork{"alexnet_owt", 1e-5}, ImagenetNetwork{"zfnet", 1e-5},
                                         ImagenetNetwork{"nin_imagenet"}, ImagenetNetwork{"vgg11", 1e-5},
                                         ImagenetNetwork{"vgg13", 1e-5}, ImagenetNetwork{"vgg16", 1e-5},
                                         ImagenetNetwork{"vgg19", 1e-5}, ImagenetNetwork{"googlenet"},
                                         ImagenetNetwork{"googlenet_bn"}, ImagenetNetwork{"resnet34"},
                                         ImagenetNetwork{"resnet50"}, ImagenetNetwork{"resnet101"},
                                         ImagenetNetwork{"resnet152"}, ImagenetNetwork{"mobilenet_v2"}),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace convoy::test
