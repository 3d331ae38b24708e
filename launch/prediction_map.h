#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "layers/graph/graph.h"

namespace convoy {

/// What a network says of one image at each position of its output: rows one after another, each position a
/// run of one value a class.
struct PredictionMap {
  std::vector<float> values;
  Shape shape;  ///< classes × height × width

  /// One value a class: the mean over positions.
  std::vector<float> mean() const;
  /// The best class of each position, rows one after another; of equal ones the first.
  std::vector<std::int64_t> best() const;
};

/// The map as a JSON object: its height and width, pixels of the image from one position to the next
/// ("stride"), the best class of each position ("class", rows), and with `all` all values ("values": rows of
/// positions of classes).
boost::json::object map_json(const PredictionMap& map, const Graph& graph, bool all);

/// The best class of each position with its value, a line a row.
std::string map_text(const PredictionMap& map, const std::vector<std::string>& class_names);

/// The name of class `c`, or its number where it has none.
std::string class_name(const std::vector<std::string>& names, std::size_t c);

}  // namespace convoy
