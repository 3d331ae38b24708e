#include "layers/cuda/kernels/convolution.h"

#include "layers/cuda/kernels/launch.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

/// A geometry with the offsets that all passes need.
struct Convolution : ConvolutionGeometry {
  CONVOY_HD std::int64_t group_inputs() const { return in_channels / groups; }
  CONVOY_HD std::int64_t group_outputs() const { return out_channels / groups; }
  CONVOY_HD std::int64_t weights() const { return out_channels * kernel_y * kernel_x * group_inputs(); }
  CONVOY_HD std::int64_t weight(std::int64_t position, std::int64_t o, std::int64_t ky,
                                std::int64_t kx) const {
    return (local ? position * weights() : 0) + ((o * kernel_y + ky) * kernel_x + kx) * group_inputs();
  }
  CONVOY_HD std::int64_t input(std::int64_t n, std::int64_t y, std::int64_t x) const {
    return ((n * in_y + y) * in_x + x) * in_channels;
  }
  CONVOY_HD std::int64_t output(std::int64_t n, std::int64_t y, std::int64_t x) const {
    return ((n * out_y + y) * out_x + x) * out_channels;
  }
  CONVOY_HD std::int64_t seen_y(std::int64_t oy, std::int64_t ky) const {
    return oy * stride_y - padding_y + ky * dilation_y;
  }
  CONVOY_HD std::int64_t seen_x(std::int64_t ox, std::int64_t kx) const {
    return ox * stride_x - padding_x + kx * dilation_x;
  }
};

/// One output value.
template <class T>
struct Forward {
  Convolution g;
  const T* x;
  const T* weights;
  T* y;
  CONVOY_HD void operator()(std::int64_t i) const {
    const std::int64_t pixel = i / g.out_channels;
    const std::int64_t o = i - pixel * g.out_channels;
    const std::int64_t ox = pixel % g.out_x;
    const std::int64_t oy = pixel / g.out_x % g.out_y;
    const std::int64_t n = pixel / g.out_x / g.out_y;
    const std::int64_t first = o / g.group_outputs() * g.group_inputs();
    float sum = 0;
    for (std::int64_t ky = 0; ky < g.kernel_y; ++ky) {
      const std::int64_t iy = g.seen_y(oy, ky);
      if (iy < 0 || iy >= g.in_y) continue;
      for (std::int64_t kx = 0; kx < g.kernel_x; ++kx) {
        const std::int64_t ix = g.seen_x(ox, kx);
        if (ix < 0 || ix >= g.in_x) continue;
        const T* from = x + g.input(n, iy, ix) + first;
        const T* w = weights + g.weight(oy * g.out_x + ox, o, ky, kx);
        for (std::int64_t c = 0; c < g.group_inputs(); ++c) sum += float(from[c]) * float(w[c]);
      }
    }
    y[i] = T(sum);
  }
};

/// The gradient of one input value: gathered from the outputs that see it.
template <class T>
struct InputGradient {
  Convolution g;
  const T* gradient;
  const T* weights;
  T* result;
  CONVOY_HD void operator()(std::int64_t i) const {
    const std::int64_t pixel = i / g.in_channels;
    const std::int64_t c = i - pixel * g.in_channels;
    const std::int64_t ix = pixel % g.in_x;
    const std::int64_t iy = pixel / g.in_x % g.in_y;
    const std::int64_t n = pixel / g.in_x / g.in_y;
    const std::int64_t group = c / g.group_inputs();
    float sum = 0;
    for (std::int64_t ky = 0; ky < g.kernel_y; ++ky) {
      const std::int64_t down = iy + g.padding_y - ky * g.dilation_y;
      if (down < 0 || down % g.stride_y != 0 || down / g.stride_y >= g.out_y) continue;
      for (std::int64_t kx = 0; kx < g.kernel_x; ++kx) {
        const std::int64_t right = ix + g.padding_x - kx * g.dilation_x;
        if (right < 0 || right % g.stride_x != 0 || right / g.stride_x >= g.out_x) continue;
        const std::int64_t oy = down / g.stride_y;
        const std::int64_t ox = right / g.stride_x;
        const T* from = gradient + g.output(n, oy, ox);
        for (std::int64_t o = group * g.group_outputs(); o < (group + 1) * g.group_outputs(); ++o) {
          const std::int64_t w = g.weight(oy * g.out_x + ox, o, ky, kx) + c - group * g.group_inputs();
          sum += float(from[o]) * float(weights[w]);
        }
      }
    }
    result[i] = T(sum);
  }
};

/// The gradient of one weight. Rows of the output are added up apart, so that long sums keep their digits.
template <class T>
struct WeightGradient {
  Convolution g;
  const T* x;
  const T* gradient;
  T* result;

  CONVOY_HD float of(std::int64_t n, std::int64_t oy, std::int64_t ox, std::int64_t iy, std::int64_t kx,
                     std::int64_t o, std::int64_t c) const {
    const std::int64_t ix = g.seen_x(ox, kx);
    if (ix < 0 || ix >= g.in_x) return 0;
    return float(gradient[g.output(n, oy, ox) + o]) * float(x[g.input(n, iy, ix) + c]);
  }

