#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "layers/cuda/kernels/queue.h"
#include "layers/cuda/kernels/step_values.h"
#include "layers/cuda/libraries.h"
#include "layers/device/device.h"
#include "layers/graph/backend.h"
#include "layers/sizes/specs.h"

namespace CONVOY_CUDA_NAMESPACE {

/// The StepValues on the device, which its work reads.
class StepMemory {
 public:
  StepMemory(Device& device, Queue queue, void* memory)
      : device_(&device), queue_(queue), memory_(static_cast<StepValues*>(memory)) {}
  /// Puts those of a context there, unless they are. Error(internal) when they are not and work is recorded,
  /// since they would be the same whenever it is played.
  const StepValues* set(const StepContext& context);

 private:
  Device* device_;
  Queue queue_;
  StepValues* memory_;
  std::optional<StepValues> last_;
};

/// What the layers here share.
struct Engine {
  Device* device = nullptr;
  Queue queue;
  StepMemory* step = nullptr;
  Libraries* libraries = nullptr;  ///< null: our own loops do everything
  sizes::Layouts layouts;
  KernelChoices choices = {};  ///< among the libraries' kernels, for what is bound from now on
  /// Of the libraries, by problem, pass and choice: layers that are alike share them.
  std::map<std::string, std::shared_ptr<const LibraryKernel>> kernels = {};
};

using Lowered = std::shared_ptr<const LoweredLayer>;
using Memory = std::span<void* const>;
/// Puts the work of a bound pass into the queue.
using Run = std::function<void(const StepContext&)>;
/// Binds a pass to its memory: reads, writes and scratch in the order of the spec.
using Bind = std::function<Run(const PassSpec& pass, Memory reads, Memory writes, void* scratch)>;
/// The name of what runs a pass.
using Name = std::function<std::string(const PassSpec& pass)>;

/// A layer whose passes, operands and bytes are those of the size model (layers/sizes): what was planned is
/// what is bound.
class CudaLayer : public LoweredLayer {
 public:
  CudaLayer(LayerSpec spec, Bind bind, Name name) : bind_(std::move(bind)), name_(std::move(name)) {
    spec_ = std::move(spec);
  }
  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override;
  std::string implementation(std::size_t pass) const override {
    return name_ == nullptr ? "convoy" : name_(spec_.passes[pass]);
  }

 private:
  Bind bind_;
  Name name_;
};

/// The layer of an operation, with the size model's spec.
template <class Op>
Lowered make_layer(const Op& op, const Site& site, Engine& engine, Bind bind, Name name = nullptr) {
  return std::make_shared<CudaLayer>(sizes::spec_of(op, site, engine.layouts), std::move(bind),
                                     std::move(name));
}

std::unique_ptr<Kernel> make_kernel(Run run);

// One function a layer type; std::visit over LayerOp refuses to compile when one is missing.
Lowered lower(const Convolution& op, const Site& site, Engine& engine);
Lowered lower(const Deconvolution& op, const Site& site, Engine& engine);
Lowered lower(const LocallyConnected& op, const Site& site, Engine& engine);
Lowered lower(const FullyConnected& op, const Site& site, Engine& engine);
Lowered lower(const Pooling& op, const Site& site, Engine& engine);
Lowered lower(const Crop& op, const Site& site, Engine& engine);
Lowered lower(const Upsample& op, const Site& site, Engine& engine);
Lowered lower(const Nonlinearity& op, const Site& site, Engine& engine);
Lowered lower(const Prelu& op, const Site& site, Engine& engine);
Lowered lower(const Clip& op, const Site& site, Engine& engine);
Lowered lower(const Lrn& op, const Site& site, Engine& engine);
Lowered lower(const BatchNorm& op, const Site& site, Engine& engine);
Lowered lower(const Scale& op, const Site& site, Engine& engine);
Lowered lower(const Dropout& op, const Site& site, Engine& engine);
Lowered lower(const Elementwise& op, const Site& site, Engine& engine);
Lowered lower(const Concat& op, const Site& site, Engine& engine);
Lowered lower(const ChannelSlice& op, const Site& site, Engine& engine);
Lowered lower(const Flatten& op, const Site& site, Engine& engine);
Lowered lower(const PadChannels& op, const Site& site, Engine& engine);
Lowered lower(const Softmax& op, const Site& site, Engine& engine);
Lowered lower(const SoftmaxLoss& op, const Site& site, Engine& engine);
Lowered lower(const SquaredError& op, const Site& site, Engine& engine);
Lowered lower(const Hinge& op, const Site& site, Engine& engine);
Lowered lower(const SigmoidCrossEntropy& op, const Site& site, Engine& engine);

/// Part `number` of scratch or saved bytes that hold vectors of one fp32 value a channel, each from a
/// multiple of 256.
float* vector_in(void* memory, std::int64_t channels, int number);
/// Rows of channels of a layer's input: the pixels of all samples.
inline std::int64_t rows_of(const Site& site) { return site.batch * site.inputs[0].pixels(); }

}  // namespace CONVOY_CUDA_NAMESPACE
