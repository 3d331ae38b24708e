#pragma once

#include <string>
#include <vector>

namespace convoy::test {

/// A tensor of tests/golden/training.safetensors; empty when there is none of that name.
std::vector<float> golden_values(const std::string& name);

/// The text of the network that the golden values are of.
std::string golden_network(const std::string& name);

/// |a - b| / |b|, or infinity when they are not of one size.
double distance(const std::vector<double>& a, const std::vector<float>& b);

/// How far `values` are from a digest of golden_file.py: its norm and projections relative to the norm, its
/// samples relative to theirs; the larger.
double digest_distance(const std::vector<double>& values, const std::vector<float>& digest);

}  // namespace convoy::test
