#pragma once

#include <array>

#include "layers/cpu/channel_tasks.h"
#include "layers/cpu/element.h"
#include "layers/cpu/lower.h"
#include "layers/cpu/simd.h"
#include "layers/graph/arithmetic/per_channel.h"

namespace convoy::cpu {

// `whole`: the tile is as wide as it can be, and the compiler knows. Unrolled, a loop of 16 bf16 values would
// no longer become vectors; results wait in an array because x and y may be the same memory.
template <class Function, bool whole, class T>
CONVOY_SIMD void forward_tile(const T* x, T* y, const Tile& tile, const Lanes& first, const Lanes& second) {
  const std::int64_t width = whole ? kTileWidth : tile.width;
  Lanes given{};
  for (std::int64_t row = 0; row < tile.rows; ++row, x += tile.stride, y += tile.stride) {
#pragma GCC unroll 1
    for (std::int64_t k = 0; k < width; ++k) {
      const auto lane = static_cast<std::size_t>(k);
      given[lane] = Function::forward(float(x[k]), first[lane], second[lane]);
    }
#pragma GCC unroll 1
    for (std::int64_t k = 0; k < width; ++k) y[k] = T(given[static_cast<std::size_t>(k)]);
  }
}

/// The sums over the rows of what each value adds to its parameters' gradients; dx unless null.
template <class Function, bool whole, class T>
CONVOY_SIMD void backward_tile(const T* x, const T* dy, T* dx, const Tile& tile, const Lanes& first,
                               Lanes& first_sum, Lanes& second_sum) {
  const std::int64_t width = whole ? kTileWidth : tile.width;
  Lanes a{};
  Lanes b{};
  Lanes given{};
  for (std::int64_t row = 0; row < tile.rows; ++row, x += tile.stride, dy += tile.stride) {
#pragma GCC unroll 1
    for (std::int64_t k = 0; k < width; ++k) {
      const auto lane = static_cast<std::size_t>(k);
      const ChannelGradient gradient = Function::backward(float(x[k]), float(dy[k]), first[lane]);
      given[lane] = gradient.input;
      a[lane] += gradient.first;
      b[lane] += gradient.second;
    }
    if (dx == nullptr) continue;
    T* to = dx + row * tile.stride;
#pragma GCC unroll 1
    for (std::int64_t k = 0; k < width; ++k) to[k] = T(given[static_cast<std::size_t>(k)]);
  }
  first_sum = a;
  second_sum = b;
}

/// A layer of a Function (arithmetic/per_channel.h) of each value with one or two parameters a channel, or
/// one for all channels, in any layout that has a ChannelView. Work falls into tasks of fixed size, and every
/// task leaves its part of the parameters' gradients, so that their sums do not depend on the number of
/// threads.
template <class Function>
class PerChannelLayer : public CpuLayer {
 public:
  PerChannelLayer(const Site& site, Inputs inputs, Engine& engine) : CpuLayer(site, engine) {
    const Shape shape = site.inputs[0];
    const Layout layout = accept_image(engine, inputs[0], shape, site.batch, site.type);
    tasks_ = ChannelTasks(*channel_view(engine.desc(layout), shape, site.batch));
    shared_ = site.layer->parameters[0].elements() == 1;
    parameters_ = static_cast<int>(site.layer->parameters.size());
    PassSpec forward{
        PassKind::forward, {{Role::input, 0, layout}}, {{Role::output, 0, layout}}, 0, !site.training};
    PassSpec backward{
        PassKind::backward, {{Role::output_gradient, 0, layout}, {Role::input, 0, layout}}, {}, 0};
    if (site.input_gradient[0]) {
      backward.writes.push_back({Role::input_gradient, 0, layout});
      backward.in_place = true;
    }
    for (int p = 0; p < parameters_; ++p) {
      const Layout vector = engine.layout(plain_vector(site.layer->parameters[0].elements()));
      forward.reads.push_back({Role::parameter, p, vector});
      if (p == 0) backward.reads.push_back({Role::parameter, p, vector});
      backward.writes.push_back({Role::parameter_gradient, p, vector});
    }
    backward.scratch_bytes = parameters_ * tasks_.part_values() * 4;
    spec_.passes.push_back(std::move(forward));
    if (site.training) spec_.passes.push_back(std::move(backward));
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    return with_element(site_.type, [&]<class T>(T) {
      return pass == 0 ? forward_kernel<T>(reads, writes)
                       : backward_kernel<T>(reads, writes, static_cast<float*>(scratch));
    });
  }

