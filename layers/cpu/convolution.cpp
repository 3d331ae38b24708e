#include "layers/cpu/convolution.h"

#include "layers/cpu/convolution_primitives.h"
#include "layers/cpu/narrow_convolution.h"
#include "layers/cpu/product_layer.h"
#include "layers/cpu/trial_site.h"
#include "layers/cpu/weighted_layer.h"

namespace convoy::cpu {
namespace {

using Base = WeightedLayer<dnnl::convolution_forward, dnnl::convolution_backward_weights,
                           dnnl::convolution_backward_data>;

ConvolutionProblem problem_of(const Convolution& op, const Site& site) {
  return {.source = site.inputs[0],
          .target = site.output,
          .batch = site.batch,
          .type = site.type,
          .weight = &site.layer->parameters[0],
          .bias = op.bias,
          .strides = {op.stride_y, op.stride_x},
          .dilations = {op.dilation_y - 1, op.dilation_x - 1},
          .begin = {op.padding_top, op.padding_left},
          .end = {op.padding_bottom, op.padding_right},
          .training = site.training,
          .relu = site.relu_follows,
          .weights = site.training,
          .data = site.training && site.input_gradient[0]};
}

/// Convolution by oneDNN.
class ConvolutionLayer : public Base {
 public:
  ConvolutionLayer(const ConvolutionVariant& variant, const Convolution& op, const Site& site, Inputs inputs,
                   Engine& engine)
      : Base(site, engine, op.bias) {
    checked(what_, [&] {
      const ConvolutionProblem problem = problem_of(op, site);
      ConvolutionPrimitives made = make_convolution(problem, variant, engine);
      const ConvolutionCaps caps{site.scratch_cap(PassKind::forward),
                                 site.scratch_cap(PassKind::backward_weights),
                                 site.scratch_cap(PassKind::backward_data)};
      const bool capped = keep_within(caps, problem, variant, engine, made);
      spec_.cap = capped ? CapShare::decides : CapShare::allows;
      forward_ = std::move(made.forward);
      weights_ = std::move(made.weights);
      data_ = std::move(made.data);
    });
    const Layout input = engine.accept(forward_.src_desc(), inputs[0]);
    declare({.input = input,
             .weights_input = site.training ? engine.accept(weights_.src_desc(), inputs[0]) : input,
             .input_gradient = gives_input_gradient() ? engine.layout(data_.diff_src_desc()) : input});
  }
};

/// Whether every output is a product with one pixel of the input.
bool is_pointwise(const Convolution& op) {
  return op.kernel_y == 1 && op.kernel_x == 1 && op.groups == 1 && op.padding_top == 0 &&
         op.padding_bottom == 0 && op.padding_left == 0 && op.padding_right == 0;
}

/// A pointwise convolution of channels-last pixels as one product of matrices.
Lowered lower_product(const Convolution& op, const Site& site, Inputs inputs, Engine& engine) {
  const Shape in = site.inputs[0];
  const Shape out = site.output;
  Product product{.rows = site.batch * out.height * out.width,
                  .inputs = in.channels,
                  .outputs = op.outputs,
                  .bias = op.bias,
                  .input = engine.accept(channels_last_activation(in, site.batch, site.type), inputs[0]),
                  .output = engine.layout(channels_last_activation(out, site.batch, site.type))};
  if (op.stride_y > 1 || op.stride_x > 1) product.grid = {in, out, op.stride_y, op.stride_x};
  return std::make_shared<ProductLayer>(product, site, engine);
}

}  // namespace

std::optional<Lowered> lower_as(const ConvolutionVariant& variant, const Convolution& op, const Site& site,
                                Inputs inputs, Engine& engine) {
  if (variant.lie == ConvolutionVariant::Lie::narrow) return lower_narrow(op, site, inputs, engine);
  if (variant.lie == ConvolutionVariant::Lie::product) {
    if (!is_pointwise(op)) return std::nullopt;
    return lower_product(op, site, inputs, engine);
  }
  return std::make_shared<ConvolutionLayer>(variant, op, site, inputs, engine);
}

ConvolutionVariant usual_variant(const Convolution& op, const Site& site, Inputs inputs, Engine& engine) {
  const bool wasteful = blocked_efficiency(site.inputs[0].channels, op.outputs, op.groups) < kLeastEfficiency;
  if (wasteful && lower_narrow(op, site, inputs, engine)) return {ConvolutionVariant::Lie::narrow, {}};
  // oneDNN's backward passes of a product use AMX better than those of a convolution: up to five times.
  if (site.type == DType::bf16 && !wasteful && has_matrix_units() && is_pointwise(op))
    return {ConvolutionVariant::Lie::product, {}};
  return usual_variant(problem_of(op, site));
}

Lowered lower(const Convolution& op, const Site& site, Inputs inputs, Engine& engine) {
  if (const std::string* choice = engine.choice(problem_text(op, site))) {
    // A choice that cannot be had here (of another build, or of another problem by mistake) is none.
    try {
      const auto variant = variant_named(*choice);
      const auto layer = variant ? lower_as(*variant, op, site, inputs, engine) : std::nullopt;
      if (layer) return *layer;
    } catch (const Error&) {
    }
  }
  return *lower_as(usual_variant(op, site, inputs, engine), op, site, inputs, engine);
}

}  // namespace convoy::cpu
