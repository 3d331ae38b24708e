#pragma once

#include "layers/cpu/convolution_variant.h"
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
};

struct ConvolutionPrimitives {
  dnnl::convolution_forward::primitive_desc forward;
  dnnl::convolution_backward_weights::primitive_desc weights;
  dnnl::convolution_backward_data::primitive_desc data;
};

/// Most scratch of each pass.
struct ConvolutionCaps {
  std::int64_t forward = kAnyWorkspace;
  std::int64_t weights = kAnyWorkspace;
  std::int64_t data = kAnyWorkspace;
};

/// The variant that rules of thumb take among those of oneDNN.
ConvolutionVariant usual_variant(const ConvolutionProblem& problem);

/// Not for our own loops. Throws dnnl::error where oneDNN has no such kernel.
ConvolutionPrimitives make_convolution(const ConvolutionProblem& problem, const ConvolutionVariant& variant,
                                       Engine& engine);

/// A pass whose scratch is above its cap takes oneDNN's direct algorithm, mostly in place of Winograd's,
/// where that takes less, copies of operands that have to lie otherwise for it included. Whether one does.
bool keep_within(const ConvolutionCaps& caps, const ConvolutionProblem& problem,
                 const ConvolutionVariant& variant, Engine& engine, ConvolutionPrimitives& made);

}  // namespace convoy::cpu
