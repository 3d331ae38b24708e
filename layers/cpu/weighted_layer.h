#pragma once

#include <optional>

#include "layers/cpu/lower.h"

namespace convoy::cpu {

/// A layer with a weight and perhaps a bias by three oneDNN primitives (convolution, fully connected), which
/// a derived class chooses: `forward_`, in training `weights_`, and `data_` where the input wants a gradient.
template <class Forward, class BackwardWeights, class BackwardData>
class WeightedLayer : public CpuLayer {
 public:
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
        if (bias_) put(DNNL_ARG_DIFF_BIAS, weights_.diff_bias_desc(), writes[1]);
        return primitive<BackwardWeights>(weights_, std::move(args), scratch);
      default:
        put(DNNL_ARG_SRC, forward_.src_desc(), reads[0]);
        put(DNNL_ARG_WEIGHTS, forward_.weights_desc(), reads[1]);
        if (bias_) put(DNNL_ARG_BIAS, forward_.bias_desc(), reads[2]);
        put(DNNL_ARG_DST, forward_.dst_desc(), writes[0]);
        return primitive<Forward>(forward_, std::move(args), scratch);
    }
  }

 protected:
  WeightedLayer(const Site& site, Engine& engine, bool bias) : CpuLayer(site, engine), bias_(bias) {}

  /// How the Program knows what the chosen primitives take and give, where that is not as they say.
  struct Lies {
    Layout input;           ///< of forward
    Layout weights_input;   ///< of backward_weights
    Layout input_gradient;  ///< of backward_data
    std::optional<Layout> output = {};
    Dims weight = {};  ///< dimensions of the weight, the same bytes
  };

  /// The passes of the chosen primitives.
  void declare(const Lies& lies) {
    if (site_.relu_follows) spec_.relu = ReluShare::forward;
    Engine& e = *engine_;
    const auto weight = [&](const memory::desc& desc) {
      return e.layout(lies.weight.empty() || desc.dims() == lies.weight ? desc : desc.reshape(lies.weight));
    };
    const auto output = [&](const memory::desc& desc) { return lies.output ? *lies.output : e.layout(desc); };
    const Layout bias = e.layout(plain_vector(site_.output.channels));
    PassSpec forward{PassKind::forward,
                     {{Role::input, 0, lies.input}, {Role::parameter, 0, weight(forward_.weights_desc())}},
                     {{Role::output, 0, output(forward_.dst_desc())}},
                     scratch_of(forward_)};
    if (bias_) forward.reads.push_back({Role::parameter, 1, bias});
    spec_.passes.push_back(std::move(forward));
    if (!site_.training) return;
    PassSpec weights{
        PassKind::backward_weights,
        {{Role::input, 0, lies.weights_input}, {Role::output_gradient, 0, output(weights_.diff_dst_desc())}},
        {{Role::parameter_gradient, 0, weight(weights_.diff_weights_desc())}},
        scratch_of(weights_)};
    if (bias_) weights.writes.push_back({Role::parameter_gradient, 1, bias});
    spec_.passes.push_back(std::move(weights));
    if (!site_.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, output(data_.diff_dst_desc())},
                             {Role::parameter, 0, weight(data_.weights_desc())}},
                            {{Role::input_gradient, 0, lies.input_gradient}},
                            scratch_of(data_)});
  }

  typename Forward::primitive_desc forward_;
  typename BackwardWeights::primitive_desc weights_;
  typename BackwardData::primitive_desc data_;

 private:
  bool bias_;
};

}  // namespace convoy::cpu
