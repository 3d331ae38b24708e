#pragma once

#include <optional>

#include "layers/cpu/onednn.h"

namespace convoy::cpu {

/// The gradients of a fully connected layer's weight and bias, added to what is there: one part of the
/// outputs after another is made in scratch memory and added. That takes a few MiB, where a second gradient
/// of the whole weight takes 144 MiB for AlexNet's fc6.
class AddedGradient {
 public:
  using Forward = dnnl::inner_product_forward::primitive_desc;
  using BackwardWeights = dnnl::inner_product_backward_weights::primitive_desc;

  /// For the gradient that `whole` writes; `forward` belongs to it. nullopt where that is so small that it is
  /// not worth it, where its layout is not one part of the outputs after another, and where oneDNN has no
  /// fast kernel for a part. `engine` must outlive it.
  static std::optional<AddedGradient> of(const BackwardWeights& whole, const Forward& forward,
                                         Engine& engine);

  std::int64_t scratch_bytes() const;

  /// `bias` may be null. All as the passes of the layer have them: rows × inputs, rows × outputs, and the
  /// gradients in fp32.
  std::unique_ptr<Kernel> bind(const void* input, const void* output_gradient, void* weight, void* bias,
                               void* scratch) const;

 private:
  explicit AddedGradient(Engine& engine) : engine_(&engine) {}

  Engine* engine_;
  std::int64_t rows_ = 0;          ///< of the product
  std::int64_t outputs_ = 0;       ///< in all
  std::int64_t part_ = 0;          ///< outputs of a part; the last may have fewer
  std::int64_t value_bytes_ = 0;   ///< of a value of the output's gradient
  std::int64_t weight_bytes_ = 0;  ///< of a part of the weight's gradient
  BackwardWeights most_;           ///< for a part
  BackwardWeights last_;           ///< for the last part
};

}  // namespace convoy::cpu
