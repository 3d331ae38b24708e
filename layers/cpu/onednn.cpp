#include "layers/cpu/onednn.h"

#include <algorithm>

#include "layers/core/bytes.h"

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

Master master_of(const memory::desc& used) {
  constexpr dnnl_dim_t kBlock = 16;
  const Master same{with_type(used, DType::f32)};
  dnnl_memory_desc_t desc = same.desc.data;
  dnnl_blocking_desc_t& blocking = desc.format_desc.blocking;
  const bool paired = used.data_type() != memory::data_type::f32 && desc.format_kind == dnnl_blocked &&
                      blocking.inner_nblks == 3 && blocking.inner_blks[2] == 2 &&
                      blocking.inner_idxs[2] == blocking.inner_idxs[0] &&
                      blocking.inner_idxs[1] != blocking.inner_idxs[0];
  if (!paired) return same;
  const auto inputs = static_cast<std::size_t>(blocking.inner_idxs[0]);
  const dnnl_dim_t width = blocking.inner_blks[1];
  const dnnl_dim_t height = 2 * blocking.inner_blks[0];
  if (2 * width > Backend::kInterleaved || height % kBlock != 0) return same;
  if (height != kBlock) {
    // Two blocks or more of 16 inputs have to lie one after another, and all of them be there.
    const dnnl_dim_t padded = round_up(desc.dims[inputs], kBlock);
    if (blocking.strides[inputs] != height * width || padded != desc.padded_dims[inputs]) return same;
    for (int i = 0; i < desc.ndims; ++i)
      if (desc.padded_dims[i] == 1) blocking.strides[i] = kBlock * width;
    blocking.strides[inputs] = kBlock * width;
  }
  blocking.inner_nblks = 2;
  blocking.inner_blks[0] = kBlock;
  return {memory::desc(desc), width};
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
