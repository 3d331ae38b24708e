#include "layers/cpu/lower.h"
#include "layers/cpu/lrn_strip.h"

namespace convoy::cpu {
namespace {

using LrnForward = dnnl::lrn_forward;
using LrnBackward = dnnl::lrn_backward;

/// Local response normalization across channels by oneDNN, in the layout of its input.
class LrnLayer : public CpuLayer {
 public:
  LrnLayer(const Lrn& op, const Site& site, Inputs inputs, Engine& engine) : CpuLayer(site, engine) {
    const memory::desc desc = as_image(engine.desc(inputs[0]), site.inputs[0], site.batch);
    const bool gradient = gives_input_gradient();
    const auto alpha = static_cast<float>(op.alpha);
    const auto beta = static_cast<float>(op.beta);
    const auto k = static_cast<float>(op.k);
    checked(what_, [&] {
      const auto purpose = forward_purpose(gradient);
      forward_ = {{purpose, dnnl::algorithm::lrn_across_channels, desc, op.size, alpha, beta, k},
                  user_scratchpad(),
                  engine.get()};
      if (gradient) {
        backward_ = {{dnnl::algorithm::lrn_across_channels, desc, desc, op.size, alpha, beta, k},
                     user_scratchpad(),
                     engine.get(),
                     forward_};
      }
    });
    const Layout layout = inputs[0];
    spec_.passes.push_back(
        {PassKind::forward, {{Role::input, 0, layout}}, {{Role::output, 0, layout}}, scratch_of(forward_)});
    if (!gradient) return;
    spec_.saved_bytes = static_cast<std::int64_t>(forward_.workspace_desc().get_size());
    const Layout saved{-1, spec_.saved_bytes};
    if (spec_.saved_bytes > 0) spec_.passes[0].writes.push_back({Role::saved, 0, saved});
    PassSpec backward{PassKind::backward_data,
                      {{Role::output_gradient, 0, layout}, {Role::input, 0, layout}},
                      {{Role::input_gradient, 0, layout}},
                      scratch_of(backward_)};
    if (spec_.saved_bytes > 0) backward.reads.push_back({Role::saved, 0, saved});
    spec_.passes.push_back(std::move(backward));
  }

  bool slow() const { return is_slow(forward_) || (gives_input_gradient() && is_slow(backward_)); }

  std::string implementation(std::size_t pass) const override {
    return pass == 0 ? forward_.impl_info_str() : backward_.impl_info_str();
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    ArgMap args;
    const auto put = [&](int key, const memory::desc& desc, const void* data) {
      args.emplace(key, engine_->bind(desc, data));
    };
    const memory::desc desc = forward_.src_desc();
    if (pass == 0) {
      put(DNNL_ARG_SRC, desc, reads[0]);
      put(DNNL_ARG_DST, desc, writes[0]);
      if (spec_.saved_bytes > 0) put(DNNL_ARG_WORKSPACE, forward_.workspace_desc(), writes[1]);
      return primitive<LrnForward>(forward_, std::move(args), scratch);
    }
    put(DNNL_ARG_DIFF_DST, desc, reads[0]);
    put(DNNL_ARG_SRC, desc, reads[1]);
    if (spec_.saved_bytes > 0) put(DNNL_ARG_WORKSPACE, forward_.workspace_desc(), reads[2]);
    put(DNNL_ARG_DIFF_SRC, desc, writes[0]);
    return primitive<LrnBackward>(backward_, std::move(args), scratch);
  }

 private:
  LrnForward::primitive_desc forward_;
  LrnBackward::primitive_desc backward_;
};

}  // namespace

// oneDNN is fast in the layouts of convolutions with whole vectors of channels, for the usual size and beta:
// it keeps what forward divided by, which makes its backward two to four times as fast as ours. Elsewhere its
// loops are plain ones, ten to fifty times as slow as ours. An incomplete last vector it gets wrong in
// bf16: 2.6.3 gives gradients that are 6 % and 11 % off for 20 and 17 channels.
Lowered lower(const Lrn& op, const Site& site, Inputs inputs, Engine& engine) {
  if (op.region == Lrn::Region::across && site.inputs[0].channels % 16 == 0) {
    auto layer = std::make_shared<LrnLayer>(op, site, inputs, engine);
    if (!layer->slow()) return layer;
  }
  return lower_lrn_by_strips(op, site, inputs, engine);
}

}  // namespace convoy::cpu
