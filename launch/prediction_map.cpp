#include "launch/prediction_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "layers/graph/receptive_field.h"

namespace convoy {
namespace {

std::size_t size_of(std::int64_t n) { return static_cast<std::size_t>(n); }

/// An array of arrays: `value(position)` for each position of each row.
template <class Value>
boost::json::array rows_of(Shape shape, const Value& value) {
  boost::json::array rows;
  for (std::int64_t y = 0; y < shape.height; ++y) {
    boost::json::array row;
    for (std::int64_t x = 0; x < shape.width; ++x) row.emplace_back(value(size_of(y * shape.width + x)));
    rows.emplace_back(std::move(row));
  }
  return rows;
}

}  // namespace

std::vector<float> PredictionMap::mean() const {
  const std::size_t classes = size_of(shape.channels);
  if (shape.pixels() == 1) return values;
  std::vector<double> sums(classes);
  for (std::size_t i = 0; i < values.size(); ++i) sums[i % classes] += static_cast<double>(values[i]);
  std::vector<float> means;
  for (const double sum : sums)
    means.push_back(static_cast<float>(sum / static_cast<double>(shape.pixels())));
  return means;
}

std::vector<std::int64_t> PredictionMap::best() const {
  std::vector<std::int64_t> classes;
  for (auto row = values.begin(); row != values.end(); row += shape.channels)
    classes.push_back(std::max_element(row, row + shape.channels) - row);
  return classes;
}

boost::json::object map_json(const PredictionMap& map, const Graph& graph, bool all) {
  const std::size_t classes = size_of(map.shape.channels);
  const Layer& loss = graph.layers()[static_cast<std::size_t>(graph.loss_layer())];
  const ReceptiveFields field = receptive_fields(graph)[static_cast<std::size_t>(loss.output)];
  const std::vector<std::int64_t> best = map.best();
  boost::json::object object{{"height", map.shape.height},
                             {"width", map.shape.width},
                             {"stride", {field.y.stride, field.x.stride}},
                             {"class", rows_of(map.shape, [&](std::size_t p) { return best[p]; })}};
  if (all) {
    object["values"] = rows_of(map.shape, [&](std::size_t p) {
      const auto row = map.values.begin() + static_cast<std::ptrdiff_t>(p * classes);
      return boost::json::array(row, row + map.shape.channels);
    });
  }
  return object;
}

std::string map_text(const PredictionMap& map, const std::vector<std::string>& class_names) {
  const std::vector<std::int64_t> best = map.best();
  std::size_t width = 0;
  for (const std::int64_t c : best) width = std::max(width, class_name(class_names, size_of(c)).size());
  std::string text;
  for (std::size_t p = 0; p < best.size(); ++p) {
    const float value = map.values[p * size_of(map.shape.channels) + size_of(best[p])];
    text += fmt::format("  {:>{}} {:.2f}", class_name(class_names, size_of(best[p])), width, value);
    if ((p + 1) % size_of(map.shape.width) == 0) text += "\n";
  }
  return text;
}

std::string class_name(const std::vector<std::string>& names, std::size_t c) {
  return c < names.size() ? names[c] : std::to_string(c);
}

}  // namespace convoy
