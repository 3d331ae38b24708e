#pragma once

#include <cmath>

#include "layers/core/host_device.h"
#include "layers/core/second_label.h"

/// Losses of one sample. Each has
///   forward(scores, classes, label, output): the loss; fills `output` (may be the memory of the scores);
///   gradient(output, of_label): the derivative of the loss by the score whose output is `output`; whether it
///     is the score of the label makes the only difference;
///   of_label(score): what of the loss depends on which class is the label, of the score of that class.
/// Values that are not numbers make the loss one that is none.
namespace convoy {

/// What a loss says of one sample.
struct SampleLoss {
  float loss = 0;
  int rank = 0;  ///< classes that score higher than the label, ties counted against it when of lower index
};

/// SampleLoss::rank; every score that is not a number counts as higher.
CONVOY_HD constexpr int rank_of(const float* scores, int classes, int label) {
  const float of_label = scores[label];
  int rank = 0;
  for (int c = 0; c < classes; ++c)
    rank += scores[c] > of_label || (scores[c] == of_label && c < label) || scores[c] != scores[c] ? 1 : 0;
  return rank;
}

/// Softmax and cross-entropy: -Σ_c t_c · log p_c, where the targets t share `smoothing` evenly among all
/// classes and give the rest to the label (Szegedy et al. 2016; PyTorch's label_smoothing). The output is p.
struct SoftmaxCrossEntropy {
  float smoothing = 0;
  float share = 0;  ///< smoothing / classes

  CONVOY_HD float forward(const float* scores, int classes, int label, float* output) const {
    float top = scores[0];
    for (int c = 1; c < classes; ++c) top = scores[c] > top ? scores[c] : top;
    const float below = top - scores[label];
    float sum = 0;
    float all_below = 0;
    for (int c = 0; c < classes; ++c) {
      all_below += top - scores[c];
      output[c] = std::exp(scores[c] - top);
      sum += output[c];
    }
    const float inverse = 1 / sum;
    for (int c = 0; c < classes; ++c) output[c] *= inverse;
    // Without smoothing the far scores must not count at all: their sum may be infinite.
    if (smoothing == 0) return std::log(sum) + below;
    return std::log(sum) + (1 - smoothing) * below + share * all_below;
  }
  CONVOY_HD constexpr float gradient(float output, bool of_label) const {
    return output - share - (of_label ? 1 - smoothing : 0.F);
  }
  CONVOY_HD constexpr float of_label(float score) const { return (smoothing - 1) * score; }
};

/// Half the squared distance from the one-hot vector of the label: ½ Σ_c (x_c - y_c)², as Caffe's
/// EuclideanLoss. The output is x.
struct HalfSquaredError {
  CONVOY_HD float forward(const float* scores, int classes, int label, float* output) const {
    float sum = 0;
    for (int c = 0; c < classes; ++c) {
      const float off = gradient(scores[c], c == label);
      sum += off * off;
      output[c] = scores[c];
    }
    return sum / 2;
  }
  CONVOY_HD constexpr float gradient(float output, bool of_label) const {
    return output - (of_label ? 1.F : 0.F);
  }
  CONVOY_HD constexpr float of_label(float score) const { return 0.5F - score; }
};

/// One against all others: Σ_c max(0, 1 - s_c · x_c), or of its squares, with s = 1 for the label and -1 for
/// the others, as Caffe's HingeLoss (squared: Tang 2013). The output is x.
struct OneVersusAllHinge {
  bool squared = false;

  CONVOY_HD constexpr float margin(float score, bool of_label) const {
    const float m = 1 + (of_label ? -score : score);
    return m <= 0 ? 0.F : m;
  }
  CONVOY_HD float forward(const float* scores, int classes, int label, float* output) const {
    float sum = 0;
    for (int c = 0; c < classes; ++c) {
      const float m = margin(scores[c], c == label);
      sum += squared ? m * m : m;
      output[c] = scores[c];
    }
    return sum;
  }
  CONVOY_HD constexpr float gradient(float output, bool of_label) const {
    const float m = margin(output, of_label);
    const float slope = squared ? 2 * m : (m == 0 ? 0.F : 1.F);
    return of_label ? -slope : slope;
  }
  CONVOY_HD constexpr float of_label(float score) const {
    const float as_label = margin(score, true);
    const float as_other = margin(score, false);
    return squared ? as_label * as_label - as_other * as_other : as_label - as_other;
  }
};

/// Every class a question of its own: Σ_c log(1 + exp(x_c)) - y_c · x_c against the one-hot vector y of the
/// label. The output is the sigmoid of x.
struct SigmoidCrossEntropyOfScores {
  CONVOY_HD float forward(const float* scores, int classes, int label, float* output) const {
    float sum = 0;
    for (int c = 0; c < classes; ++c) {
      const float x = scores[c];
      const float small = std::exp(-std::fabs(x));  // never overflows
      sum += (x > 0 ? x : 0.F) - (c == label ? x : 0.F) + std::log1p(small);
      output[c] = (x >= 0 ? 1.F : small) / (1 + small);
    }
    return sum;
  }
  CONVOY_HD constexpr float gradient(float output, bool of_label) const {
    return output - (of_label ? 1.F : 0.F);
  }
  CONVOY_HD constexpr float of_label(float score) const { return -score; }
};

/// Arithmetic::forward of a sample that has a second label; null: it has none.
template <class Arithmetic>
CONVOY_HD float mixed_loss(const Arithmetic& arithmetic, const float* scores, int classes, int label,
                           const SecondLabel* second, float* output) {
  if (second == nullptr || second->share == 0) return arithmetic.forward(scores, classes, label, output);
  // Before the output takes the place of the scores.
  const float change = arithmetic.of_label(scores[second->label]) - arithmetic.of_label(scores[label]);
  return arithmetic.forward(scores, classes, label, output) + second->share * change;
}

/// Arithmetic::gradient of the score of class `c`, likewise.
template <class Arithmetic>
CONVOY_HD float mixed_gradient(const Arithmetic& arithmetic, float output, int c, int label,
                               const SecondLabel* second) {
  const float own = arithmetic.gradient(output, c == label);
  if (second == nullptr || second->share == 0) return own;
  return own + second->share * (arithmetic.gradient(output, c == second->label) - own);
}

/// A loss of scores at several positions, each position a row of `classes`: the mean of the rows' losses, and
/// the rank of the label by the mean of their outputs. `sums` has room for one value a class.
template <class Arithmetic>
CONVOY_HD SampleLoss loss_of_map(const Arithmetic& arithmetic, const float* scores, int positions,
                                 int classes, int label, const SecondLabel* second, float* output,
                                 float* sums) {
  double loss = 0;
  for (int c = 0; c < classes; ++c) sums[c] = 0;
  for (int p = 0; p < positions; ++p) {
    float* row = output + static_cast<long>(p) * classes;
    loss += static_cast<double>(
        mixed_loss(arithmetic, scores + static_cast<long>(p) * classes, classes, label, second, row));
    for (int c = 0; c < classes; ++c) sums[c] += row[c];
  }
  return {static_cast<float>(loss / positions), rank_of(sums, classes, label)};
}

}  // namespace convoy
