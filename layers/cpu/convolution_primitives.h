#pragma once

#include "layers/cpu/onednn.h"

namespace convoy::cpu {

/// The share of useful work when channels are padded to blocks of 16, as oneDNN's blocked layouts do. Few
/// input channels (images) have kernels of their own that do not pad them.
double blocked_efficiency(std::int64_t inputs, std::int64_t outputs, std::int64_t groups);

/// Below this, kernels on channels-last values, which pad nothing or only outputs, are faster.
inline constexpr double kLeastEfficiency = 0.7;

/// A convolution from `source` to `target`, whoever needs it: a deconvolution is one too, seen from its
/// output.
struct ConvolutionProblem {
  Shape source;
  Shape target;
  std::int64_t batch = 0;
  DType type = DType::f32;
  const ParameterSpec* weight = nullptr;
  bool bias = false;
  Dims strides, dilations, begin, end;  ///< dilations as oneDNN counts them: 0 for none
  bool training = true;                 ///< the algorithm of forward is that of a training pass
  bool relu = false;                    ///< forward applies a ReLU to its result
  bool weights = true;                  ///< backward_weights is wanted
  bool data = true;                     ///< backward_data is wanted
  bool channels_last = false;           ///< activations lie so, whatever would be the fastest
};

struct ConvolutionPrimitives {
  dnnl::convolution_forward::primitive_desc forward;
  dnnl::convolution_backward_weights::primitive_desc weights;
  dnnl::convolution_backward_data::primitive_desc data;
};

/// oneDNN's own choice of algorithm (Winograd among them) and layouts.
ConvolutionPrimitives choose_convolution(const ConvolutionProblem& problem, const dnnl::engine& engine);

}  // namespace convoy::cpu
