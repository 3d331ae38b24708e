#pragma once

#include <array>
#include <vector>

namespace convoy {

struct ChannelStatistics;

using Matrix3 = std::array<std::array<double, 3>, 3>;

/// The principal components of the RGB values of a set's pixels: eigenvalues and eigenvectors of their
/// covariance. The sign of a component is of no meaning.
struct PrincipalColours {
  std::array<double, 3> values;  ///< variance along each component, of pixels from 0 to 1, the largest first
  Matrix3 vectors;               ///< row i is component i: red, green, blue, of length 1

  friend bool operator==(const PrincipalColours&, const PrincipalColours&) = default;
};

/// Of ImageNet, as published with fb.resnet.torch (Gross and Wilber 2016), which has components as columns.
inline constexpr PrincipalColours kImageNetColours{
    {0.2175, 0.0188, 0.0045},
    {{{-0.5675, -0.5808, -0.5836}, {0.7192, -0.0045, -0.6948}, {0.4009, -0.8140, 0.4203}}}};

/// Eigenvalues, the largest first and none below 0, and eigenvectors, whose largest element is above 0, of a
/// symmetric matrix without negative eigenvalues. Errors are a few roundings of the largest eigenvalue.
PrincipalColours principal_components(const Matrix3& matrix);

/// Of statistics of three channels.
PrincipalColours principal_colours(const ChannelStatistics& statistics);

/// As the keys data.colour_eigenvalues and data.colour_eigenvectors hold them: 3 numbers, and 9, row by row.
std::vector<double> value_list(const PrincipalColours& colours);
std::vector<double> vector_list(const PrincipalColours& colours);

/// Of such lists, which have 3 and 9 numbers.
PrincipalColours principal_colours(const std::vector<double>& values, const std::vector<double>& vectors);

}  // namespace convoy
