#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

using Forward = dnnl::eltwise_forward;
using Backward = dnnl::eltwise_backward;

/// ReLU in place, in the layout of its input; backward goes by the sign of the output.
class ReluLayer : public CpuLayer {
 public:
  ReluLayer(const Site& site, Inputs inputs, Engine& engine) : CpuLayer(site, engine) {
    const memory::desc& desc = engine.desc(inputs[0]);
    checked(what_, [&] {
      const auto purpose =
          site.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
      forward_ = {{purpose, dnnl::algorithm::eltwise_relu, desc, 0.F}, user_scratchpad(), engine.get()};
      if (site.training && site.input_gradient[0]) {
        // The hint must be of the same algorithm as backward.
        const Forward::primitive_desc hint(
            {dnnl::prop_kind::forward_training, dnnl::algorithm::eltwise_relu_use_dst_for_bwd, desc, 0.F},
            user_scratchpad(), engine.get());
        backward_ = {{dnnl::algorithm::eltwise_relu_use_dst_for_bwd, desc, desc, 0.F},
                     user_scratchpad(),
                     engine.get(),
                     hint};
      }
    });
    spec_.passes.push_back({PassKind::forward,
                            {{Role::input, 0, inputs[0]}},
                            {{Role::output, 0, inputs[0]}},
                            scratch_of(forward_),
                            true});
    if (!site.training || !site.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, inputs[0]}, {Role::output, 0, inputs[0]}},
                            {{Role::input_gradient, 0, inputs[0]}},
                            scratch_of(backward_),
                            true});
  }

  std::string implementation(std::size_t pass) const override {
    return pass == 0 ? forward_.impl_info_str() : backward_.impl_info_str();
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    const memory::desc desc = forward_.src_desc();
    if (pass == 0) {
      return primitive<Forward>(
          forward_,
          {{DNNL_ARG_SRC, engine_->bind(desc, reads[0])}, {DNNL_ARG_DST, engine_->bind(desc, writes[0])}},
          scratch);
    }
    return primitive<Backward>(backward_,
                               {{DNNL_ARG_DIFF_DST, engine_->bind(desc, reads[0])},
                                {DNNL_ARG_DST, engine_->bind(desc, reads[1])},
                                {DNNL_ARG_DIFF_SRC, engine_->bind(desc, writes[0])}},
                               scratch);
  }

 private:
  Forward::primitive_desc forward_;
  Backward::primitive_desc backward_;
};

}  // namespace

Lowered lower(const Relu&, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<ReluLayer>(site, inputs, engine);
}

}  // namespace convoy::cpu
