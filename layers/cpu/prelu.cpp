#include "layers/cpu/per_channel.h"

namespace convoy::cpu {

Lowered lower(const Prelu&, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<PerChannelLayer<PreluFunction>>(site, inputs, engine);
}

}  // namespace convoy::cpu
