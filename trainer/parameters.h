#pragma once

#include <string>
#include <vector>

#include "trainer/executor.h"
#include "trainer/storage/safetensors_stream.h"

namespace convoy {

/// A tensor in host memory, fp32, in its canonical layout.
struct HostTensor {
  std::string name;
  std::vector<std::int64_t> dims;
  std::vector<float> values;
};

/// First values of a parameter: a pure function of (seed, layer index, parameter index).
std::vector<float> initial_values(const ParameterSpec& spec, std::uint64_t seed, int layer, int parameter);
/// The same into memory of the right size.
void initial_values(const ParameterSpec& spec, std::uint64_t seed, int layer, int parameter,
                    std::span<float> values);

/// Sets every parameter and state to its first values, and the momentum to zero.
void initialise(Executor& executor, std::uint64_t seed);

/// Weights ("conv1.weight"), running statistics ("bn1.running_mean") and, with `momentum`,
/// "momentum.conv1.weight".
std::vector<HostTensor> export_tensors(const Executor& executor, bool momentum);

/// The same, each read from the executor when it is needed, one in memory at a time. `executor` must outlive
/// them.
std::vector<TensorSource> export_sources(const Executor& executor, bool momentum);

/// Takes the tensors that export_tensors names, one after another, and leaves others alone. Error(usage) that
/// begins with `source` and names the first one that is missing, not fp32 or of another shape, before any was
/// taken; `unsupported` are those of other types in the same file.
void import_tensors(Executor& executor, std::span<const StoredTensor> tensors, bool momentum,
                    const std::string& source,
                    std::span<const SafetensorsFile::Unsupported> unsupported = {});

}  // namespace convoy
