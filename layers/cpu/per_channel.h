#pragma once

#include <array>

#include "layers/cpu/channel_view.h"
#include "layers/cpu/element.h"
#include "layers/cpu/lower.h"
#include "layers/cpu/simd.h"
#include "layers/graph/arithmetic/per_channel.h"

namespace convoy::cpu {

/// Values of one column of up to 16 channels, or of one channel alone, side by side: rows of `width` values,
/// `stride` apart.
struct Tile {
  std::int64_t offset = 0;
  std::int64_t rows = 0;
  std::int64_t stride = 0;
  std::int64_t width = 0;
  std::int64_t channel = 0;  ///< of the first value
};
inline constexpr std::int64_t kTileWidth = 16;
using Lanes = std::array<float, kTileWidth>;

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
    view_ = *channel_view(engine.desc(layout), shape, site.batch);
    shared_ = site.layer->parameters[0].elements() == 1;
    parameters_ = static_cast<int>(site.layer->parameters.size());
    pixels_a_task_ = std::max<std::int64_t>(1, kTaskElements / view_.lanes);
    chunks_ = (view_.pixels + pixels_a_task_ - 1) / pixels_a_task_;
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
    backward.scratch_bytes = parameters_ * tasks() * view_.lanes * 4;
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
  static constexpr std::int64_t kTaskElements = 1 << 14;

  std::int64_t tasks() const { return view_.samples * view_.blocks * chunks_; }

  /// Calls `body` with each tile of a task.
  template <class Body>
  void for_tiles(std::int64_t task, Body&& body) const {
    const std::int64_t block = task / chunks_ % view_.blocks;
    const std::int64_t first = task % chunks_ * pixels_a_task_;
    const std::int64_t count = std::min(pixels_a_task_, view_.pixels - first);
    const std::int64_t offset = view_.offset(task / chunks_ / view_.blocks, block, first);
    if (view_.lanes == 1) {
      const std::int64_t whole = count / kTileWidth;
      const std::int64_t rest = count % kTileWidth;
      if (whole > 0) body(Tile{offset, whole, kTileWidth, kTileWidth, block});
      if (rest > 0) body(Tile{offset + whole * kTileWidth, 1, kTileWidth, rest, block});
      return;
    }
    for (std::int64_t l = 0; l < view_.lanes; l += kTileWidth) {
      body(Tile{offset + l, count, view_.lanes, std::min(kTileWidth, view_.lanes - l),
                block * view_.lanes + l});
    }
  }

  /// The parameters of a tile's values; 0 in padding.
  Lanes parameters_of(const float* values, const Tile& tile) const {
    Lanes lanes{};
    if (values == nullptr) return lanes;
    for (std::int64_t k = 0; k < kTileWidth; ++k) {
      const std::int64_t channel = view_.lanes == 1 ? tile.channel : tile.channel + k;
      if (channel < view_.channels) lanes[static_cast<std::size_t>(k)] = values[shared_ ? 0 : channel];
    }
    return lanes;
  }

  template <class T>
  std::unique_ptr<Kernel> forward_kernel(std::span<void* const> reads, std::span<void* const> writes) const {
    const auto* x = static_cast<const T*>(reads[0]);
    const auto* first = static_cast<const float*>(reads[1]);
    const auto* second = parameters_ > 1 ? static_cast<const float*>(reads[2]) : nullptr;
    auto* y = static_cast<T*>(writes[0]);
    return make_kernel([=, this](const StepContext&) {
#pragma omp parallel for schedule(static)
      for (std::int64_t task = 0; task < tasks(); ++task) {
        for_tiles(task, [&](const Tile& tile) {
          const auto run =
              tile.width == kTileWidth ? forward_tile<Function, true, T> : forward_tile<Function, false, T>;
          run(x + tile.offset, y + tile.offset, tile, parameters_of(first, tile),
              parameters_of(second, tile));
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
      const std::int64_t stride = tasks() * view_.lanes;  // between the parts of the two parameters
#pragma omp parallel for schedule(static)
      for (std::int64_t task = 0; task < tasks(); ++task) {
        if (view_.lanes == 1) {
          parts[task] = 0;
          if (parameters_ > 1) parts[task + stride] = 0;
        }
        for_tiles(task, [&](const Tile& tile) {
          std::array<Lanes, 2> sums;
          const auto run =
              tile.width == kTileWidth ? backward_tile<Function, true, T> : backward_tile<Function, false, T>;
          run(x + tile.offset, dy + tile.offset, dx == nullptr ? nullptr : dx + tile.offset, tile,
              parameters_of(first, tile), sums[0], sums[1]);
          for (int p = 0; p < parameters_; ++p) {
            float* part = parts + p * stride + task * view_.lanes;
            if (view_.lanes > 1) part += tile.channel % view_.lanes;
            for (std::int64_t k = 0; k < tile.width; ++k) {
              const float sum = sums[static_cast<std::size_t>(p)][static_cast<std::size_t>(k)];
              if (view_.lanes == 1)
                part[0] += sum;
              else
                part[k] = sum;
            }
          }
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
      for (std::int64_t i = 0; i < tasks() * view_.lanes; ++i) sum += static_cast<double>(parts[i]);
      gradient[0] = static_cast<float>(sum);
      return;
    }
#pragma omp parallel for schedule(static)
    for (std::int64_t c = 0; c < view_.channels; ++c) {
      const std::int64_t block = c / view_.lanes;
      double sum = 0;
      for (std::int64_t n = 0; n < view_.samples; ++n) {
        for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) {
          const std::int64_t task = (n * view_.blocks + block) * chunks_ + chunk;
          sum += static_cast<double>(parts[task * view_.lanes + c % view_.lanes]);
        }
      }
      gradient[c] = static_cast<float>(sum);
    }
  }

  ChannelView view_;
  bool shared_ = false;
  int parameters_ = 1;
  std::int64_t pixels_a_task_ = 1;
  std::int64_t chunks_ = 1;
};

}  // namespace convoy::cpu