 private:
  template <class T>
  std::unique_ptr<Kernel> forward_kernel(std::span<void* const> reads, std::span<void* const> writes) const {
    const auto* x = static_cast<const T*>(reads[0]);
    const auto* first = static_cast<const float*>(reads[1]);
    const auto* second = parameters_ > 1 ? static_cast<const float*>(reads[2]) : nullptr;
    auto* y = static_cast<T*>(writes[0]);
    return make_kernel([=, this](const StepContext&) {
#pragma omp parallel for schedule(static)
      for (std::int64_t task = 0; task < tasks_.count(); ++task) {
        tasks_.for_tiles(task, [&](const Tile& tile) {
          const auto run =
              tile.width == kTileWidth ? forward_tile<Function, true, T> : forward_tile<Function, false, T>;
          run(x + tile.offset, y + tile.offset, tile, tasks_.lanes_of(first, tile, shared_),
              tasks_.lanes_of(second, tile, shared_));
        });
      }
    });
  }

  template <class T>
  std::unique_ptr<Kernel> backward_kernel(std::span<void* const> reads, std::span<void* const> writes,
                                          float* parts) const {
    const auto* dy = static_cast<const T*>(reads[0]);
    const auto* x = static_cast<const T*>(reads[1]);
    const auto* first = static_cast<const float*>(reads[2]);
    auto* dx = site_.input_gradient[0] ? static_cast<T*>(writes[0]) : nullptr;
    std::array<float*, 2> gradients{};
    for (int p = 0; p < parameters_; ++p) {
      gradients[static_cast<std::size_t>(p)] =
          static_cast<float*>(writes[static_cast<std::size_t>(p) + (dx == nullptr ? 0 : 1)]);
    }
    return make_kernel([=, this](const StepContext&) {
      const std::int64_t stride = tasks_.part_values();  // between the parts of the two parameters
#pragma omp parallel for schedule(static)
      for (std::int64_t task = 0; task < tasks_.count(); ++task) {
        for (int p = 0; p < parameters_; ++p) tasks_.clear_part(parts + p * stride, task);
        tasks_.for_tiles(task, [&](const Tile& tile) {
          std::array<Lanes, 2> sums;
          const auto run =
              tile.width == kTileWidth ? backward_tile<Function, true, T> : backward_tile<Function, false, T>;
          run(x + tile.offset, dy + tile.offset, dx == nullptr ? nullptr : dx + tile.offset, tile,
              tasks_.lanes_of(first, tile, shared_), sums[0], sums[1]);
          for (int p = 0; p < parameters_; ++p)
            tasks_.add_to_part(parts + p * stride, task, tile, sums[static_cast<std::size_t>(p)]);
        });
      }
      for (int p = 0; p < parameters_; ++p)
        add_parts(parts + p * stride, gradients[static_cast<std::size_t>(p)]);
    });
  }

  /// The tasks' parts to one gradient a channel, or one for all.
  void add_parts(const float* parts, float* gradient) const {
    if (shared_) {
      double sum = 0;
      for (std::int64_t i = 0; i < tasks_.part_values(); ++i) sum += static_cast<double>(parts[i]);
      gradient[0] = static_cast<float>(sum);
      return;
    }
#pragma omp parallel for schedule(static)
    for (std::int64_t c = 0; c < tasks_.view().channels; ++c)
      gradient[c] = static_cast<float>(tasks_.sum_of(parts, c));
  }

  ChannelTasks tasks_;
  bool shared_ = false;
  int parameters_ = 1;
};

}  // namespace convoy::cpu
