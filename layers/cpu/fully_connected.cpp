#include "layers/cpu/product_layer.h"

namespace convoy::cpu {

Lowered lower(const FullyConnected& op, const Site& site, Inputs inputs, Engine& engine) {
  // The same bytes as a dense image.
  const Layout input = engine.accept(plain_activation(site.inputs[0], site.batch, site.type), inputs[0]);
  const Layout output = engine.layout({{site.batch, op.outputs}, data_type_of(site.type), Tag::ab});
  return std::make_shared<ProductLayer>(Product{.rows = site.batch,
                                                .inputs = site.inputs[0].elements(),
                                                .outputs = op.outputs,
                                                .bias = op.bias,
                                                .input = input,
                                                .output = output,
                                                .adds = true},
                                        site, engine);
}

}  // namespace convoy::cpu
