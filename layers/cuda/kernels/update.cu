#include "layers/cuda/kernels/update.h"

#include "layers/cuda/kernels/launch.h"
#include "layers/graph/arithmetic.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

template <class G>
struct Sgd {
  SgdStep step;
  CONVOY_HD void operator()(std::int64_t i) const {
    if (skips_update(step.state)) return;
    float weight = step.weights[i];
    float velocity = step.momentum == nullptr ? 0.F : step.momentum[i];
    const bool has_momentum = step.momentum != nullptr;
    const float gradient = float(static_cast<const G*>(step.gradients)[i]) * gradient_scale_of(step.state);
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
  const UpdateState* state;
  CONVOY_HD void operator()(std::int64_t i) const {
    if (skips_update(state)) return;
    running[i] = (1 - momentum) * running[i] + momentum * statistic[i];
  }
};

/// `sum` with value(at) for first, first + step and so on below `end`, in that order. Several are on their
/// way at a time.
template <class Value>
CONVOY_HD double add_each(double sum, std::int64_t first, std::int64_t end, std::int64_t step,
                          const Value& value) {
  constexpr int kBeside = 8;
  std::int64_t at = first;
  for (; at + (kBeside - 1) * step < end; at += kBeside * step) {
    double values[kBeside];
    for (int i = 0; i < kBeside; ++i) values[i] = value(at + i * step);
    for (int i = 0; i < kBeside; ++i) sum += values[i];
  }
  for (; at < end; at += step) sum += value(at);
  return sum;
}

/// Every parts-th value, so that threads side by side read values side by side.
template <class T>
struct Squares {
  std::int64_t count, parts;
  const T* values;
  bool adds;
  double* sums;
  CONVOY_HD void operator()(std::int64_t i) const {
    sums[i] = add_each(adds ? sums[i] : 0, i, count, parts, [from = values](std::int64_t at) {
      const double value = float(from[at]);
      return value * value;
    });
  }
};

/// Leaves the first `left` of `count` sums.
struct Fold {
  std::int64_t count, left;
  const double* from;
  double* to;
  CONVOY_HD void operator()(std::int64_t i) const {
    to[i] = add_each(0, i, count, left, [sums = from](std::int64_t at) { return sums[at]; });
  }
};

struct Decide {
  UpdateRule rule;
  const double* squares;
  const StepValues* values;
  UpdateState* state;
  CONVOY_HD void operator()(std::int64_t) const {
    decide_update(rule, *squares, static_cast<std::int64_t>(values->iteration), *state);
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

void follow(Queue queue, std::int64_t count, float momentum, float* running, const float* statistic,
            const UpdateState* state) {
  for_each_index(queue, count, Follow{momentum, running, statistic, state});
}

void add_squares(Queue queue, DType type, std::int64_t count, const void* values, bool adds,
                 std::int64_t parts, double* sums) {
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, parts, Squares<T>{count, parts, static_cast<const T*>(values), adds, sums});
  });
}

void add_parts(Queue queue, std::int64_t parts, double* sums, double* sum) {
  constexpr std::int64_t kAtATime = 64;
  for (; parts > kAtATime; parts = (parts + kAtATime - 1) / kAtATime) {
    // A thread writes where it alone has read.
    const std::int64_t left = (parts + kAtATime - 1) / kAtATime;
    for_each_index(queue, left, Fold{parts, left, sums, sums});
  }
  for_each_index(queue, 1, Fold{parts, 1, sums, sum});
}

void decide(Queue queue, const UpdateRule& rule, const double* squares, const StepValues* values,
            UpdateState* state) {
  for_each_index(queue, 1, Decide{rule, squares, values, state});
}

}  // namespace CONVOY_CUDA_NAMESPACE
