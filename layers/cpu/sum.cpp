#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

/// Element-wise sum in the layout of the first input. Its gradient goes on unchanged to every input.
class SumLayer : public CpuLayer {
 public:
  SumLayer(const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine), desc_(engine.desc(inputs[0])) {
    const std::vector<float> ones(inputs.size(), 1.F);
    const std::vector<memory::desc> sources(inputs.size(), desc_);
    checked(what_, [&] { forward_ = {desc_, ones, sources, engine.get(), user_scratchpad()}; });
    PassSpec forward{PassKind::forward, {}, {{Role::output, 0, inputs[0]}}, scratch_of(forward_)};
    PassSpec backward{PassKind::backward_data, {{Role::output_gradient, 0, inputs[0]}}, {}, 0, false, true};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      forward.reads.push_back({Role::input, static_cast<int>(i), inputs[0]});
      if (site.training && site.input_gradient[i]) {
        backward.writes.push_back({Role::input_gradient, static_cast<int>(i), inputs[0]});
      }
    }
    spec_.passes.push_back(std::move(forward));
    if (!backward.writes.empty()) spec_.passes.push_back(std::move(backward));
  }

  std::string implementation(std::size_t pass) const override {
    return pass == 0 ? forward_.impl_info_str() : "none";
  }

  std::unique_ptr<Kernel> bind(std::size_t, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    ArgMap args{{DNNL_ARG_DST, engine_->bind(desc_, writes[0])}};
    for (std::size_t i = 0; i < reads.size(); ++i) {
      args.emplace(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), engine_->bind(desc_, reads[i]));
    }
    return primitive<dnnl::sum>(forward_, std::move(args), scratch);
  }

 private:
  memory::desc desc_;
  dnnl::sum::primitive_desc forward_;
};

}  // namespace

Lowered lower(const Sum&, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<SumLayer>(site, inputs, engine);
}

}  // namespace convoy::cpu
