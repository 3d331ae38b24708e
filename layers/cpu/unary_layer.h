#pragma once

#include "layers/cpu/lower.h"

namespace convoy::cpu {

/// A function from one activation to another of the same shape and layout by two oneDNN primitives
/// (element-wise functions, softmax), which a derived class chooses: `forward_`, and `backward_` where the
/// input wants a gradient.
template <class Forward, class Backward>
class UnaryLayer : public CpuLayer {
 public:
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
                                {from_output_ ? DNNL_ARG_DST : DNNL_ARG_SRC, engine_->bind(desc, reads[1])},
                                {DNNL_ARG_DIFF_SRC, engine_->bind(desc, writes[0])}},
                               scratch);
  }

 protected:
  /// `from_output`: backward reads the layer's output, not its input; forward may then write over its input.
  UnaryLayer(const Site& site, Engine& engine, bool from_output)
      : CpuLayer(site, engine), from_output_(from_output) {}

  /// The passes of the chosen primitives.
  void declare(const Layout& layout) {
    const bool gradient = gives_input_gradient();
    spec_.passes.push_back({PassKind::forward,
                            {{Role::input, 0, layout}},
                            {{Role::output, 0, layout}},
                            scratch_of(forward_),
                            from_output_ || !gradient});
    if (!gradient) return;
    spec_.passes.push_back(
        {PassKind::backward_data,
         {{Role::output_gradient, 0, layout}, {from_output_ ? Role::output : Role::input, 0, layout}},
         {{Role::input_gradient, 0, layout}},
         scratch_of(backward_),
         true});
  }

  typename Forward::primitive_desc forward_;
  typename Backward::primitive_desc backward_;

 private:
  bool from_output_;
};

}  // namespace convoy::cpu
