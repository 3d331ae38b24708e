#pragma once

#include <string>
#include <vector>

#include "tests/layers/cpu/layer_bench.h"
#include "trainer/storage/safetensors.h"

namespace convoy {

/// tests/golden/NAME.safetensors.
SafetensorsFile open_golden(const std::string& name);

/// One case of a file of golden values, whose form tests/golden/golden_file.py documents: a layer, and what
/// another program says of it. The file must outlive it.
class GoldenCase {
 public:
  GoldenCase(const SafetensorsFile& file, std::string key);

  /// Of the layer under test, the last one of the network.
  std::string type() const;

  LayerBench bench(BenchSettings settings) const;

  /// The inputs, parameters, statistics and labels that the generators take.
  void fill(LayerBench& bench) const;

  /// Runs the layer and expects the file's values: relative to the norm within 1e-5, in bf16, which rounds
  /// inputs, weights and results to 8 bits each, within 2e-2, in fp16 (11 bits) within 3e-3.
  void check(BenchSettings settings);

  std::string text() const;

 private:
  void compare_gradients(LayerBench& bench) const;
  void compare_states(LayerBench& bench) const;
  void compare(const std::string& what, const std::vector<float>& values) const;
  void compare_metrics(const Metrics& metrics) const;

  const SafetensorsFile* file_;
  std::string key_;
  std::string network_;
  std::int64_t batch_;
  bool training_;
  bool gradients_ = true;  ///< the file has them
  float step_ = 0;         ///< inputs are multiples of it, unless 0
  DType type_ = DType::f32;
};

/// Those of the `files` whose layer is of that type.
std::vector<GoldenCase> golden_cases(const std::vector<SafetensorsFile>& files, const std::string& type);

}  // namespace convoy
