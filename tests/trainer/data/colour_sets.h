#pragma once

#include <boost/json.hpp>

#include "tests/trainer/data/image_files.h"

namespace convoy {

/// What tests/golden/make_principal_colours.py found with numpy.
inline boost::json::object golden_colours() {
  const Bytes text = read_bytes(CONVOY_SOURCE "/tests/golden/principal_colours.json");
  return boost::json::parse({reinterpret_cast<const char*>(text.data()), text.size()}).as_object();
}

/// All numbers in an array, or an array of arrays, row by row.
inline std::vector<double> numbers_in(const boost::json::value& value) {
  if (!value.is_array()) return {value.to_number<double>()};
  std::vector<double> numbers;
  for (const boost::json::value& item : value.as_array()) {
    const std::vector<double> more = numbers_in(item);
    numbers.insert(numbers.end(), more.begin(), more.end());
  }
  return numbers;
}

/// The images of a golden set, in one class, for training; one of them for evaluation.
inline void write_golden_set(const boost::json::value& set, const Folder& folder) {
  for (const boost::json::value& name : set.at("images").as_array()) {
    const std::string file = name.as_string().c_str();
    for (const char* place : {"train/all/", "val/all/"})
      folder.write(place + file, read_bytes(kImages + file));
  }
}

/// The largest difference between elements, over the largest element of `expected`.
inline double relative_distance(const std::vector<double>& found, const std::vector<double>& expected) {
  if (found.size() != expected.size()) return HUGE_VAL;
  double largest = 0;
  double distance = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    distance = std::max(distance, std::abs(found[i] - expected[i]));
  }
  return distance == 0 ? 0 : distance / largest;
}

/// The same of rows of three, each up to its sign.
inline double distance_of_components(const std::vector<double>& found, const std::vector<double>& expected) {
  if (found.size() != 9 || expected.size() != 9) return HUGE_VAL;
  double distance = 0;
  for (std::size_t row = 0; row < 9; row += 3) {
    double product = 0;
    for (std::size_t c = row; c < row + 3; ++c) product += found[c] * expected[c];
    for (std::size_t c = row; c < row + 3; ++c)
      distance = std::max(distance, std::abs(found[c] - std::copysign(1, product) * expected[c]));
  }
  return distance;
}

}  // namespace convoy
