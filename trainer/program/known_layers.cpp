#include "trainer/program/known_layers.h"

#include <algorithm>
#include <tuple>

namespace convoy {
namespace {

/// All of a key but the caps.
auto common_part(const LoweringKey& key) {
  const auto& [kind, samples, precision, shared, second, scaled, workspace, lean] = key;
  return std::tie(kind, samples, precision, shared, second, scaled);
}

/// Whether what was lowered for `before` is what would be for `asked`.
bool serves(const LoweredLayer& layer, const LoweredSite& before, const LoweredSite& asked) {
  const LayerSpec& spec = layer.spec();
  if (before.inputs != asked.inputs || spec.cap == CapShare::decides) return false;
  return spec.cap == CapShare::nothing ||
         std::all_of(spec.passes.begin(), spec.passes.end(), [&](const PassSpec& pass) {
           return pass.scratch_bytes <= asked.site.scratch_cap(pass.kind);
         });
}

}  // namespace

KnownLayers::KnownLayers(const Lowerings& lowerings, const LoweringKey& wanted) {
  for (const auto& [key, lowering] : lowerings) {
    if (key != wanted && common_part(key) == common_part(wanted)) others_.push_back(&lowering);
  }
}

std::shared_ptr<const LoweredLayer> KnownLayers::find(const LoweredSite& asked) const {
  const int layer = asked.site.layer_index;
  for (const Lowering* other : others_) {
    const auto before =
        std::lower_bound(other->sites.begin(), other->sites.end(), layer,
                         [](const LoweredSite& site, int index) { return site.site.layer_index < index; });
    if (before == other->sites.end() || before->site.layer_index != layer) continue;
    const std::shared_ptr<const LoweredLayer>& known = other->layers[static_cast<std::size_t>(layer)];
    if (known != nullptr && serves(*known, *before, asked)) return known;
  }
  return nullptr;
}

}  // namespace convoy
