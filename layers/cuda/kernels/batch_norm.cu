#include "layers/cuda/kernels/batch_norm.h"

#include "layers/cuda/kernels/map_values.h"
#include "layers/graph/arithmetic/batch_norm.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

/// Sums of x and of its squares, both less the channel's first value: so that squares do not drown the
/// variance.
template <class T>
struct Moments {
  std::int64_t channels;
  const T* x;
  CONVOY_HD void operator()(std::int64_t row, std::int64_t c, float* sums) const {
    const float value = float(x[row * channels + c]) - float(x[c]);
    sums[0] += value;
    sums[1] += value * value;
  }
};

/// What Moments leaves, with the first value put back.
struct Sums {
  double sum, squares;
};
template <class T>
CONVOY_HD Sums sums_of(const T* x, const float* parts, std::int64_t rows, std::int64_t channels,
                       std::int64_t c) {
  const std::int64_t count = parts_of(rows, channels);
  const double first = float(x[c]);
  const double sum = sum_of_parts(parts, count, 2, 0, channels, c);
  const double squares = sum_of_parts(parts, count, 2, 1, channels, c);
  const auto n = static_cast<double>(rows);
  return {sum + n * first, squares + first * (2 * sum + n * first)};
}

template <class T>
struct FinishMoments {
  Rows rows;
  double epsilon;
  const T* x;
  const float* parts;
  float* mean;
  float* inverse;
  CONVOY_HD void operator()(std::int64_t c) const {
    const std::int64_t count = parts_of(rows.rows, rows.channels);
    // Around the first value, where the digits are.
    const ChannelMoments around = channel_moments(sum_of_parts(parts, count, 2, 0, rows.channels, c),
                                                  sum_of_parts(parts, count, 2, 1, rows.channels, c),
                                                  static_cast<double>(rows.rows), epsilon);
    mean[c] = static_cast<float>(around.mean + static_cast<double>(float(x[c])));
    inverse[c] = static_cast<float>(around.inverse_deviation);
  }
};

CONVOY_HD float rectified(float x, bool relu) { return relu && x <= 0 ? 0.F : x; }

struct Normalize {
  const float* mean;
  const float* inverse;
  const float* scale;
  const float* shift;
  bool relu;
  CONVOY_HD float operator()(std::int64_t c, const float (&x)[1]) const {
    return rectified(normalize(x[0], mean[c], scale[c] * inverse[c], shift[c]), relu);
  }
};

struct NormalizeByVariance {
  float epsilon;
  const float* mean;
  const float* variance;
  const float* scale;
  const float* shift;
  bool relu;
  CONVOY_HD float operator()(std::int64_t c, const float (&x)[1]) const {
    const float factor = scale[c] / std::sqrt(variance[c] + epsilon);
    return rectified(normalize(x[0], mean[c], factor, shift[c]), relu);
  }
};

struct AddStatistics {
  double epsilon, unbias;
  float share;
  bool first;
  const float* mean;
  const float* inverse;
  float* mean_sum;
  float* variance_sum;
  CONVOY_HD void operator()(std::int64_t c) const {
    const double deviation = 1 / static_cast<double>(inverse[c]);
    const double variance = deviation * deviation - epsilon;
    mean_sum[c] = (first ? 0.F : mean_sum[c]) + share * mean[c];
    variance_sum[c] =
        (first ? 0.F : variance_sum[c]) + share * static_cast<float>(unbias * (variance > 0 ? variance : 0));
  }
};

/// The gradient behind the ReLU, whose sign is found as forward found it.
CONVOY_HD float gradient_behind(const BatchNormGradient& from, float gradient, float x, std::int64_t c) {
  if (!from.relu) return gradient;
  return normalize(x, from.mean[c], from.scale[c] * from.inverse[c], from.shift[c]) <= 0 ? 0.F : gradient;
}

template <class T>
struct GradientSums {
  std::int64_t channels;
  BatchNormGradient from;
  CONVOY_HD void operator()(std::int64_t row, std::int64_t c, float* sums) const {
    const std::int64_t i = row * channels + c;
    const float x = static_cast<const T*>(from.x)[i];
    const float gradient = gradient_behind(from, static_cast<const T*>(from.gradient)[i], x, c);
    sums[0] += gradient;
    sums[1] += gradient * (x - from.mean[c]);
  }
};

