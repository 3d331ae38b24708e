#include "layers/cpu/unary_layer.h"

namespace convoy::cpu {
namespace {

using EltwiseForward = dnnl::eltwise_forward;
using EltwiseBackward = dnnl::eltwise_backward;
using Kind = Nonlinearity::Kind;

dnnl::algorithm forward_algorithm(Kind kind) {
  switch (kind) {
    case Kind::relu:
      return dnnl::algorithm::eltwise_relu;
    case Kind::elu:
      return dnnl::algorithm::eltwise_elu;
    case Kind::sigmoid:
      return dnnl::algorithm::eltwise_logistic;
    case Kind::tanh:
      return dnnl::algorithm::eltwise_tanh;
  }
  return dnnl::algorithm::undef;
}

dnnl::algorithm backward_algorithm(const Nonlinearity& op) {
  if (!op.backward_from_output()) return forward_algorithm(op.kind);
  switch (op.kind) {
    case Kind::relu:
      return dnnl::algorithm::eltwise_relu_use_dst_for_bwd;
    case Kind::elu:
      return dnnl::algorithm::eltwise_elu_use_dst_for_bwd;
    case Kind::sigmoid:
      return dnnl::algorithm::eltwise_logistic_use_dst_for_bwd;
    case Kind::tanh:
      return dnnl::algorithm::eltwise_tanh_use_dst_for_bwd;
  }
  return dnnl::algorithm::undef;
}

/// A function of every value, in the layout of its input and in place where its gradient needs no input.
class NonlinearityLayer : public UnaryLayer<EltwiseForward, EltwiseBackward> {
 public:
  NonlinearityLayer(const Nonlinearity& op, const Site& site, Inputs inputs, Engine& engine)
      : UnaryLayer(site, engine, op.backward_from_output()) {
    Layout layout = inputs[0];
    checked(what_, [&] {
      choose(op, engine.desc(layout));
      if (!is_slow(forward_) && !(gives_input_gradient() && is_slow(backward_))) return;
      // A function that is not 0 at 0 (sigmoid) has no fast kernel where a layout pads the channels.
      layout = engine.accept(plain_activation(site.inputs[0], site.batch, site.type), layout);
      choose(op, engine.desc(layout));
    });
    declare(layout);
  }

 private:
  void choose(const Nonlinearity& op, const memory::desc& desc) {
    const auto alpha = static_cast<float>(op.alpha);
    const auto forward = [&](dnnl::prop_kind purpose, dnnl::algorithm algorithm) {
      return EltwiseForward::primitive_desc({purpose, algorithm, desc, alpha}, user_scratchpad(),
                                            engine_->get());
    };
    forward_ = forward(forward_purpose(site_.training), forward_algorithm(op.kind));
    if (!gives_input_gradient()) return;
    const dnnl::algorithm algorithm = backward_algorithm(op);
    // The hint must be of the same algorithm as backward.
    backward_ = {{algorithm, desc, desc, alpha},
                 user_scratchpad(),
                 engine_->get(),
                 forward(dnnl::prop_kind::forward_training, algorithm)};
  }
};

}  // namespace

Lowered lower(const Nonlinearity& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<NonlinearityLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
