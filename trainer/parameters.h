#pragma once

#include <string>
#include <vector>

#include "trainer/executor.h"

namespace convoy {

/// A tensor in host memory, fp32, in its canonical layout.
struct HostTensor {
  std::string name;
  std::vector<std::int64_t> dims;
  std::vector<float> values;
  std::string foreign =
      "";  ///< the element type of a file's tensor that is not fp32; then there are no values
};

/// First values of a parameter: a pure function of (seed, layer index, parameter index).
std::vector<float> initial_values(const ParameterSpec& spec, std::uint64_t seed, int layer, int parameter);

/// Sets every parameter and state to its first values, and the momentum to zero.
void initialise(Executor& executor, std::uint64_t seed);

/// Weights ("conv1.weight"), running statistics ("bn1.running_mean") and, with `momentum`,
/// "momentum.conv1.weight".
std::vector<HostTensor> export_tensors(const Executor& executor, bool momentum);

/// Takes what export_tensors gave. Error(usage) that begins with `source` and names the first tensor that is
/// missing, not fp32 or of another shape.
void import_tensors(Executor& executor, const std::vector<HostTensor>& tensors, bool momentum,
                    const std::string& source);

}  // namespace convoy
