#include "layers/cpu/unary_layer.h"

namespace convoy::cpu {
namespace {

using SoftmaxForward = dnnl::softmax_forward;
using SoftmaxBackward = dnnl::softmax_backward;

constexpr int kChannelAxis = 1;

/// Softmax by oneDNN, in the layout of the input where it has a kernel for that, otherwise channels last.
class SoftmaxLayer : public UnaryLayer<SoftmaxForward, SoftmaxBackward> {
 public:
  SoftmaxLayer(const Site& site, Inputs inputs, Engine& engine) : UnaryLayer(site, engine, true) {
    const Shape shape = site.inputs[0];
    const memory::desc incoming = as_image(engine.desc(inputs[0]), shape, site.batch);
    const bool fast =
        type_of(incoming) == site.type && checked(what_, [&] { return choose(incoming, true); });
    if (!fast) {
      checked(what_, [&] { return choose(channels_last_activation(shape, site.batch, site.type), false); });
    }
    declare(engine.accept(forward_.src_desc(), inputs[0]));
  }

 private:
  /// Takes the kernels for a layout; with `only_fast`, says false where they are slow ones.
  bool choose(const memory::desc& desc, bool only_fast) {
    const bool back = gives_input_gradient();
    const auto purpose = forward_purpose(site_.training);
    forward_ = {{purpose, desc, kChannelAxis}, user_scratchpad(), engine_->get(), only_fast};
    if (only_fast && is_slow(forward_)) return false;
    if (back) {
      backward_ = {{desc, desc, kChannelAxis}, user_scratchpad(), engine_->get(), forward_, only_fast};
    }
    return !only_fast || !back || !is_slow(backward_);
  }
};

}  // namespace

Lowered lower(const Softmax&, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<SoftmaxLayer>(site, inputs, engine);
}

}  // namespace convoy::cpu
