#include "layers/cuda/kernels/lrn.h"

#include "layers/cuda/kernels/launch.h"
#include "layers/cuda/kernels/walk.h"
#include "layers/graph/arithmetic/lrn.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

/// The neighbours of one value: `count` rows of as many values, or one row across channels.
struct Neighbours {
  std::int64_t first = 0;  ///< index of the first
  std::int64_t rows = 1, row_stride = 0;
  std::int64_t columns = 0, column_stride = 1;
};

CONVOY_HD std::int64_t most(std::int64_t a, std::int64_t b) { return a > b ? a : b; }
CONVOY_HD std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

/// The geometry, and where a value lies.
struct Layer : LrnGeometry {
  Images images;
  explicit Layer(const LrnGeometry& geometry)
      : LrnGeometry(geometry), images(geometry.height, geometry.width, geometry.channels) {}
};

CONVOY_HD Neighbours neighbours(const Layer& g, std::int64_t i) {
  if (!g.within) {
    const std::int64_t c = g.images.channels.rest(i);
    const std::int64_t begin = most(c - g.reach, 0);
    return {i - c + begin, 1, 0, least(c + g.reach + 1, g.channels) - begin, 1};
  }
  const Place at = g.images.place(i);
  const std::int64_t begin_y = most(at.y - g.reach, 0);
  const std::int64_t begin_x = most(at.x - g.reach, 0);
  const std::int64_t row_stride = g.width * g.channels;
  return {i + (begin_y - at.y) * row_stride + (begin_x - at.x) * g.channels,
          least(at.y + g.reach + 1, g.height) - begin_y, row_stride,
          least(at.x + g.reach + 1, g.width) - begin_x, g.channels};
}

/// Sum of of(index) over the neighbours of value i.
template <class Of>
CONVOY_HD float sum_around(const Layer& g, std::int64_t i, const Of& of) {
  const Neighbours n = neighbours(g, i);
  float sum = 0;
  for (std::int64_t row = 0; row < n.rows; ++row) {
    for (std::int64_t column = 0; column < n.columns; ++column)
      sum += of(n.first + row * n.row_stride + column * n.column_stride);
  }
  return sum;
}

template <class T>
struct Square {
  const T* x;
  CONVOY_HD float operator()(std::int64_t i) const { return float(x[i]) * float(x[i]); }
};

template <class T>
CONVOY_HD float scale_of(const Layer& g, const T* x, std::int64_t i) {
  return g.k + g.alpha * sum_around(g, i, Square<T>{x});
}

CONVOY_HD inline float power_of(const Layer& g, float s) {
  if (g.beta == 0.75F) return inverse_power<3>(s);  // the usual one
  if (g.beta == 0.5F) return inverse_power<2>(s);
  if (g.beta == 1) return inverse_power<4>(s);
  return inverse_power(s, g.beta);
}

/// What the output at i adds to the sums of its neighbours.
template <class T>
struct Share {
  Layer g;
  const T* gradient;
  const T* x;
  CONVOY_HD float operator()(std::int64_t i) const {
    const float s = scale_of(g, x, i);
    return lrn_share(float(x[i]), float(gradient[i]), s, power_of(g, s));
  }
};

struct Stored {
  const float* values;
  CONVOY_HD float operator()(std::int64_t i) const { return values[i]; }
};

template <class T>
struct Forward {
  Layer g;
  const T* x;
  T* y;
  CONVOY_HD void operator()(std::int64_t i) const { y[i] = T(float(x[i]) * power_of(g, scale_of(g, x, i))); }
};

template <class T>
struct StoreShare {
  Share<T> share;
  float* shares;
  CONVOY_HD void operator()(std::int64_t i) const { shares[i] = share(i); }
};

/// `Shares` gives Share of a value, stored or made anew.
template <class T, class Shares>
struct Gradient {
  Layer g;
  Shares shares;
  const T* gradient;
  const T* x;
  T* result;
  float factor;
  CONVOY_HD void operator()(std::int64_t i) const {
    const float power = power_of(g, scale_of(g, x, i));
    result[i] =
        T(convoy::lrn_gradient(float(x[i]), float(gradient[i]), power, factor, sum_around(g, i, shares)));
  }
};

}  // namespace

void lrn(Queue queue, DType type, const LrnGeometry& g, const void* x, void* y) {
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, g.values(), Forward<T>{Layer(g), static_cast<const T*>(x), static_cast<T*>(y)});
  });
}

void lrn_gradient(Queue queue, DType type, const LrnGeometry& g, const void* gradient, const void* x,
                  void* result, float* shares) {
  with_element(type, [&]<class T>(T) {
    const auto* dy = static_cast<const T*>(gradient);
    const auto* from = static_cast<const T*>(x);
    auto* dx = static_cast<T*>(result);
    const Layer layer(g);
    const Share<T> share{layer, dy, from};
    const float factor = 2 * g.alpha * g.beta;
    if (!g.within) {
      for_each_index(queue, g.values(), Gradient<T, Share<T>>{layer, share, dy, from, dx, factor});
      return;
    }
    for_each_index(queue, g.values(), StoreShare<T>{share, shares});
    for_each_index(queue, g.values(), Gradient<T, Stored>{layer, {shares}, dy, from, dx, factor});
  });
}

}  // namespace CONVOY_CUDA_NAMESPACE
