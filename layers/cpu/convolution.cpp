#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/cpu/lower.h"
#include "layers/cpu/narrow_convolution.h"

namespace convoy::cpu {
namespace {

using Forward = dnnl::convolution_forward;
using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;

/// Input channels up to which direct kernels that do not pad them to 16 are the faster ones (images).
constexpr std::int64_t kFewChannels = 4;

/// Channels from which oneDNN may choose Winograd ("auto"). With fewer its transforms cost more than they
/// save once the rest of a step has emptied the caches: 16 to 48 channels on 14x14 took twice as long as the
/// direct kernel.
constexpr std::int64_t kWinogradChannels = 64;

/// The share of useful work when channels are padded to blocks of 16, as oneDNN's blocked layouts do. Few
/// input channels (images) have kernels of their own that do not pad them.
double blocked_efficiency(const Convolution& op, std::int64_t channels) {
  const auto filled = [](std::int64_t count) {
    return static_cast<double>(count) / static_cast<double>(round_up(count, 16));
  };
  return filled(op.outputs / op.groups) * (channels <= kFewChannels ? 1.0 : filled(channels / op.groups));
}

/// Below this, kernels on channels-last values, which pad nothing or only outputs, are faster.
constexpr double kLeastEfficiency = 0.7;

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
    const bool blocked = blocked_efficiency(op_, site_.inputs[0].channels) >= kLeastEfficiency;
    const auto activation = blocked ? any_activation : channels_last_activation;
    const bool narrow = std::min(site_.inputs[0].channels, op_.outputs) < kWinogradChannels;
    const auto algorithm = narrow ? dnnl::algorithm::convolution_direct : dnnl::algorithm::convolution_auto;
    const memory::desc source = activation(site_.inputs[0], site_.batch, site_.type);
    const memory::desc target = activation(site_.output, site_.batch, site_.type);
    const memory::desc gradient = any_like(canonical_parameter(site_.layer->parameters[0]));
    const memory::desc kernel = with_type(gradient, site_.type);
    const memory::desc bias = op_.bias ? plain_vector(op_.outputs) : memory::desc{};
    const Dims strides{op_.stride_y, op_.stride_x};
    const Dims dilations{op_.dilation_y - 1, op_.dilation_x - 1};
    const Dims begin{op_.padding_top, op_.padding_left};
    const Dims end{op_.padding_bottom, op_.padding_right};
    const auto purpose =
        site_.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    const dnnl::engine& engine = engine_->get();
    forward_ = {{purpose, algorithm, source, kernel, bias, target, strides, dilations, begin, end},
                user_scratchpad_and(site_.relu_follows),
                engine};
    if (!site_.training) return;
    weights_ = {{algorithm, source, gradient, bias, target, strides, dilations, begin, end},
                user_scratchpad(),
                engine,
                forward_};
    if (site_.input_gradient[0]) {
      data_ = {{algorithm, source, kernel, target, strides, dilations, begin, end},
               user_scratchpad(),
               engine,
               forward_};
    }
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
  if (blocked_efficiency(op, site.inputs[0].channels) < kLeastEfficiency) {
    if (const auto narrow = lower_narrow(op, site, inputs, engine)) return *narrow;
  }
  return std::make_shared<ConvolutionLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
