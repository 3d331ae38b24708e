#include "layers/cuda/kernels/pooling.h"

#include "layers/cuda/kernels/launch.h"
#include "layers/cuda/kernels/walk.h"
#include "layers/graph/arithmetic/pooling.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

/// A range along one axis, without its end.
struct Span {
  std::int64_t begin, end;
  CONVOY_HD std::int64_t size() const { return end - begin; }
};

/// The part of an output's window that lies in the input, along one axis, counted from the window's begin.
CONVOY_HD Span inside(std::int64_t output, std::int64_t stride, std::int64_t padding, std::int64_t kernel,
                      std::int64_t input) {
  const std::int64_t start = output * stride - padding;
  const std::int64_t begin = start < 0 ? -start : 0;
  const std::int64_t end = kernel < input - start ? kernel : input - start;
  return {begin, end > begin ? end : begin};
}

/// The outputs whose windows hold an input pixel, along one axis.
CONVOY_HD Span holders(std::int64_t pixel, const Divisor& stride, std::int64_t padding, std::int64_t kernel,
                       std::int64_t outputs) {
  const std::int64_t last = stride.quotient(pixel + padding);
  const std::int64_t before = pixel + padding - kernel;  // the last window start that no longer holds it
  const std::int64_t first = before < 0 ? 0 : stride.quotient(before) + 1;
  const std::int64_t end = last + 1 < outputs ? last + 1 : outputs;
  return {first, end > first ? end : first};
}

/// The geometry, and where values lie.
struct Layer : PoolGeometry {
  Images inputs, outputs;
  Divisor strides_y, strides_x;
  explicit Layer(const PoolGeometry& g)
      : PoolGeometry(g),
        inputs(g.in_y, g.in_x, g.channels),
        outputs(g.out_y, g.out_x, g.channels),
        strides_y(g.stride_y),
        strides_x(g.stride_x) {}
};

/// One output value's window, or one input value's holders, and the offsets of single values.
struct Window {
  const Layer& g;
  Place at;
  Span ys, xs;
  CONVOY_HD std::int64_t output(std::int64_t row, std::int64_t column) const {
    return g.outputs.index({at.n, row, column, at.c});
  }
  CONVOY_HD std::int64_t seen(std::int64_t ky, std::int64_t kx) const {
    return g.inputs.index(
        {at.n, at.y * g.stride_y - g.padding_y + ky, at.x * g.stride_x - g.padding_x + kx, at.c});
  }
};

CONVOY_HD Window window_of(const Layer& g, std::int64_t i) {
  const Place at = g.outputs.place(i);
  return {g, at, inside(at.y, g.stride_y, g.padding_y, g.kernel_y, g.in_y),
          inside(at.x, g.stride_x, g.padding_x, g.kernel_x, g.in_x)};
}
CONVOY_HD Window holders_of(const Layer& g, std::int64_t i) {
  const Place at = g.inputs.place(i);
  return {g, at, holders(at.y, g.strides_y, g.padding_y, g.kernel_y, g.out_y),
          holders(at.x, g.strides_x, g.padding_x, g.kernel_x, g.out_x)};
}

template <class T, class Position>
struct MaxPool {
  Layer g;
  const T* from;
  T* to;
  Position* places;
  CONVOY_HD void operator()(std::int64_t i) const {
    const Window w = window_of(g, i);
    float best = 0;
    std::int64_t where = -1;
    for (std::int64_t ky = w.ys.begin; ky < w.ys.end; ++ky) {
      for (std::int64_t kx = w.xs.begin; kx < w.xs.end; ++kx) {
        const float value = from[w.seen(ky, kx)];
        if (where >= 0 && !(value > best || value != value)) continue;
        best = value;
        where = ky * g.kernel_x + kx;
      }
    }
    to[i] = T(best);
    if (places != nullptr) places[i] = static_cast<Position>(where);
  }
};

template <class T, class Position>
struct MaxPoolGradient {
  Layer g;
  const T* gradient;
  const Position* places;
  T* result;
  CONVOY_HD void operator()(std::int64_t i) const {
    const Window w = holders_of(g, i);
    float sum = 0;
    for (std::int64_t oy = w.ys.begin; oy < w.ys.end; ++oy) {
      for (std::int64_t ox = w.xs.begin; ox < w.xs.end; ++ox) {
        const std::int64_t ky = w.at.y + g.padding_y - oy * g.stride_y;
        const std::int64_t kx = w.at.x + g.padding_x - ox * g.stride_x;
        const std::int64_t at = w.output(oy, ox);
        if (places[at] == static_cast<Position>(ky * g.kernel_x + kx)) sum += float(gradient[at]);
      }
    }
    result[i] = T(sum);
  }
};

/// Values that an average is over.
CONVOY_HD float divisor(const Layer& g, const Span& ys, const Span& xs) {
  return static_cast<float>(g.count_padding ? g.kernel_y * g.kernel_x : ys.size() * xs.size());
}

