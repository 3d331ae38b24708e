#include "layers/cpu/convolution_variant.h"

#include <fmt/format.h>

#include <algorithm>

namespace convoy::cpu {
namespace {

using Lie = ConvolutionVariant::Lie;
using Algorithm = ConvolutionVariant::Algorithm;

constexpr std::array kLies{"any", "channels_last", "plain", "narrow", "product"};
constexpr std::array kAlgorithms{"automatic", "direct", "second", "gemm"};

}  // namespace

std::string name_of(const ConvolutionVariant& variant) {
  const std::string lie = kLies[static_cast<std::size_t>(variant.lie)];
  if (!variant.has_algorithms()) return lie;
  const auto name = [&](std::size_t pass) {
    return kAlgorithms[static_cast<std::size_t>(variant.algorithms[pass])];
  };
  return fmt::format("{} {}/{}/{}", lie, name(0), name(1), name(2));
}

std::optional<ConvolutionVariant> variant_named(const std::string& name) {
  // There are few of them: the one whose name it is.
  for (std::size_t lie = 0; lie < kLies.size(); ++lie) {
    if (name.rfind(kLies[lie], 0) != 0) continue;
    ConvolutionVariant variant{static_cast<Lie>(lie), {}};
    for (std::size_t all = 0; all < 64; ++all) {
      variant.algorithms = {static_cast<Algorithm>(all / 16), static_cast<Algorithm>(all / 4 % 4),
                            static_cast<Algorithm>(all % 4)};
      if (name_of(variant) == name) {
        if (!variant.has_algorithms()) variant.algorithms = {};
        return variant;
      }
    }
  }
  return std::nullopt;
}

std::vector<ConvolutionVariant> uniform_variants() {
  return {{Lie::any, all_passes(Algorithm::automatic)},
          {Lie::any, all_passes(Algorithm::direct)},
          {Lie::any, all_passes(Algorithm::second)},
          {Lie::narrow, {}},
          {Lie::product, {}},
          {Lie::channels_last, all_passes(Algorithm::direct)},
          {Lie::channels_last, all_passes(Algorithm::gemm)},
          {Lie::plain, all_passes(Algorithm::gemm)}};
}

}  // namespace convoy::cpu
