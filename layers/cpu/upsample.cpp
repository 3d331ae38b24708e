#include "layers/cpu/image_layout.h"
#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

using ResamplingForward = dnnl::resampling_forward;
using ResamplingBackward = dnnl::resampling_backward;

/// Bilinear upsampling by oneDNN's resampling, in the layout of the input.
class UpsampleLayer : public CpuLayer {
 public:
  UpsampleLayer(const Site& site, Inputs inputs, Engine& engine) : CpuLayer(site, engine) {
    const Layout input = accept_image(engine, inputs[0], site.inputs[0], site.batch, site.type);
    const memory::desc source = as_image(engine.desc(input), site.inputs[0], site.batch);
    const ImageLayout layout = *image_layout(source, site.inputs[0], site.batch);
    const memory::desc target = image_like(layout, site.output, site.batch, site.type);
    const auto linear = dnnl::algorithm::resampling_linear;
    checked(what_, [&] {
      const auto purpose = forward_purpose(site.training);
      forward_ = {{purpose, linear, source, target}, user_scratchpad(), engine.get()};
      if (gives_input_gradient())
        backward_ = {{linear, source, target}, user_scratchpad(), engine.get(), forward_};
    });
    const Layout output = engine.layout(target);
    spec_.passes.push_back(
        {PassKind::forward, {{Role::input, 0, input}}, {{Role::output, 0, output}}, scratch_of(forward_)});
    if (!site.training || !site.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, output}},
                            {{Role::input_gradient, 0, input}},
                            scratch_of(backward_)});
  }

  std::string implementation(std::size_t pass) const override {
    return pass == 0 ? forward_.impl_info_str() : backward_.impl_info_str();
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    if (pass == 0) {
      return primitive<ResamplingForward>(forward_,
                                          {{DNNL_ARG_SRC, engine_->bind(forward_.src_desc(), reads[0])},
                                           {DNNL_ARG_DST, engine_->bind(forward_.dst_desc(), writes[0])}},
                                          scratch);
    }
    return primitive<ResamplingBackward>(
        backward_,
        {{DNNL_ARG_DIFF_DST, engine_->bind(backward_.diff_dst_desc(), reads[0])},
         {DNNL_ARG_DIFF_SRC, engine_->bind(backward_.diff_src_desc(), writes[0])}},
        scratch);
  }

 private:
  ResamplingForward::primitive_desc forward_;
  ResamplingBackward::primitive_desc backward_;
};

}  // namespace

Lowered lower(const Upsample&, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<UpsampleLayer>(site, inputs, engine);
}

}  // namespace convoy::cpu
