#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "layers/graph/layer_types.h"

namespace convoy::test {

/// What PyTorch says of one tensor of a network, and how its first values are made: tests/golden/make_zoo.py
/// documents it.
struct GoldenRow {
  std::string name;            ///< "scores", "conv1.weight" (its gradient), "bn1.running_mean"
  float factor = 1;            ///< of the hashed first values
  std::vector<float> offsets;  ///< a hash chooses the one that is added to a value
  double norm = 0;        ///< to which errors are relative; of a batch norm, that of scale and shift together
  double half_error = 0;  ///< in bf16
  std::array<float, 32> sketch{};

  /// The estimated norm of (values - PyTorch's), relative to `norm`; infinity when that is no number.
  double distance(const std::vector<float>& values) const;
};

/// One training iteration of a network of configs/nets.
struct GoldenNetwork {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t batch = 0;
  std::uint32_t first_sample = 0;  ///< of the hashed pixels and labels
  double loss = 0;                 ///< sum over the samples
  std::vector<GoldenRow> rows;

  const GoldenRow* find(std::string_view name) const;
};

/// std::runtime_error when the file has no network of that name.
GoldenNetwork golden_network(const std::string& name);

/// A parameter's first values: hashed ones of the row's name, a weight's times sqrt(6 / its inputs), others a
/// quarter, a scale 1 + that; times the row's factor, and with one of its offsets.
std::vector<float> first_values(const ParameterSpec& spec, const GoldenRow& row);

/// Series of hashed_values.h for a tensor's name: FNV-1a of 32 bits.
std::uint32_t name_hash(std::string_view name);

}  // namespace convoy::test
