#include "layers/cpu/product_layer.h"

#include <algorithm>
#include <cstring>

#include "layers/core/bytes.h"

namespace convoy::cpu {
namespace {

/// Of `batch` images of pixels of `bytes`, those of the grid, one after another.
void gather(const PixelGrid& grid, std::int64_t batch, std::int64_t bytes, const std::byte* from,
            std::byte* rows) {
  const std::int64_t line = grid.image.width * bytes;
#pragma omp parallel for collapse(2)
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t y = 0; y < grid.taken.height; ++y) {
      const std::byte* source = from + (n * grid.image.height + y * grid.stride_y) * line;
      std::byte* target = rows + (n * grid.taken.height + y) * grid.taken.width * bytes;
      for (std::int64_t x = 0; x < grid.taken.width; ++x) {
        std::memcpy(target + x * bytes, source + x * grid.stride_x * bytes, static_cast<std::size_t>(bytes));
      }
    }
  }
}

/// The way back; pixels beside the grid become zeros.
void scatter(const PixelGrid& grid, std::int64_t batch, std::int64_t bytes, const std::byte* rows,
             std::byte* to) {
  const std::int64_t line = grid.image.width * bytes;
#pragma omp parallel for collapse(2)
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t y = 0; y < grid.image.height; ++y) {
      std::byte* target = to + (n * grid.image.height + y) * line;
      std::memset(target, 0, static_cast<std::size_t>(line));
      if (y % grid.stride_y != 0) continue;
      const std::byte* source = rows + (n * grid.taken.height + y / grid.stride_y) * grid.taken.width * bytes;
      for (std::int64_t x = 0; x < grid.taken.width; ++x) {
        std::memcpy(target + x * grid.stride_x * bytes, source + x * bytes, static_cast<std::size_t>(bytes));
      }
    }
  }
}

}  // namespace

ProductLayer::ProductLayer(const Product& product, const Site& site, Engine& engine)
    : WeightedLayer(site, engine, product.bias), grid_(product.grid) {
  checked(what_, [&] { choose(product); });
  declare({.input = product.input,
           .weights_input = product.input,
           .input_gradient = product.input,
           .output = product.output,
           .weight = canonical_parameter(site.layer->parameters[0]).dims()});
  if (product.adds && site.training) declare_adding();
  if (!grid_) return;
  grid_bytes_ = round_up(product.rows * product.inputs * size_of(site.type), 64);
  for (PassSpec& pass : spec_.passes) pass.scratch_bytes += grid_bytes_;
}

void ProductLayer::declare_adding() {
  // Only where gradients are stored as this pass writes them.
  if (weights_.diff_weights_desc() != master_of(forward_.weights_desc()).desc) return;
  added_ = checked(what_, [&] { return AddedGradient::of(weights_, forward_, *engine_); });
  if (!added_) return;
  const auto writing = std::find_if(spec_.passes.begin(), spec_.passes.end(), [](const PassSpec& pass) {
    return pass.kind == PassKind::backward_weights;
  });
  PassSpec adding = *writing;
  adding.adds_gradients = true;
  adding.scratch_bytes = std::max(adding.scratch_bytes, added_->scratch_bytes());
  spec_.passes.insert(writing + 1, std::move(adding));
}

std::unique_ptr<Kernel> ProductLayer::bind(std::size_t pass, std::span<void* const> reads,
                                           std::span<void* const> writes, void* scratch) const {
  if (spec_.passes[pass].adds_gradients) {
    const std::shared_ptr<Kernel> whole = Base::bind(pass, reads, writes, scratch);
    const std::shared_ptr<Kernel> added =
        added_->bind(reads[0], reads[1], writes[0], writes.size() > 1 ? writes[1] : nullptr, scratch);
    return make_kernel(
        [=](const StepContext& context) { (context.first_pass ? whole : added)->run(context); });
  }
  if (!grid_) return Base::bind(pass, reads, writes, scratch);
  auto* rows = static_cast<std::byte*>(scratch);
  const PixelGrid grid = *grid_;
  const std::int64_t batch = site_.batch;
  const std::int64_t bytes = grid.image.channels * size_of(site_.type);
  std::vector<void*> taken(reads.begin(), reads.end());
  std::vector<void*> given(writes.begin(), writes.end());
  const bool back = spec_.passes[pass].kind == PassKind::backward_data;
  auto* pixels = static_cast<std::byte*>(back ? given[0] : taken[0]);
  (back ? given[0] : taken[0]) = rows;
  const std::shared_ptr<Kernel> product = Base::bind(pass, taken, given, rows + grid_bytes_);
  return make_kernel([=](const StepContext& context) {
    if (!back) gather(grid, batch, bytes, pixels, rows);
    product->run(context);
    if (back) scatter(grid, batch, bytes, rows, pixels);
  });
}

void ProductLayer::choose(const Product& product) {
  // Dense rows: oneDNN's fast kernels take no others.
  const memory::data_type type = data_type_of(site_.type);
  const memory::desc source{{product.rows, product.inputs}, type, Tag::ab};
  const memory::desc target{{product.rows, product.outputs}, type, Tag::ab};
  const memory::desc gradient{
      {product.outputs, product.inputs}, memory::data_type::f32, memory::format_tag::any};
  const memory::desc kernel{{product.outputs, product.inputs}, type, memory::format_tag::any};
  const memory::desc bias = product.bias ? plain_vector(product.outputs) : memory::desc{};
  forward_ = {{forward_purpose(site_.training), source, kernel, bias, target},
              user_scratchpad_and(site_.relu_follows),
              engine_->get()};
  if (!site_.training) return;
  // Backward with the weights as forward has them needs no change of layout; taken where oneDNN has a fast
  // kernel for it.
  const memory::desc same = forward_.weights_desc();
  weights_ = backward_weights(source, with_type(same, DType::f32), bias, target);
  if (is_slow(weights_)) weights_ = backward_weights(source, gradient, bias, target);
  if (!site_.input_gradient[0]) return;
  data_ = backward_data(source, same, target);
  if (is_slow(data_)) data_ = backward_data(source, kernel, target);
}

ProductLayer::BackwardWeights::primitive_desc ProductLayer::backward_weights(
    const memory::desc& source, const memory::desc& kernel, const memory::desc& bias,
    const memory::desc& target) const {
  return {{source, kernel, bias, target}, user_scratchpad(), engine_->get(), forward_, true};
}

ProductLayer::BackwardData::primitive_desc ProductLayer::backward_data(const memory::desc& source,
                                                                       const memory::desc& kernel,
                                                                       const memory::desc& target) const {
  return {{source, kernel, target}, user_scratchpad(), engine_->get(), forward_, true};
}

}  // namespace convoy::cpu
