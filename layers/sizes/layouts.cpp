#include "layers/sizes/layouts.h"

#include <fmt/format.h>

namespace convoy::sizes {

Layout Layouts::activation(Shape shape, std::int64_t batch, DType type) {
  return intern({type, "nhwc", {batch, shape.height, shape.width, shape.channels}});
}

Layout Layouts::parameter(const ParameterSpec& parameter, DType type) {
  const char* order = parameter.dims.size() < 2 ? "vector" : "inputs last";
  return intern({type, order, parameter.dims});
}

Layout Layouts::with_type(const Layout& layout, DType type) {
  Form form = forms_[static_cast<std::size_t>(layout.id)];
  std::get<DType>(form) = type;
  return intern(std::move(form));
}

std::string Layouts::describe(const Layout& layout) const {
  const auto& [type, order, dims] = forms_[static_cast<std::size_t>(layout.id)];
  std::string text = fmt::format("{} {} ", name_of(type), order);
  for (std::size_t i = 0; i < dims.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : "x", dims[i]);
  return text;
}

Layout Layouts::intern(Form form) {
  std::int64_t bytes = size_of(std::get<DType>(form));
  for (const std::int64_t dim : std::get<std::vector<std::int64_t>>(form)) bytes *= dim;
  const auto [place, is_new] = ids_.emplace(form, static_cast<int>(forms_.size()));
  if (is_new) forms_.push_back(std::move(form));
  return {place->second, bytes};
}

}  // namespace convoy::sizes
