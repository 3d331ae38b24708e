#include "layers/cpu/convolution_primitives.h"
#include "layers/cpu/lower.h"
#include "layers/cpu/narrow_convolution.h"

namespace convoy::cpu {
namespace {

using Forward = dnnl::convolution_forward;
using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;

/// Convolution by oneDNN's own choice of algorithm (Winograd among them) and layouts.
class ConvolutionLayer : public CpuLayer {
 public:
  ConvolutionLayer(const Convolution& op, const Site& site, Inputs inputs, Engine& engine)
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
  /// The primitive descriptors, layouts left open.
  void choose() {
    const ConvolutionProblem problem{.source = site_.inputs[0],
                                     .target = site_.output,
                                     .batch = site_.batch,
                                     .type = site_.type,
                                     .weight = &site_.layer->parameters[0],
                                     .bias = op_.bias,
                                     .strides = {op_.stride_y, op_.stride_x},
                                     .dilations = {op_.dilation_y - 1, op_.dilation_x - 1},
                                     .begin = {op_.padding_top, op_.padding_left},
                                     .end = {op_.padding_bottom, op_.padding_right},
                                     .training = site_.training,
                                     .relu = site_.relu_follows,
                                     .weights = site_.training,
                                     .data = site_.training && site_.input_gradient[0]};
    ConvolutionPrimitives chosen = choose_convolution(problem, engine_->get());
    forward_ = std::move(chosen.forward);
    weights_ = std::move(chosen.weights);
    data_ = std::move(chosen.data);
  }

  void declare(const Layout& input) {
    if (site_.relu_follows) spec_.relu = ReluShare::forward;
    Engine& e = *engine_;
    const Layout bias = e.layout(plain_vector(op_.outputs));
    PassSpec forward{PassKind::forward,
                     {{Role::input, 0, e.accept(forward_.src_desc(), input)},
                      {Role::parameter, 0, e.layout(forward_.weights_desc())}},
                     {{Role::output, 0, e.layout(forward_.dst_desc())}},
                     scratch_of(forward_)};
    if (op_.bias) forward.reads.push_back({Role::parameter, 1, bias});
    spec_.passes.push_back(std::move(forward));
    if (!site_.training) return;
    PassSpec weights{PassKind::backward_weights,
                     {{Role::input, 0, e.accept(weights_.src_desc(), input)},
                      {Role::output_gradient, 0, e.layout(weights_.diff_dst_desc())}},
                     {{Role::parameter_gradient, 0, e.layout(weights_.diff_weights_desc())}},
                     scratch_of(weights_)};
    if (op_.bias) weights.writes.push_back({Role::parameter_gradient, 1, bias});
    spec_.passes.push_back(std::move(weights));
    if (!site_.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, e.layout(data_.diff_dst_desc())},
                             {Role::parameter, 0, e.layout(data_.weights_desc())}},
                            {{Role::input_gradient, 0, e.layout(data_.diff_src_desc())}},
                            scratch_of(data_)});
  }

  Convolution op_;
  Forward::primitive_desc forward_;
  BackwardWeights::primitive_desc weights_;
  BackwardData::primitive_desc data_;
};

}  // namespace

Lowered lower(const Convolution& op, const Site& site, Inputs inputs, Engine& engine) {
  if (blocked_efficiency(site.inputs[0].channels, op.outputs, op.groups) < kLeastEfficiency) {
    if (const auto narrow = lower_narrow(op, site, inputs, engine)) return *narrow;
  }
  return std::make_shared<ConvolutionLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
