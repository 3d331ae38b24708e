#include "layers/cpu/convolution_primitives.h"
#include "layers/cpu/narrow_convolution.h"
#include "layers/cpu/weighted_layer.h"

namespace convoy::cpu {
namespace {

using Base = WeightedLayer<dnnl::convolution_forward, dnnl::convolution_backward_weights,
                           dnnl::convolution_backward_data>;

/// Convolution by oneDNN's own choice of algorithm (Winograd among them) and layouts.
class ConvolutionLayer : public Base {
 public:
  ConvolutionLayer(const Convolution& op, const Site& site, Inputs inputs, Engine& engine)
      : Base(site, engine, op.bias) {
    checked(what_, [&] { choose(op); });
    const Layout input = engine.accept(forward_.src_desc(), inputs[0]);
    declare(input, site.training ? engine.accept(weights_.src_desc(), inputs[0]) : input,
            gives_input_gradient() ? engine.layout(data_.diff_src_desc()) : input);
  }

 private:
  /// The primitive descriptors, layouts left open.
  void choose(const Convolution& op) {
    const ConvolutionProblem problem{.source = site_.inputs[0],
                                     .target = site_.output,
                                     .batch = site_.batch,
                                     .type = site_.type,
                                     .weight = &site_.layer->parameters[0],
                                     .bias = op.bias,
                                     .strides = {op.stride_y, op.stride_x},
                                     .dilations = {op.dilation_y - 1, op.dilation_x - 1},
                                     .begin = {op.padding_top, op.padding_left},
                                     .end = {op.padding_bottom, op.padding_right},
                                     .training = site_.training,
                                     .relu = site_.relu_follows,
                                     .weights = site_.training,
                                     .data = gives_input_gradient()};
    ConvolutionPrimitives chosen = choose_convolution(problem, engine_->get());
    forward_ = std::move(chosen.forward);
    weights_ = std::move(chosen.weights);
    data_ = std::move(chosen.data);
  }
};

}  // namespace

Lowered lower(const Convolution& op, const Site& site, Inputs inputs, Engine& engine) {
  if (blocked_efficiency(site.inputs[0].channels, op.outputs, op.groups) < kLeastEfficiency) {
    if (const auto narrow = lower_narrow(op, site, inputs, engine)) return *narrow;
  }
  return std::make_shared<ConvolutionLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
