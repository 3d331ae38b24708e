#pragma once

#include <cstdint>

namespace convoy {

/// What a sample is in part where it was mixed with another (mixup): its loss is (1 - share) × that of its
/// own label + share × that of `label`.
struct SecondLabel {
  std::int32_t label = 0;
  float share = 0;  ///< at most a half; 0: the sample is not mixed
};

}  // namespace convoy
