#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace convoy::cpu {

/// A way to run a convolution: how its activations lie, and the algorithm of each pass.
struct ConvolutionVariant {
  enum class Lie : std::uint8_t {
    any,  ///< as oneDNN likes best: mostly in blocks of 16 channels for fp32, channels last for bf16
    channels_last,  ///< N × H × W × C
    plain,          ///< N × C × H × W
    narrow,         ///< channels last, by our own loops (narrow_convolution.h)
    product,        ///< channels last, a pointwise convolution as a product of matrices (product_layer.h)
  };
  enum class Algorithm : std::uint8_t {
    automatic,  ///< oneDNN's choice, Winograd among others
    direct,
    second,  ///< direct, by the implementation that oneDNN likes second best
    gemm,    ///< windows unrolled to a matrix, and a product of matrices
  };
  /// Of forward, backward_weights and backward_data; of no meaning for `narrow` and `product`.
  using Algorithms = std::array<Algorithm, 3>;

  /// Whether the algorithms say anything.
  bool has_algorithms() const { return lie != Lie::narrow && lie != Lie::product; }

  Lie lie = Lie::any;
  Algorithms algorithms{};

  friend bool operator==(const ConvolutionVariant&, const ConvolutionVariant&) = default;
};

/// One algorithm for all passes.
constexpr ConvolutionVariant::Algorithms all_passes(ConvolutionVariant::Algorithm algorithm) {
  return {algorithm, algorithm, algorithm};
}

/// "any automatic/direct/automatic", "narrow", "product".
std::string name_of(const ConvolutionVariant& variant);
/// The variant of a name, nullopt for any other text.
std::optional<ConvolutionVariant> variant_named(const std::string& name);

/// All variants with one algorithm for all passes.
std::vector<ConvolutionVariant> uniform_variants();

}  // namespace convoy::cpu
