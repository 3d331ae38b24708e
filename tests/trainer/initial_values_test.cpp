#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "trainer/parameters.h"

namespace convoy {
namespace {

using Kind = Initializer::Kind;

ParameterSpec spec(Kind kind, double value = 0) {
  ParameterSpec spec;
  spec.name = "weight";
  spec.dims = {64, 32, 3, 3};
  spec.fan_in = 32 * 9;
  spec.fan_out = 64 * 9;
  spec.init = {kind, value};
  return spec;
}

TEST(InitialValues, OfABilinearDeconvolutionInterpolateEachChannel) {
  ParameterSpec weight;
  weight.name = "weight";
  weight.dims = {4, 2, 4, 3};
  weight.groups = 2;
  weight.init = {Kind::bilinear, 0};
  const std::vector<float> values = initial_values(weight, 1, 0, 0);
  const float rows[] = {0.25F, 0.75F, 0.75F, 0.25F};
  const float columns[] = {0.5F, 1, 0.5F};
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t o = 0; o < 2; ++o) {
      for (std::size_t y = 0; y < 4; ++y) {
        for (std::size_t x = 0; x < 3; ++x)
          EXPECT_EQ(values[((i * 2 + o) * 4 + y) * 3 + x], i % 2 == o ? rows[y] * columns[x] : 0.F);
      }
    }
  }
}

struct Moments {
  double mean = 0;
  double deviation = 0;
  double fourth = 0;  ///< of the standardized values: 3 for a normal, 1.8 for a uniform distribution
  double largest = 0;
};

Moments moments(const std::vector<float>& values) {
  const auto n = static_cast<double>(values.size());
  Moments m;
  for (const float v : values) m.mean += static_cast<double>(v) / n;
  for (const float v : values) m.deviation += std::pow(static_cast<double>(v) - m.mean, 2) / n;
  m.deviation = std::sqrt(m.deviation);
  for (const float v : values) m.fourth += std::pow((static_cast<double>(v) - m.mean) / m.deviation, 4) / n;
  for (const float v : values) m.largest = std::max(m.largest, std::abs(static_cast<double>(v)));
  return m;
}

TEST(InitialValues, ConstantIsConstant) {
  for (const float v : initial_values(spec(Kind::constant, 0.25), 1, 0, 0)) ASSERT_EQ(v, 0.25F);
}

TEST(InitialValues, XavierIsUniformInItsBounds) {
  const double bound = std::sqrt(6.0 / (32 * 9 + 64 * 9));
  const Moments m = moments(initial_values(spec(Kind::xavier), 1, 0, 0));
  EXPECT_LE(m.largest, bound);
  EXPECT_GT(m.largest, 0.999 * bound);
  EXPECT_NEAR(m.mean, 0, 0.02 * bound);
  EXPECT_NEAR(m.deviation, bound / std::sqrt(3.0), 0.01 * bound);
  EXPECT_NEAR(m.fourth, 1.8, 0.05);
}

TEST(InitialValues, MsraIsNormalWithTheDeviationOfItsFanIn) {
  const double deviation = std::sqrt(2.0 / (32 * 9));
  const Moments m = moments(initial_values(spec(Kind::msra), 1, 0, 0));
  EXPECT_NEAR(m.mean, 0, 0.03 * deviation);
  EXPECT_NEAR(m.deviation, deviation, 0.02 * deviation);
  EXPECT_NEAR(m.fourth, 3, 0.2);
}

TEST(InitialValues, GaussianIsNormalWithTheDeviationGiven) {
  const Moments m = moments(initial_values(spec(Kind::gaussian, 0.01), 1, 0, 0));
  EXPECT_NEAR(m.mean, 0, 3e-4);
  EXPECT_NEAR(m.deviation, 0.01, 2e-4);
  EXPECT_NEAR(m.fourth, 3, 0.2);
}

TEST(InitialValues, NeighboursAreIndependent) {
  for (const Kind kind : {Kind::xavier, Kind::msra}) {
    const std::vector<float> values = initial_values(spec(kind), 1, 0, 0);
    const Moments m = moments(values);
    for (const std::size_t distance : {1U, 2U, 3U, 4U}) {
      double covariance = 0;
      for (std::size_t i = distance; i < values.size(); ++i) {
        covariance += static_cast<double>(values[i]) * static_cast<double>(values[i - distance]);
      }
      covariance /= static_cast<double>(values.size()) * m.deviation * m.deviation;
      EXPECT_NEAR(covariance, 0, 0.03) << distance;
    }
  }
}

TEST(InitialValues, AreAFunctionOfSeedLayerAndParameter) {
  const auto values = [](std::uint64_t seed, int layer, int parameter) {
    return initial_values(spec(Kind::msra), seed, layer, parameter);
  };
  EXPECT_EQ(values(1, 2, 0), values(1, 2, 0));
  EXPECT_NE(values(1, 2, 0), values(2, 2, 0));
  EXPECT_NE(values(1, 2, 0), values(1, 3, 0));
  EXPECT_NE(values(1, 2, 0), values(1, 2, 1));
}

TEST(InitialValues, OddCountsAreFilled) {
  ParameterSpec odd = spec(Kind::gaussian, 1);
  odd.dims = {7};
  const std::vector<float> values = initial_values(odd, 1, 0, 0);
  ASSERT_EQ(values.size(), 7U);
  EXPECT_EQ(std::count(values.begin(), values.end(), 0.F), 0);
}

}  // namespace
}  // namespace convoy
