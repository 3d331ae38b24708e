#include "layers/cpu/per_channel.h"

namespace convoy::cpu {

Lowered lower(const Scale&, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<PerChannelLayer<ScaleFunction>>(site, inputs, engine);
}

}  // namespace convoy::cpu
