#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

using Forward = dnnl::eltwise_forward;
using Backward = dnnl::eltwise_backward;
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
class NonlinearityLayer : public CpuLayer {
 public:
  NonlinearityLayer(const Nonlinearity& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine), from_output_(op.backward_from_output()) {
    const bool gradient = site.training && site.input_gradient[0];
    Layout layout = inputs[0];
    checked(what_, [&] {
      choose(op, engine.desc(layout), gradient);
      if (!is_slow(forward_) && !(gradient && is_slow(backward_))) return;
      // A function that is not 0 at 0 (sigmoid) has no fast kernel where a layout pads the channels.
      layout = engine.accept(plain_activation(site.inputs[0], site.batch, site.type), layout);
      choose(op, engine.desc(layout), gradient);
    });
    const bool in_place = from_output_ || !gradient;
    spec_.passes.push_back({PassKind::forward,
                            {{Role::input, 0, layout}},
                            {{Role::output, 0, layout}},
                            scratch_of(forward_),
                            in_place});
    if (!gradient) return;
    spec_.passes.push_back(
        {PassKind::backward_data,
         {{Role::output_gradient, 0, layout}, {from_output_ ? Role::output : Role::input, 0, layout}},
         {{Role::input_gradient, 0, layout}},
         scratch_of(backward_),
         true});
  }

  std::string implementation(std::size_t pass) const override {
    return pass == 0 ? forward_.impl_info_str() : backward_.impl_info_str();
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    const memory::desc desc = forward_.src_desc();
    if (pass == 0) {
      return primitive<Forward>(
          forward_,
          {{DNNL_ARG_SRC, engine_->bind(desc, reads[0])}, {DNNL_ARG_DST, engine_->bind(desc, writes[0])}},
          scratch);
    }
    return primitive<Backward>(backward_,
                               {{DNNL_ARG_DIFF_DST, engine_->bind(desc, reads[0])},
                                {from_output_ ? DNNL_ARG_DST : DNNL_ARG_SRC, engine_->bind(desc, reads[1])},
                                {DNNL_ARG_DIFF_SRC, engine_->bind(desc, writes[0])}},
                               scratch);
  }

 private:
  void choose(const Nonlinearity& op, const memory::desc& desc, bool gradient) {
    const auto alpha = static_cast<float>(op.alpha);
    const auto forward = [&](dnnl::prop_kind purpose, dnnl::algorithm algorithm) {
      return Forward::primitive_desc({purpose, algorithm, desc, alpha}, user_scratchpad(), engine_->get());
    };
    const auto purpose =
        site_.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    forward_ = forward(purpose, forward_algorithm(op.kind));
    if (!gradient) return;
    const dnnl::algorithm algorithm = backward_algorithm(op);
    // The hint must be of the same algorithm as backward.
    backward_ = {{algorithm, desc, desc, alpha},
                 user_scratchpad(),
                 engine_->get(),
                 forward(dnnl::prop_kind::forward_training, algorithm)};
  }

  bool from_output_;
  Forward::primitive_desc forward_;
  Backward::primitive_desc backward_;
};

}  // namespace

Lowered lower(const Nonlinearity& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<NonlinearityLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
