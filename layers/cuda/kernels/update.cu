#include "layers/cuda/kernels/update.h"

#include "layers/cuda/kernels/launch.h"
#include "layers/graph/arithmetic.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

template <class G>
struct Sgd {
  SgdStep step;
  CONVOY_HD void operator()(std::int64_t i) const {
    float weight = step.weights[i];
    float velocity = step.momentum == nullptr ? 0.F : step.momentum[i];
    const bool has_momentum = step.momentum != nullptr;
    const float gradient = float(static_cast<const G*>(step.gradients)[i]) * step.values->gradient_scale;
    sgd_step(weight, velocity, gradient, step.values->learning_rate * step.rate, step.decay,
             has_momentum ? step.momentum_factor : 0.F, has_momentum && step.nesterov);
    step.weights[i] = weight;
    if (has_momentum) step.momentum[i] = velocity;
    if (step.half == nullptr) return;
    if (step.half_type == DType::f16) {
      static_cast<Float16*>(step.half)[i] = Float16(weight);
    } else {
      static_cast<BFloat16*>(step.half)[i] = BFloat16(weight);
    }
  }
};

struct SetStepValues {
  StepValues values;
  StepValues* memory;
  CONVOY_HD void operator()(std::int64_t) const { *memory = values; }
};

struct Follow {
  float momentum;
  float* running;
  const float* statistic;
  CONVOY_HD void operator()(std::int64_t i) const {
    running[i] = (1 - momentum) * running[i] + momentum * statistic[i];
  }
};

template <class T>
struct Squares {
  std::int64_t count;
  const T* values;
  double* sums;
  CONVOY_HD void operator()(std::int64_t i) const {
    double sum = 0;
    for (std::int64_t at = i; at < count; at += kSquareSums) {
      const double value = float(values[at]);
      sum += value * value;
    }
    sums[i] = sum;
  }
};

/// Halves the number of sums.
struct Fold {
  std::int64_t half;
  double* sums;
  CONVOY_HD void operator()(std::int64_t i) const { sums[i] += sums[i + half]; }
};

template <class T>
struct FindNotFinite {
  const T* values;
  std::int32_t* flag;
  CONVOY_HD void operator()(std::int64_t i) const {
    const float value = values[i];
    if (!(value - value == 0)) *flag = 1;  // whoever writes writes the same
  }
};

}  // namespace

void sgd(Queue queue, const SgdStep& step) {
  if (step.half != nullptr && step.half_type != DType::f16 && step.half_type != DType::bf16)
    refuse_type(step.half_type);
  with_element(step.gradient_type, [&]<class G>(G) { for_each_index(queue, step.count, Sgd<G>{step}); });
}

void set_step_values(Queue queue, const StepValues& values, StepValues* memory) {
  for_each_index(queue, 1, SetStepValues{values, memory});
}

void follow(Queue queue, std::int64_t count, float momentum, float* running, const float* statistic) {
  for_each_index(queue, count, Follow{momentum, running, statistic});
}

void sum_of_squares(Queue queue, DType type, std::int64_t count, const void* values, double* sums) {
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, kSquareSums, Squares<T>{count, static_cast<const T*>(values), sums});
  });
  for (std::int64_t half = kSquareSums / 2; half > 0; half /= 2)
    for_each_index(queue, half, Fold{half, sums});
}

void find_not_finite(Queue queue, DType type, std::int64_t count, const void* values, std::int32_t* flag) {
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, count, FindNotFinite<T>{static_cast<const T*>(values), flag});
  });
}

}  // namespace CONVOY_CUDA_NAMESPACE
