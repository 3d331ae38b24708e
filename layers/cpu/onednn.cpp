#include "layers/cpu/onednn.h"

#include <algorithm>

namespace convoy::cpu {

namespace {

/// Of what descriptors mostly differ in.
std::size_t hash_of(const memory::desc& desc) {
  const dnnl_memory_desc_t& d = desc.data;
  auto hash = static_cast<std::size_t>(d.data_type);
  const auto add = [&](dnnl_dim_t value) { hash = hash * 0x100000001B3U ^ static_cast<std::size_t>(value); };
  for (int i = 0; i < d.ndims; ++i) {
    add(d.dims[i]);
    if (d.format_kind == dnnl_blocked) add(d.format_desc.blocking.strides[i]);
  }
  return hash;
}

}  // namespace

Layout Engine::layout(const memory::desc& desc) {
  const auto bytes = static_cast<std::int64_t>(desc.get_size());
  const std::size_t hash = hash_of(desc);
  const auto [first, last] = places_.equal_range(hash);
  for (auto place = first; place != last; ++place) {
    if (table_[static_cast<std::size_t>(place->second)] == desc) return {place->second, bytes};
  }
  const int id = static_cast<int>(table_.size());
  table_.push_back(desc);
  places_.emplace(hash, id);
  return {id, bytes};
}

Layout Engine::accept(const memory::desc& wanted, const Layout& incoming) {
  const memory::desc& given = desc(incoming);
  if (wanted == given) return incoming;
  const memory::desc seen = given.reshape(wanted.dims(), true);
  if (!seen.is_zero() && seen == wanted) return incoming;
  return layout(wanted);
}

memory::data_type data_type_of(DType type) {
  switch (type) {
    case DType::f32:
      return memory::data_type::f32;
    case DType::f16:
      return memory::data_type::f16;
    case DType::bf16:
      return memory::data_type::bf16;
    case DType::u8:
      return memory::data_type::u8;
    case DType::s32:
      return memory::data_type::s32;
  }
  return memory::data_type::undef;
}

DType type_of(const memory::desc& desc) {
  for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::u8, DType::s32}) {
    if (desc.data_type() == data_type_of(type)) return type;
  }
  fail(ExitCode::internal, "oneDNN's data type {} has no name here", static_cast<int>(desc.data_type()));
}

memory::desc plain_activation(Shape shape, std::int64_t batch, DType type) {
  if (shape.pixels() == 1) return {{batch, shape.channels}, data_type_of(type), Tag::ab};
  return {{batch, shape.channels, shape.height, shape.width}, data_type_of(type), Tag::abcd};
}

memory::desc any_activation(Shape shape, std::int64_t batch, DType type) {
  return {{batch, shape.channels, shape.height, shape.width}, data_type_of(type), Tag::any};
}

memory::desc channels_last_activation(Shape shape, std::int64_t batch, DType type) {
  return {{batch, shape.channels, shape.height, shape.width}, data_type_of(type), Tag::acdb};
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

memory::desc with_type(const memory::desc& desc, DType type) {
  memory::desc other = desc;
  other.data.data_type = memory::convert_to_c(data_type_of(type));
  return other;
}

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

dnnl::primitive_attr user_scratchpad_and(bool relu) {
  dnnl::primitive_attr attr = user_scratchpad();
  if (relu) {
    dnnl::post_ops then;
    then.append_eltwise(1.F, dnnl::algorithm::eltwise_relu, 0.F, 0.F);
    attr.set_post_ops(then);
  }
  return attr;
}

}  // namespace convoy::cpu
