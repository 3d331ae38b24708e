#include "layers/cpu/weighted_layer.h"

namespace convoy::cpu {
namespace {

using Forward = dnnl::inner_product_forward;
using BackwardData = dnnl::inner_product_backward_data;
using BackwardWeights = dnnl::inner_product_backward_weights;
using Base = WeightedLayer<Forward, BackwardWeights, BackwardData>;

/// Fully connected layer as oneDNN's inner product.
class FullyConnectedLayer : public Base {
 public:
  FullyConnectedLayer(const FullyConnected& op, const Site& site, Inputs inputs, Engine& engine)
      : Base(site, engine, op.bias) {
    checked(what_, [&] { choose(op); });
    const Layout rows = engine.accept(plain_activation(site.inputs[0], site.batch, site.type), inputs[0]);
    declare(rows, rows, rows);
  }

 private:
  void choose(const FullyConnected& op) {
    // Dense rows: the same bytes as a dense image, and oneDNN's fast kernels take no others.
    const memory::data_type type = data_type_of(site_.type);
    const memory::desc source{{site_.batch, site_.inputs[0].elements()}, type, Tag::ab};
    const memory::desc target{{site_.batch, op.outputs}, type, Tag::ab};
    const memory::desc gradient = any_like(canonical_parameter(site_.layer->parameters[0]));
    const memory::desc kernel = with_type(gradient, site_.type);
    const memory::desc bias = op.bias ? plain_vector(op.outputs) : memory::desc{};
    const auto purpose = forward_purpose(site_.training);
    const dnnl::engine& engine = engine_->get();
    forward_ = {{purpose, source, kernel, bias, target}, user_scratchpad_and(site_.relu_follows), engine};
    if (!site_.training) return;
    // Backward with the weights as forward has them needs no change of layout; taken where oneDNN has a fast
    // kernel for it.
    const memory::desc same = forward_.weights_desc();
    weights_ = backward_weights(source, with_type(same, DType::f32), bias, target);
    if (is_slow(weights_)) weights_ = backward_weights(source, gradient, bias, target);
    if (!site_.input_gradient[0]) return;
    data_ = backward_data(source, same, target);
    if (is_slow(data_)) data_ = backward_data(source, kernel, target);
  }

  BackwardWeights::primitive_desc backward_weights(const memory::desc& source, const memory::desc& kernel,
                                                   const memory::desc& bias,
                                                   const memory::desc& target) const {
    return {{source, kernel, bias, target}, user_scratchpad(), engine_->get(), forward_, true};
  }
  BackwardData::primitive_desc backward_data(const memory::desc& source, const memory::desc& kernel,
                                             const memory::desc& target) const {
    return {{source, kernel, target}, user_scratchpad(), engine_->get(), forward_, true};
  }
};

}  // namespace

Lowered lower(const FullyConnected& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<FullyConnectedLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
