#pragma once

#include <cstdint>

#include "layers/core/dtype.h"
#include "layers/cuda/kernels/queue.h"

/// Batch normalization of rows of channels (the pixels of all samples). `parts` is scratch of sum_rows for
/// two quantities; means, deviations, parameters and their sums are fp32, a value a channel.
namespace CONVOY_CUDA_NAMESPACE {

struct Rows {
  std::int64_t rows = 0;
  std::int64_t channels = 0;
};

/// Mean and 1 / standard deviation of each channel of x.
void batch_moments(Queue queue, DType type, Rows rows, double epsilon, const void* x, float* parts,
                   float* mean, float* inverse);
/// y = (x - mean) · scale · inverse + shift, and a ReLU if asked for.
void normalize_rows(Queue queue, DType type, Rows rows, const void* x, const float* mean,
                    const float* inverse, const float* scale, const float* shift, bool relu, void* y);
/// The same with running statistics.
void normalize_by_variance(Queue queue, DType type, Rows rows, double epsilon, const void* x,
                           const float* mean, const float* variance, const float* scale, const float* shift,
                           bool relu, void* y);
/// sum = (first ? 0 : sum) + share · (mean, unbiased variance).
void add_statistics(Queue queue, Rows rows, double epsilon, const float* mean, const float* inverse,
                    float share, bool first, float* mean_sum, float* variance_sum);

/// What backward takes of forward. `shift` does not count without the ReLU.
struct BatchNormGradient {
  const void* gradient = nullptr;
  const void* x = nullptr;
  const float* mean = nullptr;
  const float* inverse = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;
  bool relu = false;
};
/// Gradients of scale and shift, of `type`, and of x where `result` is not null, over the gradient if it lies
/// there. `sums` are two vectors of scratch.
void batch_norm_gradient(Queue queue, DType type, Rows rows, const BatchNormGradient& from, float* parts,
                         float* sums[2], void* scale_gradient, void* shift_gradient, void* result);

// The same from sums over several ranks, in fp64: a sum and a sum of squares for each channel, and the number
// of rows.

void shared_moments(Queue queue, DType type, Rows rows, const void* x, float* parts, double* sums);
/// Mean and 1 / deviation from such sums.
void moments_of_sums(Queue queue, std::int64_t channels, double epsilon, const double* sums, float* mean,
                     float* inverse);
void add_shared_statistics(Queue queue, std::int64_t channels, double epsilon, const double* sums,
                           float share, bool first, float* mean_sum, float* variance_sum);
/// Sums of the gradient and of its products with normalized x; of this rank, they are the gradients of the
/// parameters.
void shared_gradient_moments(Queue queue, DType type, Rows rows, double epsilon, const void* gradient,
                             const void* x, const double* sums, float* parts, float* mean,
                             double* gradient_sums, void* scale_gradient, void* shift_gradient);
/// `vectors` are four of scratch.
void shared_gradient(Queue queue, DType type, Rows rows, double epsilon, const void* gradient, const void* x,
                     const double* sums, const double* gradient_sums, const float* scale, float* vectors[4],
                     void* result);

}  // namespace CONVOY_CUDA_NAMESPACE
