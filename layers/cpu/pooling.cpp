#include <algorithm>

#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

using Forward = dnnl::pooling_forward;
using Backward = dnnl::pooling_backward;

/// Pooling in the layout that its input has. The positions of the maxima are what forward leaves for backward.
class PoolingLayer : public CpuLayer {
 public:
  PoolingLayer(const Pooling& op, const Site& site, Inputs inputs, Engine& engine) : CpuLayer(site, engine) {
    checked(what_, [&] { choose(op, inputs[0]); });
    const Layout output = engine.layout(forward_.dst_desc());
    spec_.passes.push_back(
        {PassKind::forward, {{Role::input, 0, inputs[0]}}, {{Role::output, 0, output}}, scratch_of(forward_)});
    if (!site.training) return;
    spec_.saved_bytes = static_cast<std::int64_t>(forward_.workspace_desc().get_size());
    const Layout saved{-1, spec_.saved_bytes};
    if (spec_.saved_bytes > 0) spec_.passes[0].writes.push_back({Role::saved, 0, saved});
    if (!site.input_gradient[0]) return;
    PassSpec backward{PassKind::backward_data,
                      {{Role::output_gradient, 0, output}},
                      {{Role::input_gradient, 0, engine.accept(backward_.diff_src_desc(), inputs[0])}},
                      scratch_of(backward_)};
    if (spec_.saved_bytes > 0) backward.reads.push_back({Role::saved, 0, saved});
    spec_.passes.push_back(std::move(backward));
  }

  std::string implementation(std::size_t pass) const override {
    return pass == 0 ? forward_.impl_info_str() : backward_.impl_info_str();
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    ArgMap args;
    const auto put = [&](int key, const memory::desc& desc, const void* data) { args.emplace(key, engine_->bind(desc, data)); };
    if (pass == 0) {
      put(DNNL_ARG_SRC, forward_.src_desc(), reads[0]);
      put(DNNL_ARG_DST, forward_.dst_desc(), writes[0]);
      if (spec_.saved_bytes > 0) put(DNNL_ARG_WORKSPACE, forward_.workspace_desc(), writes[1]);
      return primitive<Forward>(forward_, std::move(args), scratch);
    }
    put(DNNL_ARG_DIFF_DST, backward_.diff_dst_desc(), reads[0]);
    if (spec_.saved_bytes > 0) put(DNNL_ARG_WORKSPACE, backward_.workspace_desc(), reads[1]);
    put(DNNL_ARG_DIFF_SRC, backward_.diff_src_desc(), writes[0]);
    return primitive<Backward>(backward_, std::move(args), scratch);
  }

 private:
  void choose(const Pooling& op, const Layout& input) {
    const Shape in = site_.inputs[0];
    const Shape out = site_.output;
    const Dims kernel = op.global ? Dims{in.height, in.width} : Dims{op.kernel_y, op.kernel_x};
    const Dims strides = op.global ? Dims{1, 1} : Dims{op.stride_y, op.stride_x};
    const Dims begin{op.padding_y, op.padding_x};
    // What the last window reaches past the input: less than the padding, or more when the size was rounded up.
    const Dims end{(out.height - 1) * strides[0] + kernel[0] - in.height - begin[0],
                   (out.width - 1) * strides[1] + kernel[1] - in.width - begin[1]};
    auto algorithm = dnnl::algorithm::pooling_max;
    if (op.kind == Pooling::Kind::average) {
      const bool padded = op.padding_y > 0 || op.padding_x > 0;
      algorithm = op.count_padding && padded ? dnnl::algorithm::pooling_avg_include_padding
                                             : dnnl::algorithm::pooling_avg_exclude_padding;
    }
    const memory::desc source = as_image(engine_->desc(input), in, site_.batch);
    const memory::desc target = any_activation(out, site_.batch);
    const auto purpose = site_.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    forward_ = {{purpose, algorithm, source, target, strides, kernel, begin, end}, user_scratchpad(), engine_->get()};
    if (!site_.training || !site_.input_gradient[0]) return;
    backward_ = {{algorithm, source, forward_.dst_desc(), strides, kernel, begin, end}, user_scratchpad(), engine_->get(), forward_};
  }

  Forward::primitive_desc forward_;
  Backward::primitive_desc backward_;
};

}  // namespace

Lowered lower(const Pooling& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<PoolingLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
