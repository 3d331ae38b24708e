#include "layers/cuda/cudnn_convolution.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "layers/cuda/cudnn_descriptor.h"
#include "layers/cuda/library_calls.h"

// What cuDNN has for an H100: since 9.8 it can be asked without a GPU, given what CUDA would tell of one.
namespace convoy::cuda {
namespace {

constexpr std::int64_t kWorkspace = 64 << 20;

/// batch, inputs, height, width, outputs, height, width, kernel, stride, padding
ConvolutionGeometry geometry(std::int64_t batch, std::int64_t inputs, std::int64_t size, std::int64_t outputs,
                             std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                             std::int64_t groups = 1) {
  ConvolutionGeometry g;
  g.batch = batch;
  g.in_channels = inputs;
  g.in_y = g.in_x = size;
  g.out_channels = outputs;
  g.out_y = g.out_x = (size + 2 * padding - kernel) / stride + 1;
  g.kernel_y = g.kernel_x = kernel;
  g.stride_y = g.stride_x = stride;
  g.padding_y = g.padding_x = padding;
  g.groups = groups;
  return g;
}

class OnH100 : public testing::Test {
 protected:
  void SetUp() override {
    std::stringstream text;
    text << std::ifstream(CONVOY_SOURCE "/tests/data/cuda/h100.json").rdbuf();
    const std::string json = text.str();
    // Whether this cuDNN can do that at all, and takes this form of it, is not ours to test.
    const cudnnStatus_t status = CONVOY_CUDNN(cudnnBackendSetAttribute)(
        h100_.get(), CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
        static_cast<std::int64_t>(json.size()), json.data());
    if (status != CUDNN_STATUS_SUCCESS || !h100_.try_finalize())
      GTEST_SKIP() << "this cuDNN does not plan without a GPU";
  }

  LibraryKernels find(ConvolutionPass pass, DType type, const ConvolutionGeometry& g,
                      std::int64_t scratch = kWorkspace, std::size_t most = 8) {
    return find_cudnn_convolutions({nullptr, &h100_}, pass, type, g, {scratch, most, ""});
  }

  CudnnDescriptor h100_{CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR};
};

constexpr ConvolutionPass kPasses[] = {ConvolutionPass::forward, ConvolutionPass::data,
                                       ConvolutionPass::weights};

std::vector<std::string> names_of(const LibraryKernels& kernels) {
  std::vector<std::string> names;
  for (const auto& kernel : kernels) names.push_back(kernel->name());
  return names;
}

// The first layers, bottlenecks and strided projections of our networks, groups, and one channel.
const ConvolutionGeometry kCases[] = {
    geometry(32, 3, 224, 64, 7, 2, 3),   geometry(32, 64, 56, 64, 3, 1, 1),
    geometry(32, 256, 56, 64, 1, 1, 0),  geometry(32, 256, 56, 512, 1, 2, 0),
    geometry(32, 3, 227, 96, 11, 4, 0),  geometry(32, 96, 27, 256, 5, 1, 2, 2),
    geometry(32, 832, 7, 48, 1, 1, 0),   geometry(64, 1, 28, 20, 5, 1, 0),
    geometry(8, 96, 28, 96, 3, 1, 1, 96)};

TEST_F(OnH100, EveryConvolutionOfOurNetworksHasKernelsOfDifferentNames) {
  for (const ConvolutionGeometry& g : kCases) {
    for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
      for (const ConvolutionPass pass : kPasses) {
        const std::vector<std::string> names = names_of(find(pass, type, g));
        EXPECT_FALSE(names.empty()) << g.in_channels << " to " << g.out_channels << ", pass "
                                    << static_cast<int>(pass);
        EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
        EXPECT_LE(names.size(), 8U);
      }
    }
  }
}

TEST_F(OnH100, AKernelIsFoundAgainByItsName) {
  for (const ConvolutionPass pass : kPasses) {
    for (const std::string& name : names_of(find(pass, DType::f16, kCases[1]))) {
      const LibraryKernels again =
          find_cudnn_convolutions({nullptr, &h100_}, pass, DType::f16, kCases[1], {kWorkspace, 1, name});
      EXPECT_EQ(names_of(again), std::vector<std::string>{name});
    }
  }
  EXPECT_TRUE(find_cudnn_convolutions({nullptr, &h100_}, kPasses[0], DType::f16, kCases[1],
                                      {kWorkspace, 1, "cuDNN of another version"})
                  .empty());
}

TEST_F(OnH100, WithoutScratchThereAreKernelsToo) {
  for (const ConvolutionGeometry& g : kCases) {
    for (const ConvolutionPass pass : kPasses) EXPECT_FALSE(find(pass, DType::f16, g, 0, 1).empty());
  }
}

TEST_F(OnH100, OneGroupIsAConvolutionOfAPartOfTheChannels) {
  ConvolutionGeometry g = geometry(32, 48, 27, 128, 5, 1, 2);
  g.in_pixel = 96;
  g.out_pixel = 256;
  for (const DType type : {DType::f32, DType::f16}) {
    for (const ConvolutionPass pass : kPasses) EXPECT_FALSE(find(pass, type, g).empty());
  }
}

// The second convolution of AlexNet, for which cuDNN 9.19 has its plainest kernels of all groups at once.
TEST_F(OnH100, HalfTypesHaveTensorCoresForOneGroup) {
  ConvolutionGeometry apart = geometry(256, 48, 27, 128, 5, 1, 2);
  apart.in_pixel = 96;
  apart.out_pixel = 256;
  for (const ConvolutionPass pass : kPasses) {
    EXPECT_TRUE(find(pass, DType::f16, apart, kWorkspace, 1).at(0)->on_tensor_cores());
    EXPECT_FALSE(find(pass, DType::f32, apart, kWorkspace, 1).at(0)->on_tensor_cores());
  }
}

TEST_F(OnH100, Fp32RunsOnTensorCoresOnlyAsTf32) {
  const auto kernels = [&](bool tf32) {
    return names_of(find_cudnn_convolutions({nullptr, &h100_, tf32}, kPasses[0], DType::f32, kCases[1],
                                            {kWorkspace, 32, ""}));
  };
  const std::vector<std::string> strict = kernels(false);
  const std::vector<std::string> rounded = kernels(true);
  EXPECT_GT(rounded.size(), strict.size());
  EXPECT_NE(rounded.front(), strict.front());
}

// cuDNN knows itself which of its kernels count in 64 bits.
TEST_F(OnH100, TensorsMayHaveMoreThanTwoBillionValues) {
  const ConvolutionGeometry g = geometry(700, 64, 224, 64, 3, 1, 1);
  for (const ConvolutionPass pass : kPasses) EXPECT_FALSE(find(pass, DType::f16, g).empty());
  EXPECT_LT(find(kPasses[2], DType::f16, g).size(), find(kPasses[2], DType::f16, kCases[1]).size());
}

TEST_F(OnH100, PaddingsMayDifferFromSideToSide) {
  ConvolutionGeometry g = geometry(4, 16, 9, 16, 3, 2, 0);
  g.out_y = g.out_x = 5;  // one row and column of padding at the end
  EXPECT_FALSE(find(kPasses[0], DType::f16, g).empty());
}

}  // namespace
}  // namespace convoy::cuda
