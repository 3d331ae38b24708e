#pragma once

#include <memory>
#include <string>
#include <vector>

#include "layers/graph/backend.h"

namespace convoy {

/// What a size model stands for.
struct SizeModel {
  std::string device;                    ///< for messages: "gtx580-3gb"
  std::vector<DType> types{DType::f32};  ///< of activations and weights
  bool tf32 = false;                     ///< Backend::has_tf32
};

/// A Backend that knows how many bytes everything takes on a GPU but cannot run: neither toolkit nor GPU is
/// needed to plan for one. Activations are dense with their channels last (NHWC), tensors are aligned to 256
/// bytes, a workspace takes what the plan allows it (Site::workspace_bytes); layers/sizes/specs.h tells layer
/// by layer what the kernels may take. A backend for such a GPU must live within it. With half types the
/// flat gradients have that type too (Micikevicius et al. 2018, "Mixed precision training").
///
/// Everything but sizes (binding kernels, storing parameters) throws Error(internal).
std::unique_ptr<Backend> make_size_backend(SizeModel model);

}  // namespace convoy