template <class T>
struct AveragePool {
  Layer g;
  const T* from;
  T* to;
  CONVOY_HD void operator()(std::int64_t i) const {
    const Window w = window_of(g, i);
    float sum = 0;
    for (std::int64_t ky = w.ys.begin; ky < w.ys.end; ++ky) {
      for (std::int64_t kx = w.xs.begin; kx < w.xs.end; ++kx) sum += float(from[w.seen(ky, kx)]);
    }
    const float values = divisor(g, w.ys, w.xs);
    to[i] = T(values > 0 ? sum / values : 0.F);
  }
};

template <class T>
struct AveragePoolGradient {
  Layer g;
  const T* gradient;
  T* result;
  CONVOY_HD void operator()(std::int64_t i) const {
    const Window w = holders_of(g, i);
    float sum = 0;
    for (std::int64_t oy = w.ys.begin; oy < w.ys.end; ++oy) {
      const Span ys = inside(oy, g.stride_y, g.padding_y, g.kernel_y, g.in_y);
      for (std::int64_t ox = w.xs.begin; ox < w.xs.end; ++ox) {
        const Span xs = inside(ox, g.stride_x, g.padding_x, g.kernel_x, g.in_x);
        sum += float(gradient[w.output(oy, ox)]) / divisor(g, ys, xs);
      }
    }
    result[i] = T(sum);
  }
};

template <class T>
struct L2Pool {
  Layer g;
  const T* from;
  T* to;
  CONVOY_HD void operator()(std::int64_t i) const {
    const Window w = window_of(g, i);
    float sum = 0;
    for (std::int64_t ky = w.ys.begin; ky < w.ys.end; ++ky) {
      for (std::int64_t kx = w.xs.begin; kx < w.xs.end; ++kx) {
        const float value = from[w.seen(ky, kx)];
        sum += value * value;
      }
    }
    to[i] = T(l2_pool_output(sum));
  }
};

template <class T>
struct L2PoolGradient {
  Layer g;
  const T* gradient;
  const T* from;
  const T* output;
  T* result;
  CONVOY_HD void operator()(std::int64_t i) const {
    const Window w = holders_of(g, i);
    float sum = 0;
    for (std::int64_t oy = w.ys.begin; oy < w.ys.end; ++oy) {
      for (std::int64_t ox = w.xs.begin; ox < w.xs.end; ++ox) {
        const std::int64_t at = w.output(oy, ox);
        sum += l2_pool_share(float(output[at]), float(gradient[at]));
      }
    }
    result[i] = T(float(from[i]) * sum);
  }
};

std::int64_t inputs_of(const PoolGeometry& g) { return g.batch * g.in_y * g.in_x * g.channels; }
std::int64_t outputs_of(const PoolGeometry& g) { return g.batch * g.out_y * g.out_x * g.channels; }

/// Calls `call` with a number of the type that places in windows have.
template <class Call>
void with_position(const PoolGeometry& g, Call&& call) {
  if (g.kernel_y * g.kernel_x <= 256) return call(std::uint8_t{});
  call(std::uint32_t{});
}

}  // namespace

void max_pool(Queue queue, DType type, const PoolGeometry& g, const void* x, void* y, void* places) {
  with_element(type, [&]<class T>(T) {
    with_position(g, [&]<class P>(P) {
      for_each_index(
          queue, outputs_of(g),
          MaxPool<T, P>{Layer(g), static_cast<const T*>(x), static_cast<T*>(y), static_cast<P*>(places)});
    });
  });
}

void max_pool_gradient(Queue queue, DType type, const PoolGeometry& g, const void* gradient,
                       const void* places, void* result) {
  with_element(type, [&]<class T>(T) {
    with_position(g, [&]<class P>(P) {
      for_each_index(queue, inputs_of(g),
                     MaxPoolGradient<T, P>{Layer(g), static_cast<const T*>(gradient),
                                           static_cast<const P*>(places), static_cast<T*>(result)});
    });
  });
}

void average_pool(Queue queue, DType type, const PoolGeometry& g, const void* x, void* y) {
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, outputs_of(g),
                   AveragePool<T>{Layer(g), static_cast<const T*>(x), static_cast<T*>(y)});
  });
}

void average_pool_gradient(Queue queue, DType type, const PoolGeometry& g, const void* gradient,
                           void* result) {
  with_element(type, [&]<class T>(T) {
    for_each_index(
        queue, inputs_of(g),
        AveragePoolGradient<T>{Layer(g), static_cast<const T*>(gradient), static_cast<T*>(result)});
  });
}

void l2_pool(Queue queue, DType type, const PoolGeometry& g, const void* x, void* y) {
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, outputs_of(g), L2Pool<T>{Layer(g), static_cast<const T*>(x), static_cast<T*>(y)});
  });
}

void l2_pool_gradient(Queue queue, DType type, const PoolGeometry& g, const void* gradient, const void* x,
                      const void* y, void* result) {
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, inputs_of(g),
                   L2PoolGradient<T>{Layer(g), static_cast<const T*>(gradient), static_cast<const T*>(x),
                                     static_cast<const T*>(y), static_cast<T*>(result)});
  });
}

}  // namespace CONVOY_CUDA_NAMESPACE
