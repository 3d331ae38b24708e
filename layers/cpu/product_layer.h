#pragma once

#include <optional>

#include "layers/cpu/added_gradient.h"
#include "layers/cpu/weighted_layer.h"

namespace convoy::cpu {

/// Which pixels of a channels-last image the rows of a product are: each `stride`-th, from the first on.
struct PixelGrid {
  Shape image;  ///< all pixels
  Shape taken;  ///< those of the grid
  std::int64_t stride_y = 1;
  std::int64_t stride_x = 1;
};

/// A product of matrices with one weight, by oneDNN's inner product: rows of `inputs` values times a weight
/// of outputs × inputs gives rows of `outputs` values.
struct Product {
  std::int64_t rows = 0;
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  bool bias = false;
  Layout input;                        ///< how the Program knows the rows of the input: the same bytes, dense
  Layout output;                       ///< and those of the output
  std::optional<PixelGrid> grid = {};  ///< the rows are some of the input's; they are copied together first
  bool adds = false;  ///< may give a pass that adds to the weight's gradient, where that is large
};

/// A layer whose work is one Product. The weight has the shape of the layer's first parameter.
class ProductLayer : public WeightedLayer<dnnl::inner_product_forward, dnnl::inner_product_backward_weights,
                                          dnnl::inner_product_backward_data> {
 public:
  ProductLayer(const Product& product, const Site& site, Engine& engine);
  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override;

 private:
  using Base = WeightedLayer;
  using Forward = dnnl::inner_product_forward;
  using BackwardData = dnnl::inner_product_backward_data;
  using BackwardWeights = dnnl::inner_product_backward_weights;

  void choose(const Product& product);
  BackwardWeights::primitive_desc backward_weights(const memory::desc& source, const memory::desc& kernel,
                                                   const memory::desc& bias,
                                                   const memory::desc& target) const;
  BackwardData::primitive_desc backward_data(const memory::desc& source, const memory::desc& kernel,
                                             const memory::desc& target) const;

  /// A pass that adds the gradient of the weight, after the one that writes it.
  void declare_adding();

  std::optional<AddedGradient> added_;
  std::optional<PixelGrid> grid_;
  std::int64_t grid_bytes_ = 0;  ///< of the rows of the grid, at the start of each pass's scratch
};

}  // namespace convoy::cpu
