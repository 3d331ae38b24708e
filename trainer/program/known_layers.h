#pragma once

#include <memory>
#include <vector>

#include "trainer/program/program.h"

namespace convoy {

/// Layers that were lowered before for the same samples under other caps of scratch
/// (Choices::workspace_bytes, Choices::lean). Most are the same under ours, and to lower them takes most of
/// the time of planning.
class KnownLayers {
 public:
  /// `lowerings` must outlive it; the one of `wanted` itself is not looked at.
  KnownLayers(const Lowerings& lowerings, const LoweringKey& wanted);

  /// The layer as it would be lowered, or null where that is not known.
  std::shared_ptr<const LoweredLayer> find(const LoweredSite& asked) const;

 private:
  std::vector<const Lowering*> others_;
};

}  // namespace convoy
