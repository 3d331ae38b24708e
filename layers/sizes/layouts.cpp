#include "layers/sizes/layouts.h"

#include <fmt/format.h>

namespace convoy::sizes {
namespace {

using Order = LayoutForm::Order;

const char* name_of(Order order) {
  switch (order) {
    case Order::nhwc:
      return "nhwc";
    case Order::vector:
      return "vector";
    case Order::inputs_last:
      return "inputs last";
    case Order::positions_first:
      return "positions first";
  }
  return "?";
}

}  // namespace

std::vector<std::size_t> LayoutForm::axes() const {
  if (order == Order::inputs_last) return {0, 2, 3, 1};
  if (order == Order::positions_first && dims.size() == 2) return {1, 0};
  if (order == Order::positions_first) return {1, 0, 3, 4, 2};
  std::vector<std::size_t> same(dims.size());
  for (std::size_t i = 0; i < same.size(); ++i) same[i] = i;
  return same;
}

Layout Layouts::activation(Shape shape, std::int64_t batch, DType type) {
  return intern({type, Order::nhwc, {batch, shape.height, shape.width, shape.channels}});
}

Layout Layouts::parameter(const ParameterSpec& parameter, DType type) {
  return intern({type, parameter.dims.size() < 2 ? Order::vector : Order::inputs_last, parameter.dims});
}

Layout Layouts::image_weights(std::int64_t outputs, Shape image, DType type) {
  return intern({type, Order::inputs_last, {outputs, image.channels, image.height, image.width}});
}

Layout Layouts::local_weights(std::int64_t outputs, std::int64_t positions, Shape window, DType type) {
  return intern(
      {type, Order::positions_first, {outputs, positions, window.channels, window.height, window.width}});
}

Layout Layouts::local_bias(std::int64_t outputs, std::int64_t positions, DType type) {
  return intern({type, Order::positions_first, {outputs, positions}});
}

Layout Layouts::with_type(const Layout& layout, DType type) {
  LayoutForm changed = form(layout);
  changed.type = type;
  return intern(std::move(changed));
}

std::string Layouts::describe(const Layout& layout) const {
  const LayoutForm& lies = form(layout);
  std::string text = fmt::format("{} {} ", convoy::name_of(lies.type), name_of(lies.order));
  for (std::size_t i = 0; i < lies.dims.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : "x", lies.dims[i]);
  return text;
}

Layout Layouts::intern(LayoutForm form) {
  std::int64_t bytes = size_of(form.type);
  for (const std::int64_t dim : form.dims) bytes *= dim;
  const auto [place, is_new] = ids_.emplace(form, static_cast<int>(forms_.size()));
  if (is_new) forms_.push_back(std::move(form));
  return {place->second, bytes};
}

}  // namespace convoy::sizes
