#include "layers/cpu/image_layout.h"
#include "layers/cpu/l2_pool.h"
#include "layers/cpu/lower.h"
#include "layers/cpu/max_pool.h"

namespace convoy::cpu {
namespace {

using PoolingForward = dnnl::pooling_forward;
using PoolingBackward = dnnl::pooling_backward;

/// Pooling in the layout that its input has. The positions of the maxima are what forward leaves for
/// backward.
class PoolingLayer : public CpuLayer {
 public:
  PoolingLayer(const Pooling& op, const Site& site, Inputs inputs, Engine& engine) : CpuLayer(site, engine) {
    checked(what_, [&] { choose(op, inputs[0]); });
    const Layout output = engine.layout(forward_.dst_desc());
    spec_.passes.push_back({PassKind::forward,
                            {{Role::input, 0, inputs[0]}},
                            {{Role::output, 0, output}},
                            scratch_of(forward_)});
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
    const auto put = [&](int key, const memory::desc& desc, const void* data) {
      args.emplace(key, engine_->bind(desc, data));
    };
    if (pass == 0) {
      put(DNNL_ARG_SRC, forward_.src_desc(), reads[0]);
      put(DNNL_ARG_DST, forward_.dst_desc(), writes[0]);
      if (spec_.saved_bytes > 0) put(DNNL_ARG_WORKSPACE, forward_.workspace_desc(), writes[1]);
      return primitive<PoolingForward>(forward_, std::move(args), scratch);
    }
    put(DNNL_ARG_DIFF_DST, backward_.diff_dst_desc(), reads[0]);
    if (spec_.saved_bytes > 0) put(DNNL_ARG_WORKSPACE, backward_.workspace_desc(), reads[1]);
    put(DNNL_ARG_DIFF_SRC, backward_.diff_src_desc(), writes[0]);
    return primitive<PoolingBackward>(backward_, std::move(args), scratch);
  }

 private:
  void choose(const Pooling& op, const Layout& input) {
    const Shape in = site_.inputs[0];
    const Shape out = site_.output;
    const Shape window = op.window(in);
    const Dims kernel{window.height, window.width};
    const Dims strides{op.stride_y, op.stride_x};
    const Dims begin{op.padding_y, op.padding_x};
    // What the last window reaches past the input: less than the padding, or more when the size was rounded
    // up.
    const Dims end{(out.height - 1) * strides[0] + kernel[0] - in.height - begin[0],
                   (out.width - 1) * strides[1] + kernel[1] - in.width - begin[1]};
    auto algorithm = dnnl::algorithm::pooling_max;
    if (op.kind == Pooling::Kind::average) {
      const bool padded = op.padding_y > 0 || op.padding_x > 0;
      algorithm = op.count_padding && padded ? dnnl::algorithm::pooling_avg_include_padding
                                             : dnnl::algorithm::pooling_avg_exclude_padding;
    }
    const memory::desc source = as_image(engine_->desc(input), in, site_.batch);
    const memory::desc target = any_activation(out, site_.batch, site_.type);
    const auto purpose = forward_purpose(site_.training);
    forward_ = {
        {purpose, algorithm, source, target, strides, kernel, begin, end}, user_scratchpad(), engine_->get()};
    if (!site_.training || !site_.input_gradient[0]) return;
    backward_ = {{algorithm, source, forward_.dst_desc(), strides, kernel, begin, end},
                 user_scratchpad(),
                 engine_->get(),
                 forward_};
  }

  PoolingForward::primitive_desc forward_;
  PoolingBackward::primitive_desc backward_;
};

/// Whether our own max pooling serves: where the layout has at least 8 values side by side.
bool is_own(const PoolGeometry& g, const Site& site) {
  return g.inner >= 8 && g.kernel_y * g.kernel_x <= 255 && site.inputs[0].channels >= 8;
}

/// Max pooling by our own loops.
class MaxPoolLayer : public CpuLayer {
 public:
  MaxPoolLayer(const PoolGeometry& geometry, const ImageLayout& layout, const Site& site, const Layout& input,
               Engine& engine)
      : CpuLayer(site, engine), geometry_(geometry) {
    const memory::desc desc = image_like(layout, site.output, site.batch, site.type);
    const Layout output = engine.layout(desc);
    spec_.passes.push_back({PassKind::forward, {{Role::input, 0, input}}, {{Role::output, 0, output}}, 0});
    if (!site.training || !site.input_gradient[0]) return;
    spec_.saved_bytes = geometry.outer * geometry.out_map();
    const Layout saved{-1, spec_.saved_bytes};
    spec_.passes[0].writes.push_back({Role::saved, 0, saved});
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, output}, {Role::saved, 0, saved}},
                            {{Role::input_gradient, 0, input}},
                            site.type == DType::bf16 ? max_pool_strip_bytes(geometry) : 0});
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    auto* strips = static_cast<float*>(scratch);
    return site_.type == DType::bf16 ? pool_kernel<std::uint16_t>(pass, reads, writes, strips)
                                     : pool_kernel<float>(pass, reads, writes, nullptr);
  }

 private:
  template <class T>
  std::unique_ptr<Kernel> pool_kernel(std::size_t pass, std::span<void* const> reads,
                                      std::span<void* const> writes, float* strips) const {
    const PoolGeometry g = geometry_;
    const auto* from = static_cast<const T*>(reads[0]);
    auto* to = static_cast<T*>(writes[0]);
    if (pass == 0) {
      auto* positions = spec_.saved_bytes > 0 ? static_cast<std::uint8_t*>(writes[1]) : nullptr;
      return make_kernel([=](const StepContext&) { max_pool_forward(g, from, to, positions); });
    }
    const auto* positions = static_cast<const std::uint8_t*>(reads[1]);
    return make_kernel([=](const StepContext&) { max_pool_backward(g, from, positions, to, strips); });
  }

  PoolGeometry geometry_;
};

}  // namespace

Lowered lower(const Pooling& op, const Site& site, Inputs inputs, Engine& engine) {
  if (op.kind == Pooling::Kind::l2) return lower_l2_pool(op, site, inputs, engine);
  const auto layout = image_layout(engine.desc(inputs[0]), site.inputs[0], site.batch);
  if (op.kind == Pooling::Kind::max && layout) {
    const PoolGeometry geometry = pool_geometry(op, site, *layout);
    if (is_own(geometry, site))
      return std::make_shared<MaxPoolLayer>(geometry, *layout, site, inputs[0], engine);
  }
  return std::make_shared<PoolingLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
