#include "layers/cpu/l2_pool.h"

#include <algorithm>

#include "layers/cpu/element.h"
#include "layers/cpu/image_layout.h"
#include "layers/cpu/simd.h"
#include "layers/graph/arithmetic/pooling.h"

namespace convoy::cpu {
namespace {

/// Neighbouring values whose sums are kept at a time.
constexpr std::int64_t kPlacesAtOnce = 64;

template <class T>
[[gnu::always_inline]] inline void forward(const PoolGeometry& g, const T* map, T* output) {
  for (std::int64_t y = 0; y < g.out_y; ++y) {
    const Span ys = inside(y, g.stride_y, g.padding_y, g.kernel_y, g.in_y);
    for (std::int64_t x = 0; x < g.out_x; ++x) {
      const Span xs = inside(x, g.stride_x, g.padding_x, g.kernel_x, g.in_x);
      const T* corner =
          map + ((y * g.stride_y - g.padding_y) * g.in_x + x * g.stride_x - g.padding_x) * g.inner;
      for (std::int64_t first = 0; first < g.inner; first += kPlacesAtOnce) {
        const std::int64_t count = std::min(kPlacesAtOnce, g.inner - first);
        float sums[kPlacesAtOnce] = {};
        for (std::int64_t ky = ys.begin; ky < ys.end; ++ky) {
          for (std::int64_t kx = xs.begin; kx < xs.end; ++kx) {
            const T* from = corner + (ky * g.in_x + kx) * g.inner + first;
            for (std::int64_t i = 0; i < count; ++i) sums[i] += float(from[i]) * float(from[i]);
          }
        }
        T* to = output + (y * g.out_x + x) * g.inner + first;
        for (std::int64_t i = 0; i < count; ++i) to[i] = T(l2_pool_output(sums[i]));
      }
    }
  }
}

/// Each input pixel gathers from the windows that hold it.
template <class T>
[[gnu::always_inline]] inline void backward(const PoolGeometry& g, const T* gradient, const T* map,
                                            const T* output, T* input_gradient) {
  Reach ys{};
  for (std::int64_t y = 0; y < g.in_y; ++y) {
    move_to(y, g.stride_y, g.padding_y, g.kernel_y, g.out_y, ys);
    Reach xs{};
    for (std::int64_t x = 0; x < g.in_x; ++x) {
      move_to(x, g.stride_x, g.padding_x, g.kernel_x, g.out_x, xs);
      for (std::int64_t first = 0; first < g.inner; first += kPlacesAtOnce) {
        const std::int64_t count = std::min(kPlacesAtOnce, g.inner - first);
        float sums[kPlacesAtOnce] = {};
        for (std::int64_t oy = ys.outputs.begin; oy < ys.outputs.end; ++oy) {
          for (std::int64_t ox = xs.outputs.begin; ox < xs.outputs.end; ++ox) {
            const std::int64_t at = (oy * g.out_x + ox) * g.inner + first;
            for (std::int64_t i = 0; i < count; ++i)
              sums[i] += l2_pool_share(float(output[at + i]), float(gradient[at + i]));
          }
        }
        const std::int64_t at = (y * g.in_x + x) * g.inner + first;
        for (std::int64_t i = 0; i < count; ++i) input_gradient[at + i] = T(float(map[at + i]) * sums[i]);
      }
    }
  }
}

// A function a type: versions for vector widths cannot be templates.
CONVOY_SIMD void forward_map(const PoolGeometry& g, const float* map, float* output) {
  forward(g, map, output);
}
CONVOY_SIMD void forward_map(const PoolGeometry& g, const BFloat16* map, BFloat16* output) {
  forward(g, map, output);
}
CONVOY_SIMD void backward_map(const PoolGeometry& g, const float* gradient, const float* map,
                              const float* output, float* input_gradient) {
  backward(g, gradient, map, output, input_gradient);
}
CONVOY_SIMD void backward_map(const PoolGeometry& g, const BFloat16* gradient, const BFloat16* map,
                              const BFloat16* output, BFloat16* input_gradient) {
  backward(g, gradient, map, output, input_gradient);
}

class L2PoolLayer : public CpuLayer {
 public:
  L2PoolLayer(const Pooling& op, const Site& site, Inputs inputs, Engine& engine) : CpuLayer(site, engine) {
    const Layout input = accept_image(engine, inputs[0], site.inputs[0], site.batch, site.type);
    const ImageLayout layout = *image_layout(engine.desc(input), site.inputs[0], site.batch);
    geometry_ = pool_geometry(op, site, layout);
    const Layout output = engine.layout(image_like(layout, site.output, site.batch, site.type));
    spec_.passes.push_back({PassKind::forward, {{Role::input, 0, input}}, {{Role::output, 0, output}}, 0});
    if (!site.training || !site.input_gradient[0]) return;
    spec_.passes.push_back(
        {PassKind::backward_data,
         {{Role::output_gradient, 0, output}, {Role::input, 0, input}, {Role::output, 0, output}},
         {{Role::input_gradient, 0, input}},
         0});
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void*) const override {
    return with_element(site_.type, [&]<class T>(T) -> std::unique_ptr<Kernel> {
      const auto* first = static_cast<const T*>(reads[0]);
      auto* to = static_cast<T*>(writes[0]);
      if (pass == 0) {
        return make_kernel([=, g = geometry_](const StepContext&) {
#pragma omp parallel for schedule(static)
          for (std::int64_t o = 0; o < g.outer; ++o)
            forward_map(g, first + o * g.in_map(), to + o * g.out_map());
        });
      }
      const auto* map = static_cast<const T*>(reads[1]);
      const auto* output = static_cast<const T*>(reads[2]);
      return make_kernel([=, g = geometry_](const StepContext&) {
#pragma omp parallel for schedule(static)
        for (std::int64_t o = 0; o < g.outer; ++o) {
          backward_map(g, first + o * g.out_map(), map + o * g.in_map(), output + o * g.out_map(),
                       to + o * g.in_map());
        }
      });
    });
  }

 private:
  PoolGeometry geometry_;
};

}  // namespace

Lowered lower_l2_pool(const Pooling& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<L2PoolLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