template <class T>
struct FinishGradients {
  Rows rows;
  BatchNormGradient from;
  const float* parts;
  float* slope;
  float* offset;
  T* scale_gradient;
  T* shift_gradient;
  CONVOY_HD void operator()(std::int64_t c) const {
    const std::int64_t count = parts_of(rows.rows, rows.channels);
    const double inverse = from.inverse[c];
    const double gradients = sum_of_parts(parts, count, 2, 0, rows.channels, c);
    const double products = sum_of_parts(parts, count, 2, 1, rows.channels, c) * inverse;
    const NormGradient g = norm_gradient({from.mean[c], 0, inverse}, from.scale[c], gradients, products,
                                         static_cast<double>(rows.rows));
    slope[c] = g.slope;
    offset[c] = g.offset;
    scale_gradient[c] = T(static_cast<float>(products));
    shift_gradient[c] = T(static_cast<float>(gradients));
  }
};

/// From the output's gradient and the input.
struct InputGradient {
  BatchNormGradient from;
  const float* slope;
  const float* offset;
  CONVOY_HD float operator()(std::int64_t c, const float (&given)[2]) const {
    return from.scale[c] * from.inverse[c] * gradient_behind(from, given[0], given[1], c) +
           slope[c] * (given[1] - from.mean[c]) + offset[c];
  }
};

template <class T>
struct ShareMoments {
  Rows rows;
  const T* x;
  const float* parts;
  double* sums;
  CONVOY_HD void operator()(std::int64_t c) const {
    const Sums found = sums_of(x, parts, rows.rows, rows.channels, c);
    sums[c] = found.sum;
    sums[rows.channels + c] = found.squares;
    if (c == 0) sums[2 * rows.channels] = static_cast<double>(rows.rows);
  }
};

CONVOY_HD ChannelMoments moments_of(const double* sums, std::int64_t channels, std::int64_t c,
                                    double epsilon) {
  return channel_moments(sums[c], sums[channels + c], sums[2 * channels], epsilon);
}

struct MomentsOfSums {
  std::int64_t channels;
  double epsilon;
  const double* sums;
  float* mean;
  float* inverse;
  CONVOY_HD void operator()(std::int64_t c) const {
    const ChannelMoments m = moments_of(sums, channels, c, epsilon);
    mean[c] = static_cast<float>(m.mean);
    if (inverse != nullptr) inverse[c] = static_cast<float>(m.inverse_deviation);
  }
};

struct AddSharedStatistics {
  std::int64_t channels;
  double epsilon;
  const double* sums;
  float share;
  bool first;
  float* mean_sum;
  float* variance_sum;
  CONVOY_HD void operator()(std::int64_t c) const {
    const double count = sums[2 * channels];
    const double unbias = count / (count > 2 ? count - 1 : 1.0);
    const ChannelMoments m = moments_of(sums, channels, c, epsilon);
    mean_sum[c] = (first ? 0.F : mean_sum[c]) + share * static_cast<float>(m.mean);
    variance_sum[c] = (first ? 0.F : variance_sum[c]) + share * static_cast<float>(unbias * m.variance);
  }
};

template <class T>
struct FinishSharedGradients {
  Rows rows;
  double epsilon;
  const double* sums;
  const float* parts;
  double* gradient_sums;
  T* scale_gradient;
  T* shift_gradient;
  CONVOY_HD void operator()(std::int64_t c) const {
    const std::int64_t count = parts_of(rows.rows, rows.channels);
    const double inverse = moments_of(sums, rows.channels, c, epsilon).inverse_deviation;
    const double gradients = sum_of_parts(parts, count, 2, 0, rows.channels, c);
    const double products = sum_of_parts(parts, count, 2, 1, rows.channels, c) * inverse;
    gradient_sums[c] = gradients;
    gradient_sums[rows.channels + c] = products;
    scale_gradient[c] = T(static_cast<float>(products));
    shift_gradient[c] = T(static_cast<float>(gradients));
  }
};

struct SharedFactors {
  std::int64_t channels;
  double epsilon;
  const double* sums;
  const double* gradient_sums;
  const float* scale;
  float* mean;
  float* direct;
  float* slope;
  float* offset;
  CONVOY_HD void operator()(std::int64_t c) const {
    const ChannelMoments m = moments_of(sums, channels, c, epsilon);
    const NormGradient g =
        norm_gradient(m, scale[c], gradient_sums[c], gradient_sums[channels + c], sums[2 * channels]);
    mean[c] = static_cast<float>(m.mean);
    direct[c] = g.direct;
    slope[c] = g.slope;
    offset[c] = g.offset;
  }
};

struct SharedInputGradient {
  const float* mean;
  const float* direct;
  const float* slope;
  const float* offset;
  CONVOY_HD float operator()(std::int64_t c, const float (&given)[2]) const {
    return direct[c] * given[0] + slope[c] * (given[1] - mean[c]) + offset[c];
  }
};

}  // namespace

void batch_moments(Queue queue, DType type, Rows rows, double epsilon, const void* x, float* parts,
                   float* mean, float* inverse) {
  with_element(type, [&]<class T>(T) {
    const auto* from = static_cast<const T*>(x);
    sum_rows<2>(queue, rows.rows, rows.channels, parts, Moments<T>{rows.channels, from});
    for_each_index(queue, rows.channels, FinishMoments<T>{rows, epsilon, from, parts, mean, inverse});
  });
}