  CONVOY_HD void operator()(std::int64_t i) const {
    const std::int64_t inputs = g.group_inputs();
    const std::int64_t position = i / g.weights();  // 0 unless local
    const std::int64_t here = i - position * g.weights();
    const std::int64_t o = here / (g.kernel_y * g.kernel_x * inputs);
    const std::int64_t ky = here / (g.kernel_x * inputs) % g.kernel_y;
    const std::int64_t kx = here / inputs % g.kernel_x;
    const std::int64_t c = o / g.group_outputs() * inputs + here % inputs;
    const std::int64_t first_y = g.local ? position / g.out_x : 0;
    const std::int64_t first_x = g.local ? position % g.out_x : 0;
    const std::int64_t end_y = g.local ? first_y + 1 : g.out_y;
    const std::int64_t end_x = g.local ? first_x + 1 : g.out_x;
    double sum = 0;
    for (std::int64_t n = 0; n < g.batch; ++n) {
      for (std::int64_t oy = first_y; oy < end_y; ++oy) {
        const std::int64_t iy = g.seen_y(oy, ky);
        if (iy < 0 || iy >= g.in_y) continue;
        float row = 0;
        for (std::int64_t ox = first_x; ox < end_x; ++ox) row += of(n, oy, ox, iy, kx, o, c);
        sum += static_cast<double>(row);
      }
    }
    result[i] = T(static_cast<float>(sum));
  }
};

template <class T>
struct Multiply {
  Product p;
  const T* a;
  const T* b;
  T* c;
  CONVOY_HD void operator()(std::int64_t i) const {
    const std::int64_t row = i / p.n;
    const std::int64_t column = i - row * p.n;
    const std::int64_t a_step = p.turn_a ? p.m : 1;
    const std::int64_t b_step = p.turn_b ? 1 : p.n;
    const T* left = a + (p.turn_a ? row : row * p.k);
    const T* right = b + (p.turn_b ? column * p.k : column);
    float sum = 0;
    for (std::int64_t k = 0; k < p.k; ++k) sum += float(left[k * a_step]) * float(right[k * b_step]);
    c[i] = T(sum);
  }
};

template <class T>
struct AddSampleBias {
  std::int64_t values;
  const float* bias;
  T* y;
  CONVOY_HD void operator()(std::int64_t i) const { y[i] = T(float(y[i]) + bias[i % values]); }
};

template <class T>
struct SumSamples {
  std::int64_t batch, values;
  const T* gradient;
  T* sums;
  CONVOY_HD void operator()(std::int64_t i) const {
    float sum = 0;
    for (std::int64_t n = 0; n < batch; ++n) sum += float(gradient[n * values + i]);
    sums[i] = T(sum);
  }
};

}  // namespace

void convolve(Queue queue, DType type, const ConvolutionGeometry& geometry, const void* x,
              const void* weights, void* y) {
  const Convolution g{geometry};
  with_element(type, [&]<class T>(T) {
    for_each_index(
        queue, g.batch * g.out_y * g.out_x * g.out_channels,
        Forward<T>{g, static_cast<const T*>(x), static_cast<const T*>(weights), static_cast<T*>(y)});
  });
}

void convolve_gradient(Queue queue, DType type, const ConvolutionGeometry& geometry, const void* gradient,
                       const void* weights, void* result) {
  const Convolution g{geometry};
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, g.batch * g.in_y * g.in_x * g.in_channels,
                   InputGradient<T>{g, static_cast<const T*>(gradient), static_cast<const T*>(weights),
                                    static_cast<T*>(result)});
  });
}

void convolve_weights(Queue queue, DType type, const ConvolutionGeometry& geometry, const void* x,
                      const void* gradient, void* result) {
  const Convolution g{geometry};
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, g.weights() * (g.local ? g.out_y * g.out_x : 1),
                   WeightGradient<T>{g, static_cast<const T*>(x), static_cast<const T*>(gradient),
                                     static_cast<T*>(result)});
  });
}

void multiply(Queue queue, DType type, const Product& product, const void* a, const void* b, void* c) {
  with_element(type, [&]<class T>(T) {
    for_each_index(
        queue, product.m * product.n,
        Multiply<T>{product, static_cast<const T*>(a), static_cast<const T*>(b), static_cast<T*>(c)});
  });
}

void add_sample_bias(Queue queue, DType type, std::int64_t batch, std::int64_t values, const float* bias,
                     void* y) {
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, batch * values, AddSampleBias<T>{values, bias, static_cast<T*>(y)});
  });
}

void sum_samples(Queue queue, DType type, std::int64_t batch, std::int64_t values, const void* gradient,
                 void* sums) {
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, values,
                   SumSamples<T>{batch, values, static_cast<const T*>(gradient), static_cast<T*>(sums)});
  });
}

}  // namespace CONVOY_CUDA_NAMESPACE
