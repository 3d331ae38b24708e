#include "layers/cpu/onednn.h"

#include <algorithm>

namespace convoy::cpu {

Layout Engine::layout(const memory::desc& desc) {
  const auto found = std::find(table_.begin(), table_.end(), desc);
  const int id = static_cast<int>(found - table_.begin());
  if (found == table_.end()) table_.push_back(desc);
  return {id, static_cast<std::int64_t>(desc.get_size())};
}

Layout Engine::accept(const memory::desc& wanted, const Layout& incoming) {
  const memory::desc& given = desc(incoming);
  if (wanted == given) return incoming;
  const memory::desc seen = given.reshape(wanted.dims(), true);
  if (!seen.is_zero() && seen == wanted) return incoming;
  return layout(wanted);
}

memory::desc plain_activation(Shape shape, std::int64_t batch) {
  if (shape.pixels() == 1) return {{batch, shape.channels}, memory::data_type::f32, Tag::ab};
  return {{batch, shape.channels, shape.height, shape.width}, memory::data_type::f32, Tag::abcd};
}

memory::desc any_activation(Shape shape, std::int64_t batch) {
  return {{batch, shape.channels, shape.height, shape.width}, memory::data_type::f32, Tag::any};
}

memory::desc channels_last_activation(Shape shape, std::int64_t batch) {
  return {{batch, shape.channels, shape.height, shape.width}, memory::data_type::f32, Tag::acdb};
}

memory::desc canonical_parameter(const ParameterSpec& parameter) {
  Dims dims = parameter.dims;
  if (parameter.groups > 1) {
    dims[0] /= parameter.groups;
    dims.insert(dims.begin(), parameter.groups);
  }
  static constexpr Tag kTags[] = {Tag::a, Tag::ab, Tag::abc, Tag::abcd, Tag::abcde};
  return {dims, memory::data_type::f32, kTags[dims.size() - 1]};
}

memory::desc any_like(const memory::desc& desc) { return {desc.dims(), desc.data_type(), Tag::any}; }

memory::desc plain_vector(std::int64_t elements) { return {{elements}, memory::data_type::f32, Tag::a}; }

memory::desc as_image(const memory::desc& desc, Shape shape, std::int64_t batch) {
  if (desc.dims().size() == 4) return desc;
  return desc.reshape({batch, shape.channels, shape.height, shape.width});
}

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

}  // namespace convoy::cpu
