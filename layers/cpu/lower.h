#pragma once

#include <memory>
#include <span>

#include "layers/cpu/onednn.h"

namespace convoy::cpu {

using Lowered = std::shared_ptr<const LoweredLayer>;
using Inputs = std::span<const Layout>;

// One function a layer type; std::visit over LayerOp refuses to compile when one is missing.
Lowered lower(const Convolution& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Deconvolution& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const FullyConnected& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Pooling& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Nonlinearity& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Prelu& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Lrn& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const BatchNorm& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Scale& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Dropout& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Elementwise& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Concat& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const ChannelSlice& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Flatten& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Softmax& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const SoftmaxLoss& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const LocallyConnected& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Crop& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Upsample& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Clip& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const PadChannels& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const SquaredError& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const Hinge& op, const Site& site, Inputs inputs, Engine& engine);
Lowered lower(const SigmoidCrossEntropy& op, const Site& site, Inputs inputs, Engine& engine);

/// Base of the layers here: holds the engine and a name for messages.
class CpuLayer : public LoweredLayer {
 public:
  CpuLayer(const Site& site, Engine& engine)
      : engine_(&engine), site_(site), what_("layer \"" + site.layer->name + "\"") {
    spec_.cap = CapShare::nothing;
  }
  std::string implementation(std::size_t) const override { return "convoy"; }

 protected:
  bool gives_input_gradient() const { return site_.training && site_.input_gradient[0]; }

  /// A primitive with its scratchpad, as a kernel.
  template <class Primitive, class PrimitiveDesc>
  std::unique_ptr<Kernel> primitive(const PrimitiveDesc& pd, ArgMap args, void* scratch) const {
    args.emplace(DNNL_ARG_SCRATCHPAD, engine_->bind(pd.scratchpad_desc(), scratch));
    return std::make_unique<PrimitiveKernel>(engine_->stream(), checked(what_, [&] { return Primitive(pd); }),
                                             std::move(args), what_);
  }

  Engine* engine_;
  Site site_;
  std::string what_;
};

}  // namespace convoy::cpu
