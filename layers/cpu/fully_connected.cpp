#include "layers/cpu/product_layer.h"

namespace convoy::cpu {

Lowered lower(const FullyConnected& op, const Site& site, Inputs inputs, Engine& engine) {
  // The same bytes as a dense image.
  const Layout input = engine.accept(plain_activation(site.inputs[0], site.batch, site.type), inputs[0]);
  const Layout output = engine.layout({{site.batch, op.outputs}, data_type_of(site.type), Tag::ab});
  return std::make_shared<ProductLayer>(
      Product{site.batch, site.inputs[0].elements(), op.outputs, op.bias, input, output}, site, engine);
}

}  // namespace convoy::cpu
