#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

using Forward = dnnl::inner_product_forward;
using BackwardData = dnnl::inner_product_backward_data;
using BackwardWeights = dnnl::inner_product_backward_weights;

/// Fully connected layer as oneDNN's inner product.
class FullyConnectedLayer : public CpuLayer {
 public:
  FullyConnectedLayer(const FullyConnected& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine), op_(op) {
    checked(what_, [&] { choose(); });
    declare(inputs[0]);
  }

  std::string implementation(std::size_t pass) const override {
    switch (spec_.passes[pass].kind) {
      case PassKind::backward_data:
        return data_.impl_info_str();
      case PassKind::backward_weights:
        return weights_.impl_info_str();
      default:
        return forward_.impl_info_str();
    }
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    ArgMap args;
    const auto put = [&](int key, const memory::desc& desc, const void* data) {
      args.emplace(key, engine_->bind(desc, data));
    };
    switch (spec_.passes[pass].kind) {
      case PassKind::backward_data:
        put(DNNL_ARG_DIFF_DST, data_.diff_dst_desc(), reads[0]);
        put(DNNL_ARG_WEIGHTS, data_.weights_desc(), reads[1]);
        put(DNNL_ARG_DIFF_SRC, data_.diff_src_desc(), writes[0]);
        return primitive<BackwardData>(data_, std::move(args), scratch);
      case PassKind::backward_weights:
        put(DNNL_ARG_SRC, weights_.src_desc(), reads[0]);
        put(DNNL_ARG_DIFF_DST, weights_.diff_dst_desc(), reads[1]);
        put(DNNL_ARG_DIFF_WEIGHTS, weights_.diff_weights_desc(), writes[0]);
        if (op_.bias) put(DNNL_ARG_DIFF_BIAS, weights_.diff_bias_desc(), writes[1]);
        return primitive<BackwardWeights>(weights_, std::move(args), scratch);
      default:
        put(DNNL_ARG_SRC, forward_.src_desc(), reads[0]);
        put(DNNL_ARG_WEIGHTS, forward_.weights_desc(), reads[1]);
        if (op_.bias) put(DNNL_ARG_BIAS, forward_.bias_desc(), reads[2]);
        put(DNNL_ARG_DST, forward_.dst_desc(), writes[0]);
        return primitive<Forward>(forward_, std::move(args), scratch);
    }
  }

 private:
  void choose() {
    // Dense rows: the same bytes as a dense image, and oneDNN's fast kernels take no others.
    const memory::data_type type = data_type_of(site_.type);
    const memory::desc source{{site_.batch, site_.inputs[0].elements()}, type, Tag::ab};
    const memory::desc target{{site_.batch, op_.outputs}, type, Tag::ab};
    const memory::desc gradient = any_like(canonical_parameter(site_.layer->parameters[0]));
    const memory::desc kernel = with_type(gradient, site_.type);
    const memory::desc bias = op_.bias ? plain_vector(op_.outputs) : memory::desc{};
    const auto purpose =
        site_.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
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

  void declare(const Layout& input) {
    if (site_.relu_follows) spec_.relu = ReluShare::forward;
    Engine& e = *engine_;
    const Layout bias = e.layout(plain_vector(op_.outputs));
    const Layout output = e.layout(forward_.dst_desc());
    const Layout rows = e.accept(plain_activation(site_.inputs[0], site_.batch, site_.type), input);
    PassSpec forward{PassKind::forward,
                     {{Role::input, 0, rows}, {Role::parameter, 0, e.layout(forward_.weights_desc())}},
                     {{Role::output, 0, output}},
                     scratch_of(forward_)};
    if (op_.bias) forward.reads.push_back({Role::parameter, 1, bias});
    spec_.passes.push_back(std::move(forward));
    if (!site_.training) return;
    PassSpec weights{PassKind::backward_weights,
                     {{Role::input, 0, rows}, {Role::output_gradient, 0, output}},
                     {{Role::parameter_gradient, 0, e.layout(weights_.diff_weights_desc())}},
                     scratch_of(weights_)};
    if (op_.bias) weights.writes.push_back({Role::parameter_gradient, 1, bias});
    spec_.passes.push_back(std::move(weights));
    if (!site_.input_gradient[0]) return;
    spec_.passes.push_back(
        {PassKind::backward_data,
         {{Role::output_gradient, 0, output}, {Role::parameter, 0, e.layout(data_.weights_desc())}},
         {{Role::input_gradient, 0, rows}},
         scratch_of(data_)});
  }

  FullyConnected op_;
  Forward::primitive_desc forward_;
  BackwardWeights::primitive_desc weights_;
  BackwardData::primitive_desc data_;
};

}  // namespace

Lowered lower(const FullyConnected& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<FullyConnectedLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
