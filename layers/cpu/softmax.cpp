#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

using Forward = dnnl::softmax_forward;
using Backward = dnnl::softmax_backward;

constexpr int kChannelAxis = 1;

/// Softmax by oneDNN, in the layout of the input where it has a kernel for that, otherwise channels last.
class SoftmaxLayer : public CpuLayer {
 public:
  SoftmaxLayer(const Site& site, Inputs inputs, Engine& engine) : CpuLayer(site, engine) {
    const Shape shape = site.inputs[0];
    const memory::desc incoming = as_image(engine.desc(inputs[0]), shape, site.batch);
    const bool fast =
        type_of(incoming) == site.type && checked(what_, [&] { return choose(incoming, true); });
    if (!fast) {
      checked(what_, [&] { return choose(channels_last_activation(shape, site.batch, site.type), false); });
    }
    const Layout layout = engine.accept(desc_, inputs[0]);
    spec_.passes.push_back({PassKind::forward,
                            {{Role::input, 0, layout}},
                            {{Role::output, 0, layout}},
                            scratch_of(forward_),
                            true});
    if (!site.training || !site.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, layout}, {Role::output, 0, layout}},
                            {{Role::input_gradient, 0, layout}},
                            scratch_of(backward_),
                            true});
  }

  std::string implementation(std::size_t pass) const override {
    return pass == 0 ? forward_.impl_info_str() : backward_.impl_info_str();
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    if (pass == 0) {
      return primitive<Forward>(
          forward_,
          {{DNNL_ARG_SRC, engine_->bind(desc_, reads[0])}, {DNNL_ARG_DST, engine_->bind(desc_, writes[0])}},
          scratch);
    }
    return primitive<Backward>(backward_,
                               {{DNNL_ARG_DIFF_DST, engine_->bind(desc_, reads[0])},
                                {DNNL_ARG_DST, engine_->bind(desc_, reads[1])},
                                {DNNL_ARG_DIFF_SRC, engine_->bind(desc_, writes[0])}},
                               scratch);
  }

 private:
  /// Takes the kernels for a layout; with `only_fast`, says false where they are slow ones.
  bool choose(const memory::desc& desc, bool only_fast) {
    const bool back = site_.training && site_.input_gradient[0];
    const auto purpose =
        site_.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    desc_ = desc;
    forward_ = {{purpose, desc, kChannelAxis}, user_scratchpad(), engine_->get(), only_fast};
    if (only_fast && is_slow(forward_)) return false;
    if (back) {
      backward_ = {{desc, desc, kChannelAxis}, user_scratchpad(), engine_->get(), forward_, only_fast};
    }
    return !only_fast || !back || !is_slow(backward_);
  }

  memory::desc desc_;
  Forward::primitive_desc forward_;
  Backward::primitive_desc backward_;
};

}  // namespace

Lowered lower(const Softmax&, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<SoftmaxLayer>(site, inputs, engine);
}

}  // namespace convoy::cpu
