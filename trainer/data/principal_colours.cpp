#include "trainer/data/principal_colours.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "trainer/data/statistics.h"

namespace convoy {
namespace {

/// Jacobi's rotation of rows and columns p and q that makes matrix[p][q] zero; Golub, Van Loan: Matrix
/// Computations, 4th edition, section 8.5.2. Rows of `vectors` are turned along.
void rotate(Matrix3& matrix, Matrix3& vectors, std::size_t p, std::size_t q) {
  if (matrix[p][q] == 0) return;
  const double tau = (matrix[q][q] - matrix[p][p]) / (2 * matrix[p][q]);
  const double tangent = std::copysign(1 / (std::abs(tau) + std::hypot(1, tau)), tau);
  const double cosine = 1 / std::hypot(1, tangent);
  const double sine = tangent * cosine;
  const auto turn = [&](double& first, double& second) {
    const double before = first;
    first = cosine * before - sine * second;
    second = sine * before + cosine * second;
  };
  for (std::size_t k = 0; k < 3; ++k) turn(matrix[k][p], matrix[k][q]);
  for (std::size_t k = 0; k < 3; ++k) turn(matrix[p][k], matrix[q][k]);
  for (std::size_t k = 0; k < 3; ++k) turn(vectors[p][k], vectors[q][k]);
  matrix[p][q] = matrix[q][p] = 0;
}

}  // namespace

PrincipalColours principal_components(const Matrix3& matrix) {
  Matrix3 left = matrix;
  Matrix3 vectors{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  const double trace = left[0][0] + left[1][1] + left[2][2];
  constexpr int kSweeps = 30;  // each squares what is left off the diagonal: 3 to 6 are needed
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    const double off = std::abs(left[0][1]) + std::abs(left[0][2]) + std::abs(left[1][2]);
    if (off <= std::numeric_limits<double>::epsilon() / 16 * trace) break;
    rotate(left, vectors, 0, 1);
    rotate(left, vectors, 0, 2);
    rotate(left, vectors, 1, 2);
  }
  std::array<std::size_t, 3> order{0, 1, 2};
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return left[a][a] > left[b][b]; });
  PrincipalColours found{};
  for (std::size_t i = 0; i < 3; ++i) {
    found.values[i] = std::max(left[order[i]][order[i]], 0.0);
    found.vectors[i] = vectors[order[i]];
    const double largest = *std::ranges::max_element(
        found.vectors[i], [](double a, double b) { return std::abs(a) < std::abs(b); });
    for (double& element : found.vectors[i]) element *= largest < 0 ? -1 : 1;
  }
  return found;
}

PrincipalColours principal_colours(const ChannelStatistics& statistics) {
  constexpr double kWhite = 255;
  Matrix3 covariance{};
  for (std::size_t i = 0; i < 9; ++i)
    covariance[i / 3][i % 3] = statistics.covariance.at(i) / (kWhite * kWhite);
  return principal_components(covariance);
}

std::vector<double> value_list(const PrincipalColours& colours) {
  return {colours.values.begin(), colours.values.end()};
}

std::vector<double> vector_list(const PrincipalColours& colours) {
  std::vector<double> list;
  for (const auto& row : colours.vectors) list.insert(list.end(), row.begin(), row.end());
  return list;
}

PrincipalColours principal_colours(const std::vector<double>& values, const std::vector<double>& vectors) {
  PrincipalColours colours{};
  for (std::size_t i = 0; i < 3; ++i) colours.values[i] = values.at(i);
  for (std::size_t i = 0; i < 9; ++i) colours.vectors[i / 3][i % 3] = vectors.at(i);
  return colours;
}

}  // namespace convoy
