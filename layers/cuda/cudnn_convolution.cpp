#include "layers/cuda/cudnn_convolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <vector>

#include "layers/core/bytes.h"
#include "layers/cuda/library_calls.h"

namespace convoy::cuda {
namespace {

cudnnDataType_t cudnn_type(DType type) {
  return type == DType::f32 ? CUDNN_DATA_FLOAT : type == DType::f16 ? CUDNN_DATA_HALF : CUDNN_DATA_BFLOAT16;
}

bool all_fit_int(std::initializer_list<std::int64_t> values) {
  return std::all_of(values.begin(), values.end(),
                     [](std::int64_t v) { return v >= 0 && v <= std::numeric_limits<int>::max(); });
}

/// The descriptors of one convolution: images NHWC, weights outputs × kernel × inputs.
class Descriptors {
 public:
  Descriptors() {
    CONVOY_CUDA(CONVOY_CUDNN(cudnnCreateTensorDescriptor)(&input));
    CONVOY_CUDA(CONVOY_CUDNN(cudnnCreateTensorDescriptor)(&output));
    CONVOY_CUDA(CONVOY_CUDNN(cudnnCreateFilterDescriptor)(&weights));
    CONVOY_CUDA(CONVOY_CUDNN(cudnnCreateConvolutionDescriptor)(&convolution));
  }
  ~Descriptors() {
    if (convolution != nullptr) (void)CONVOY_CUDNN(cudnnDestroyConvolutionDescriptor)(convolution);
    if (weights != nullptr) (void)CONVOY_CUDNN(cudnnDestroyFilterDescriptor)(weights);
    if (output != nullptr) (void)CONVOY_CUDNN(cudnnDestroyTensorDescriptor)(output);
    if (input != nullptr) (void)CONVOY_CUDNN(cudnnDestroyTensorDescriptor)(input);
  }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  /// False where cuDNN cannot express it.
  bool describe(DType type, const ConvolutionGeometry& g, bool tf32) {
    const auto integer = [](std::int64_t value) { return static_cast<int>(value); };
    const std::int64_t group_inputs = g.in_channels / g.groups;
    if (!all_fit_int({g.batch, g.in_channels, g.in_y, g.in_x, g.out_channels, g.out_y, g.out_x, g.kernel_y,
                      g.kernel_x, g.stride_y, g.stride_x, g.padding_y, g.padding_x, g.dilation_y,
                      g.dilation_x, g.groups}))
      return false;
    const cudnnDataType_t element = cudnn_type(type);
    CONVOY_CUDA(CONVOY_CUDNN(cudnnSetTensor4dDescriptor)(input, CUDNN_TENSOR_NHWC, element, integer(g.batch),
                                                         integer(g.in_channels), integer(g.in_y),
                                                         integer(g.in_x)));
    CONVOY_CUDA(CONVOY_CUDNN(cudnnSetTensor4dDescriptor)(output, CUDNN_TENSOR_NHWC, element, integer(g.batch),
                                                         integer(g.out_channels), integer(g.out_y),
                                                         integer(g.out_x)));
    CONVOY_CUDA(CONVOY_CUDNN(cudnnSetFilter4dDescriptor)(weights, element, CUDNN_TENSOR_NHWC,
                                                         integer(g.out_channels), integer(group_inputs),
                                                         integer(g.kernel_y), integer(g.kernel_x)));
    CONVOY_CUDA(CONVOY_CUDNN(cudnnSetConvolution2dDescriptor)(
        convolution, integer(g.padding_y), integer(g.padding_x), integer(g.stride_y), integer(g.stride_x),
        integer(g.dilation_y), integer(g.dilation_x), CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
    CONVOY_CUDA(CONVOY_CUDNN(cudnnSetConvolutionGroupCount)(convolution, integer(g.groups)));
    // By default cuDNN rounds fp32 to TF32 for tensor cores.
    set_math(type == DType::f32 && !tf32 ? CUDNN_FMA_MATH : CUDNN_TENSOR_OP_MATH);
    // Its padding is the same at both ends: other ends show in another output size.
    std::array<int, 4> size{};
    if (CONVOY_CUDNN(cudnnGetConvolution2dForwardOutputDim)(convolution, input, weights, &size[0], &size[1],
                                                            &size[2], &size[3]) != CUDNN_STATUS_SUCCESS)
      return false;
    return size[1] == g.out_channels && size[2] == g.out_y && size[3] == g.out_x;
  }
  void set_math(cudnnMathType_t math) {
    CONVOY_CUDA(CONVOY_CUDNN(cudnnSetConvolutionMathType)(convolution, math));
  }

  cudnnTensorDescriptor_t input = nullptr;
  cudnnTensorDescriptor_t output = nullptr;
  cudnnFilterDescriptor_t weights = nullptr;
  cudnnConvolutionDescriptor_t convolution = nullptr;
};

/// What the three kinds of algorithms have in common.
struct Candidate {
  int algorithm = 0;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
};

/// Deterministic algorithms that cuDNN has for the problem, the fastest by its estimate first.
template <class Performance>
std::vector<Candidate> usable(const std::vector<Performance>& found, int count, bool strict) {
  std::vector<Candidate> candidates;
  for (int i = 0; i < count; ++i) {
    const Performance& one = found[static_cast<std::size_t>(i)];
    if (one.status != CUDNN_STATUS_SUCCESS || one.determinism != CUDNN_DETERMINISTIC) continue;
    const bool tensor_cores =
        one.mathType == CUDNN_TENSOR_OP_MATH || one.mathType == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION;
    if (strict && tensor_cores) continue;
    candidates.push_back({static_cast<int>(one.algo), strict ? CUDNN_FMA_MATH : one.mathType});
  }
  return candidates;
}

class CudnnConvolution : public LibraryKernel {
 public:
  CudnnConvolution(cudnnHandle_t handle, ConvolutionPass pass, bool tf32)
      : handle_(handle), pass_(pass), tf32_(tf32) {}

  /// False where nothing will do.
  bool choose(DType type, const ConvolutionGeometry& geometry, std::int64_t scratch) {
    if (!d_.describe(type, geometry, tf32_)) return false;
    for (const Candidate& candidate : candidates(type == DType::f32 && !tf32_)) {
      algorithm_ = candidate.algorithm;
      d_.set_math(candidate.math);
      if (find_workspace() == CUDNN_STATUS_SUCCESS && workspace_ <= static_cast<std::size_t>(scratch))
        return true;
    }
    return false;
  }

  void run(const void* first, const void* second, void* result, void* scratch) override {
    const float one = 1;
    const float zero = 0;
    switch (pass_) {
      case ConvolutionPass::forward:
        CONVOY_CUDA(CONVOY_CUDNN(cudnnConvolutionForward)(handle_, &one, d_.input, first, d_.weights, second,
                                                          d_.convolution, forward(), scratch, workspace_,
                                                          &zero, d_.output, result));
        return;
      case ConvolutionPass::data:
        CONVOY_CUDA(CONVOY_CUDNN(cudnnConvolutionBackwardData)(handle_, &one, d_.weights, second, d_.output,
                                                               first, d_.convolution, data(), scratch,
                                                               workspace_, &zero, d_.input, result));
        return;
      case ConvolutionPass::weights:
        CONVOY_CUDA(CONVOY_CUDNN(cudnnConvolutionBackwardFilter)(handle_, &one, d_.input, first, d_.output,
                                                                 second, d_.convolution, filter(), scratch,
                                                                 workspace_, &zero, d_.weights, result));
        return;
    }
  }

  std::string name() const override {
    static constexpr std::array<const char*, 3> kPasses{"forward", "backward data", "backward filter"};
    return fmt::format("cuDNN {} algorithm {}, {}", kPasses[static_cast<std::size_t>(pass_)], algorithm_,
                       format_bytes(static_cast<std::int64_t>(workspace_)));
  }

 private:
  cudnnConvolutionFwdAlgo_t forward() const { return static_cast<cudnnConvolutionFwdAlgo_t>(algorithm_); }
  cudnnConvolutionBwdDataAlgo_t data() const {
    return static_cast<cudnnConvolutionBwdDataAlgo_t>(algorithm_);
  }
  cudnnConvolutionBwdFilterAlgo_t filter() const {
    return static_cast<cudnnConvolutionBwdFilterAlgo_t>(algorithm_);
  }

  /// `strict`: fp32 that is not rounded.
  std::vector<Candidate> candidates(bool strict) const {
    constexpr int kMost = 16;  // there are eight at most
    int count = 0;
    switch (pass_) {
      case ConvolutionPass::forward: {
        std::vector<cudnnConvolutionFwdAlgoPerf_t> found(kMost);
        if (CONVOY_CUDNN(cudnnGetConvolutionForwardAlgorithm_v7)(handle_, d_.input, d_.weights,
                                                                 d_.convolution, d_.output, kMost, &count,
                                                                 found.data()) != CUDNN_STATUS_SUCCESS)
          count = 0;
        return usable(found, count, strict);
      }
      case ConvolutionPass::data: {
        std::vector<cudnnConvolutionBwdDataAlgoPerf_t> found(kMost);
        if (CONVOY_CUDNN(cudnnGetConvolutionBackwardDataAlgorithm_v7)(handle_, d_.weights, d_.output,
                                                                      d_.convolution, d_.input, kMost, &count,
                                                                      found.data()) != CUDNN_STATUS_SUCCESS)
          count = 0;
        return usable(found, count, strict);
      }
      case ConvolutionPass::weights: {
        std::vector<cudnnConvolutionBwdFilterAlgoPerf_t> found(kMost);
        if (CONVOY_CUDNN(cudnnGetConvolutionBackwardFilterAlgorithm_v7)(
                handle_, d_.input, d_.output, d_.convolution, d_.weights, kMost, &count, found.data()) !=
            CUDNN_STATUS_SUCCESS)
          count = 0;
        return usable(found, count, strict);
      }
    }
    return {};
  }

  cudnnStatus_t find_workspace() {
    switch (pass_) {
      case ConvolutionPass::forward:
        return CONVOY_CUDNN(cudnnGetConvolutionForwardWorkspaceSize)(
            handle_, d_.input, d_.weights, d_.convolution, d_.output, forward(), &workspace_);
      case ConvolutionPass::data:
        return CONVOY_CUDNN(cudnnGetConvolutionBackwardDataWorkspaceSize)(
            handle_, d_.weights, d_.output, d_.convolution, d_.input, data(), &workspace_);
      case ConvolutionPass::weights:
        return CONVOY_CUDNN(cudnnGetConvolutionBackwardFilterWorkspaceSize)(
            handle_, d_.input, d_.output, d_.convolution, d_.weights, filter(), &workspace_);
    }
    return CUDNN_STATUS_BAD_PARAM;
  }

  cudnnHandle_t handle_;
  ConvolutionPass pass_;
  bool tf32_;
  Descriptors d_;
  int algorithm_ = 0;
  std::size_t workspace_ = 0;
};

}  // namespace

std::shared_ptr<LibraryKernel> choose_cudnn_convolution(cudnnHandle_t handle, ConvolutionPass pass,
                                                        DType type, const ConvolutionGeometry& geometry,
                                                        std::int64_t scratch, bool tf32) {
  auto convolution = std::make_shared<CudnnConvolution>(handle, pass, tf32);
  return convolution->choose(type, geometry, scratch) ? convolution : nullptr;
}

}  // namespace convoy::cuda
