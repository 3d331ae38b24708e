#include "layers/cpu/added_gradient.h"

#include <algorithm>
#include <cstring>

#include "layers/core/bytes.h"

namespace convoy::cpu {
namespace {

/// About so many bytes of the weight's gradient are made at a time: they stay in the caches.
constexpr std::int64_t kPartBytes = 2 << 20;

/// Outputs that a weight's layout holds together: a part begins at a multiple of them. 0 where outputs are
/// not its outermost dimension.
std::int64_t outputs_together(const memory::desc& weight) {
  const dnnl_memory_desc_t& desc = weight.data;
  if (desc.format_kind != dnnl_blocked || desc.ndims < 2) return 0;
  const dnnl_blocking_desc_t& blocking = desc.format_desc.blocking;
  std::int64_t together = 1;
  for (int i = 0; i < blocking.inner_nblks; ++i) {
    if (blocking.inner_idxs[i] == 0) together *= blocking.inner_blks[i];
  }
  const auto values =
      static_cast<std::int64_t>(weight.get_size() / memory::data_type_size(weight.data_type()));
  return blocking.strides[0] * (desc.padded_dims[0] / together) == values ? together : 0;
}

/// The layout of the first `outputs` outputs of a weight.
memory::desc part_of(const memory::desc& weight, std::int64_t outputs) {
  dnnl_memory_desc_t desc = weight.data;
  desc.dims[0] = outputs;
  desc.padded_dims[0] = round_up(outputs, outputs_together(weight));
  return memory::desc(desc);
}

/// The kernel for one part of the outputs, whose gradients are dense.
AddedGradient::BackwardWeights part_kernel(const AddedGradient::BackwardWeights& whole,
                                           const AddedGradient::Forward& forward, std::int64_t outputs,
                                           const Engine& engine) {
  const memory::desc source = whole.src_desc();
  const memory::desc target{{source.dims()[0], outputs}, whole.diff_dst_desc().data_type(), Tag::ab};
  const bool has_bias = whole.diff_bias_desc().get_size() > 0;
  const memory::desc bias = has_bias ? plain_vector(outputs) : memory::desc{};
  const AddedGradient::Forward hint{
      {dnnl::prop_kind::forward_training, source, part_of(forward.weights_desc(), outputs), bias, target},
      user_scratchpad(),
      engine.get(),
      true};
  if (!hint) return {};
  return {{source, part_of(whole.diff_weights_desc(), outputs), bias, target},
          user_scratchpad(),
          engine.get(),
          hint,
          true};
}

std::int64_t padded(std::int64_t bytes) { return round_up(bytes, 64); }

/// A primitive for a part, bound to the scratch memory that all parts share.
struct Bound {
  dnnl::primitive primitive;
  ArgMap args;
};

void add(float* to, const float* from, std::int64_t count) {
#pragma omp parallel for simd schedule(static)
  for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
}

}  // namespace

std::optional<AddedGradient> AddedGradient::of(const BackwardWeights& whole, const Forward& forward,
                                               Engine& engine) {
  const memory::desc weight = whole.diff_weights_desc();
  const std::int64_t together = outputs_together(weight);
  if (together == 0 || together != outputs_together(forward.weights_desc())) return std::nullopt;
  AddedGradient added(engine);
  added.rows_ = whole.diff_dst_desc().dims()[0];
  added.outputs_ = whole.diff_dst_desc().dims()[1];
  const std::int64_t bytes = weight.data.format_desc.blocking.strides[0] * 4;  // of those held together
  added.part_ = std::max<std::int64_t>(kPartBytes / bytes, 1) * together;
  if (added.part_ * 2 > added.outputs_) return std::nullopt;
  added.weight_bytes_ = added.part_ / together * bytes;
  added.value_bytes_ =
      static_cast<std::int64_t>(whole.diff_dst_desc().get_size()) / (added.rows_ * added.outputs_);
  const std::int64_t rest = added.outputs_ % added.part_;
  added.most_ = part_kernel(whole, forward, added.part_, engine);
  added.last_ = rest == 0 ? added.most_ : part_kernel(whole, forward, rest, engine);
  if (is_slow(added.most_) || is_slow(added.last_)) return std::nullopt;
  return added;
}

std::int64_t AddedGradient::scratch_bytes() const {
  return padded(rows_ * part_ * value_bytes_) + padded(weight_bytes_) + padded(part_ * 4) +
         std::max(scratch_of(most_), scratch_of(last_));
}

std::unique_ptr<Kernel> AddedGradient::bind(const void* input, const void* output_gradient, void* weight,
                                            void* bias, void* scratch) const {
  auto* columns = static_cast<std::byte*>(scratch);
  std::byte* weight_part = columns + padded(rows_ * part_ * value_bytes_);
  std::byte* bias_part = weight_part + padded(weight_bytes_);
  std::byte* space = bias_part + padded(part_ * 4);
  const auto bound = [&](const BackwardWeights& pd) {
    Bound part{dnnl::inner_product_backward_weights(pd),
               {{DNNL_ARG_SRC, engine_->bind(pd.src_desc(), input)},
                {DNNL_ARG_DIFF_DST, engine_->bind(pd.diff_dst_desc(), columns)},
                {DNNL_ARG_DIFF_WEIGHTS, engine_->bind(pd.diff_weights_desc(), weight_part)},
                {DNNL_ARG_SCRATCHPAD, engine_->bind(pd.scratchpad_desc(), space)}}};
    if (bias != nullptr) part.args.emplace(DNNL_ARG_DIFF_BIAS, engine_->bind(pd.diff_bias_desc(), bias_part));
    return part;
  };
  const auto* gradient = static_cast<const std::byte*>(output_gradient);
  return make_kernel([=, this, most = bound(most_), last = bound(last_)](const StepContext&) {
    for (std::int64_t first = 0; first < outputs_; first += part_) {
      const std::int64_t count = std::min(part_, outputs_ - first);
      for (std::int64_t row = 0; row < rows_; ++row) {
        std::memcpy(columns + row * count * value_bytes_, gradient + (row * outputs_ + first) * value_bytes_,
                    static_cast<std::size_t>(count * value_bytes_));
      }
      const Bound& part = count == part_ ? most : last;
      checked("a gradient that is added", [&] { part.primitive.execute(engine_->stream(), part.args); });
      const auto bytes =
          static_cast<std::int64_t>((count == part_ ? most_ : last_).diff_weights_desc().get_size());
      add(reinterpret_cast<float*>(static_cast<std::byte*>(weight) + first / part_ * weight_bytes_),
          reinterpret_cast<const float*>(weight_part), bytes / 4);
      if (bias != nullptr)
        add(static_cast<float*>(bias) + first, reinterpret_cast<const float*>(bias_part), count);
    }
  });
}

}  // namespace convoy::cpu
