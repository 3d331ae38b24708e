#include "launch/job/colour_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <numeric>

namespace convoy {
namespace {

constexpr const char* kValues = "colour_eigenvalues";
constexpr const char* kVectors = "colour_eigenvectors";

/// Of eigenvectors written with two decimals.
constexpr double kTolerance = 0.01;

/// One key without the other would mix components of two sets of images.
void check_pair(const Job::Data& data, const Places& places) {
  for (const auto& [name, other] : {std::pair(kValues, kVectors), std::pair(kVectors, kValues)}) {
    if (!places.has(std::string("data.") + name) || places.has(std::string("data.") + other)) continue;
    places.refuse("data", name,
                  fmt::format("goes with {}: give both, as convoy data mean prints them, or neither, for "
                              "ImageNet's, or both empty, to have them measured",
                              other));
  }
  if (data.colour_eigenvalues.empty() == data.colour_eigenvectors.empty()) return;
  const bool values = data.colour_eigenvalues.empty();
  places.refuse("data", values ? kValues : kVectors,
                fmt::format("is empty, but {} is not; both empty: measured on the training set",
                            values ? kVectors : kValues));
}

void check_vectors(const Matrix3& vectors, const Places& places) {
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t k = 0; k <= i; ++k) {
      const double product =
          std::inner_product(vectors[i].begin(), vectors[i].end(), vectors[k].begin(), 0.0);
      if (i == k && std::abs(std::sqrt(product) - 1) > kTolerance) {
        places.refuse("data", kVectors,
                      fmt::format("eigenvector {}, [{}], has the length {:.4g}; it must be 1", i + 1,
                                  fmt::join(vectors[i], ", "), std::sqrt(product)));
      }
      if (i != k && std::abs(product) > kTolerance) {
        places.refuse(
            "data", kVectors,
            fmt::format("eigenvectors {}, [{}], and {}, [{}], have the product {:.4g}; they must "
                        "be orthogonal, with the product 0",
                        k + 1, fmt::join(vectors[k], ", "), i + 1, fmt::join(vectors[i], ", "), product));
      }
    }
  }
}

}  // namespace

void check_colour_components(const Job::Data& data, const Places& places) {
  check_pair(data, places);
  const std::vector<double>& values = data.colour_eigenvalues;
  const std::vector<double>& vectors = data.colour_eigenvectors;
  if (values.empty()) return;
  if (values.size() != 3) {
    places.refuse("data", kValues,
                  fmt::format("has {}; it takes 3, the variances along three components", values.size()));
  }
  if (vectors.size() != 9) {
    places.refuse(
        "data", kVectors,
        fmt::format("has {}; it takes 9, red, green and blue of each of three components", vectors.size()));
  }
  constexpr double kMostVariance = 0.75;  // of three channels from 0 to 1: half black, half white
  if (const double sum = std::accumulate(values.begin(), values.end(), 0.0); sum > kMostVariance) {
    places.refuse(
        "data", kValues,
        fmt::format("are variances of pixels in 0 to 1, which are at most {} together; these add up "
                    "to {:.6g} and look like pixels in 0 to 255, divide by 65025",
                    kMostVariance, sum));
  }
  check_vectors(principal_colours(values, vectors).vectors, places);
}

}  // namespace convoy
