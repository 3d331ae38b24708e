#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "layers/graph/backend.h"

namespace convoy {

class Device;

/// Kernel libraries that the choice among kernels can be tested with where there are none: all their kernels
/// compute the same, by plain loops over strided images.
struct PretendedLibraries {
  std::vector<std::string> kernels;  ///< for everything, their favourite first
  bool grouped = true;               ///< they have kernels for all groups at once
  bool tensor_cores = false;         ///< for convolutions that are not grouped, alone
  std::int64_t scratch = 0;          ///< that each kernel needs, and fills
  std::string conditions = "pretended";
};

/// The backend of GPUs with every launch a loop on the processor, and with such libraries.
std::unique_ptr<Backend> make_backend_with_libraries(Device& device, PretendedLibraries libraries);

}  // namespace convoy
