#include "layers/cpu/channel_bias.h"
#include "layers/cpu/convolution_primitives.h"
#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

/// Deconvolution by the convolution from its output to its input: forward is that one's backward by data,
/// backward by data is its forward, and the gradient of the weights is the same with both ends exchanged. The
/// bias is our own. oneDNN's deconvolution does no more for these types.
class DeconvolutionLayer : public CpuLayer {
 public:
  DeconvolutionLayer(const Deconvolution& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine), op_(op) {
    checked(what_, [&] { choose(); });
    declare(inputs[0]);
  }

  std::string implementation(std::size_t pass) const override {
    switch (spec_.passes[pass].kind) {
      case PassKind::backward_data:
        return turned_.forward.impl_info_str();
      case PassKind::backward_weights:
        return turned_.weights.impl_info_str();
      default:
        return turned_.data.impl_info_str();
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
        put(DNNL_ARG_SRC, turned_.forward.src_desc(), reads[0]);
        put(DNNL_ARG_WEIGHTS, turned_.forward.weights_desc(), reads[1]);
        put(DNNL_ARG_DST, turned_.forward.dst_desc(), writes[0]);
        return primitive<dnnl::convolution_forward>(turned_.forward, std::move(args), scratch);
      case PassKind::backward_weights:
        put(DNNL_ARG_DIFF_DST, turned_.weights.diff_dst_desc(), reads[0]);
        put(DNNL_ARG_SRC, turned_.weights.src_desc(), reads[1]);
        put(DNNL_ARG_DIFF_WEIGHTS, turned_.weights.diff_weights_desc(), writes[0]);
        return with_bias_gradient(
            primitive<dnnl::convolution_backward_weights>(turned_.weights, std::move(args), scratch),
            reads[1], op_.bias ? writes[1] : nullptr);
      default:
        put(DNNL_ARG_DIFF_DST, turned_.data.diff_dst_desc(), reads[0]);
        put(DNNL_ARG_WEIGHTS, turned_.data.weights_desc(), reads[1]);
        put(DNNL_ARG_DIFF_SRC, turned_.data.diff_src_desc(), writes[0]);
        return with_bias(primitive<dnnl::convolution_backward_data>(turned_.data, std::move(args), scratch),
                         op_.bias ? reads[2] : nullptr, writes[0]);
    }
  }

 private:
  void choose() {
    const ConvolutionProblem problem{.source = site_.output,
                                     .target = site_.inputs[0],
                                     .batch = site_.batch,
                                     .type = site_.type,
                                     .weight = &site_.layer->parameters[0],
                                     .strides = {op_.stride_y, op_.stride_x},
                                     .dilations = {op_.dilation_y - 1, op_.dilation_x - 1},
                                     .begin = {op_.padding_y, op_.padding_x},
                                     // The output padding is a rest that the convolution leaves.
                                     .end = {op_.padding_y, op_.padding_x},
                                     .weights = site_.training};
    ConvolutionVariant variant = usual_variant(problem);
    turned_ = make_convolution(problem, variant, *engine_);
    // The loops over the bias know the usual layouts only.
    if (op_.bias && !knows_layouts()) {
      variant.lie = ConvolutionVariant::Lie::channels_last;
      turned_ = make_convolution(problem, variant, *engine_);
    }
    keep_within(variant, problem);
  }

  void keep_within(const ConvolutionVariant& variant, const ConvolutionProblem& problem) {
    const ConvolutionCaps caps{.forward = site_.scratch_cap(PassKind::backward_data),
                               .weights = site_.scratch_cap(PassKind::backward_weights),
                               .data = site_.scratch_cap(PassKind::forward)};
    ConvolutionPrimitives less = turned_;
    spec_.cap = CapShare::allows;
    if (!cpu::keep_within(caps, problem, variant, *engine_, less)) return;
    std::swap(turned_, less);
    if (op_.bias && !knows_layouts()) {
      turned_ = std::move(less);  // no cap would change it
    } else {
      spec_.cap = CapShare::decides;
    }
  }

  bool knows_layouts() const {
    return image_layout(turned_.data.diff_src_desc(), site_.output, site_.batch) &&
           (!site_.training || image_layout(turned_.weights.src_desc(), site_.output, site_.batch));
  }

  void declare(const Layout& input) {
    Engine& e = *engine_;
    const Layout bias = e.layout(plain_vector(op_.outputs));
    PassSpec forward{PassKind::forward,
                     {{Role::input, 0, e.accept(turned_.data.diff_dst_desc(), input)},
                      {Role::parameter, 0, e.layout(turned_.data.weights_desc())}},
                     {{Role::output, 0, e.layout(turned_.data.diff_src_desc())}},
                     scratch_of(turned_.data)};
    if (op_.bias) forward.reads.push_back({Role::parameter, 1, bias});
    spec_.passes.push_back(std::move(forward));
    if (!site_.training) return;
    PassSpec weights{PassKind::backward_weights,
                     {{Role::input, 0, e.accept(turned_.weights.diff_dst_desc(), input)},
                      {Role::output_gradient, 0, e.layout(turned_.weights.src_desc())}},
                     {{Role::parameter_gradient, 0, e.layout(turned_.weights.diff_weights_desc())}},
                     scratch_of(turned_.weights)};
    if (op_.bias) weights.writes.push_back({Role::parameter_gradient, 1, bias});
    spec_.passes.push_back(std::move(weights));
    if (!site_.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, e.layout(turned_.forward.src_desc())},
                             {Role::parameter, 0, e.layout(turned_.forward.weights_desc())}},
                            {{Role::input_gradient, 0, e.layout(turned_.forward.dst_desc())}},
                            scratch_of(turned_.forward)});
  }

  std::unique_ptr<Kernel> with_bias(std::unique_ptr<Kernel> kernel, const void* bias, void* output) const {
    if (!op_.bias) return kernel;
    const ImageLayout layout = *image_layout(turned_.data.diff_src_desc(), site_.output, site_.batch);
    return make_kernel([=, shape = site_.output, batch = site_.batch, type = site_.type,
                        kernel = std::shared_ptr<Kernel>(std::move(kernel))](const StepContext& context) {
      kernel->run(context);
      add_channel_bias(layout, shape, batch, type, static_cast<const float*>(bias), output);
    });
  }

  std::unique_ptr<Kernel> with_bias_gradient(std::unique_ptr<Kernel> kernel, const void* gradient,
                                             void* sums) const {
    if (!op_.bias) return kernel;
    const ImageLayout layout = *image_layout(turned_.weights.src_desc(), site_.output, site_.batch);
    return make_kernel([=, shape = site_.output, batch = site_.batch, type = site_.type,
                        kernel = std::shared_ptr<Kernel>(std::move(kernel))](const StepContext& context) {
      kernel->run(context);
      sum_by_channel(layout, shape, batch, type, gradient, static_cast<float*>(sums));
    });
  }

  Deconvolution op_;
  ConvolutionPrimitives turned_;
};

}  // namespace

Lowered lower(const Deconvolution& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<DeconvolutionLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