void normalize_rows(Queue queue, DType type, Rows rows, const void* x, const float* mean,
                    const float* inverse, const float* scale, const float* shift, bool relu, void* y) {
  with_element(type, [&]<class T>(T) {
    map_values<T, 1>(queue, rows.rows * rows.channels, rows.channels, {x}, y,
                     Normalize{mean, inverse, scale, shift, relu});
  });
}

void normalize_by_variance(Queue queue, DType type, Rows rows, double epsilon, const void* x,
                           const float* mean, const float* variance, const float* scale, const float* shift,
                           bool relu, void* y) {
  with_element(type, [&]<class T>(T) {
    map_values<T, 1>(queue, rows.rows * rows.channels, rows.channels, {x}, y,
                     NormalizeByVariance{static_cast<float>(epsilon), mean, variance, scale, shift, relu});
  });
}

void add_statistics(Queue queue, Rows rows, double epsilon, const float* mean, const float* inverse,
                    float share, bool first, float* mean_sum, float* variance_sum) {
  const auto values = static_cast<double>(rows.rows);
  for_each_index(queue, rows.channels,
                 AddStatistics{epsilon, values / (values > 2 ? values - 1 : 1.0), share, first, mean, inverse,
                               mean_sum, variance_sum});
}

void batch_norm_gradient(Queue queue, DType type, Rows rows, const BatchNormGradient& from, float* parts,
                         float* sums[2], void* scale_gradient, void* shift_gradient, void* result) {
  with_element(type, [&]<class T>(T) {
    sum_rows<2>(queue, rows.rows, rows.channels, parts, GradientSums<T>{rows.channels, from});
    for_each_index(queue, rows.channels,
                   FinishGradients<T>{rows, from, parts, sums[0], sums[1], static_cast<T*>(scale_gradient),
                                      static_cast<T*>(shift_gradient)});
    if (result == nullptr) return;
    map_values<T, 2>(queue, rows.rows * rows.channels, rows.channels, {from.gradient, from.x}, result,
                     InputGradient{from, sums[0], sums[1]});
  });
}

void shared_moments(Queue queue, DType type, Rows rows, const void* x, float* parts, double* sums) {
  with_element(type, [&]<class T>(T) {
    const auto* from = static_cast<const T*>(x);
    sum_rows<2>(queue, rows.rows, rows.channels, parts, Moments<T>{rows.channels, from});
    for_each_index(queue, rows.channels, ShareMoments<T>{rows, from, parts, sums});
  });
}

void moments_of_sums(Queue queue, std::int64_t channels, double epsilon, const double* sums, float* mean,
                     float* inverse) {
  for_each_index(queue, channels, MomentsOfSums{channels, epsilon, sums, mean, inverse});
}

void add_shared_statistics(Queue queue, std::int64_t channels, double epsilon, const double* sums,
                           float share, bool first, float* mean_sum, float* variance_sum) {
  for_each_index(queue, channels,
                 AddSharedStatistics{channels, epsilon, sums, share, first, mean_sum, variance_sum});
}

void shared_gradient_moments(Queue queue, DType type, Rows rows, double epsilon, const void* gradient,
                             const void* x, const double* sums, float* parts, float* mean,
                             double* gradient_sums, void* scale_gradient, void* shift_gradient) {
  moments_of_sums(queue, rows.channels, epsilon, sums, mean, nullptr);
  with_element(type, [&]<class T>(T) {
    sum_rows<2>(queue, rows.rows, rows.channels, parts,
                GradientSums<T>{rows.channels, {gradient, x, mean, nullptr, nullptr, nullptr, false}});
    for_each_index(
        queue, rows.channels,
        FinishSharedGradients<T>{rows, epsilon, sums, parts, gradient_sums, static_cast<T*>(scale_gradient),
                                 static_cast<T*>(shift_gradient)});
  });
}

void shared_gradient(Queue queue, DType type, Rows rows, double epsilon, const void* gradient, const void* x,
                     const double* sums, const double* gradient_sums, const float* scale, float* vectors[4],
                     void* result) {
  for_each_index(queue, rows.channels,
                 SharedFactors{rows.channels, epsilon, sums, gradient_sums, scale, vectors[0], vectors[1],
                               vectors[2], vectors[3]});
  with_element(type, [&]<class T>(T) {
    map_values<T, 2>(queue, rows.rows * rows.channels, rows.channels, {gradient, x}, result,
                     SharedInputGradient{vectors[0], vectors[1], vectors[2], vectors[3]});
  });
}

}  // namespace CONVOY_CUDA_NAMESPACE
