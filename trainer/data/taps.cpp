#include <algorithm>
#include <cmath>

#include "trainer/data/resample.h"

namespace convoy {
namespace {

constexpr int kOne = 65536;

/// Weight of input pixel `x` for an output pixel that covers [low, low + scale).
double weight_of(Filter filter, double x, double low, double scale, double support) {
  if (filter == Filter::area) return std::min(x + 1, low + scale) - std::max(x, low);
  return 1 - std::abs(x + 0.5 - (low + scale / 2)) / support;
}

/// Rounds weights to whole 1/65536 that add up to 1; what rounding leaves over goes to the largest.
void put_rounded(const std::vector<double>& weights, double sum, float* out) {
  int left = kOne;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto whole = static_cast<int>(std::lround(weights[i] / sum * kOne));
    out[i] = static_cast<float>(whole);
    left -= whole;
    if (weights[i] > weights[largest]) largest = i;
  }
  out[largest] += static_cast<float>(left);
}

}  // namespace

void find_taps(Filter filter, double start, double length, int least, int most, int outputs, Taps& taps) {
  const double scale = length / outputs;
  if (scale <= 1) filter = Filter::bilinear;
  const double support = filter == Filter::area ? scale / 2 : std::max(scale, 1.0);
  taps.count = std::min(static_cast<int>(std::ceil(support)) * 2 + 1, most - least);
  const auto count = static_cast<std::size_t>(taps.count);
  taps.first.assign(static_cast<std::size_t>(outputs), 0);
  taps.weights.assign(static_cast<std::size_t>(outputs) * count, 0.F);
  std::vector<double>& weights = taps.exact;
  for (int i = 0; i < outputs; ++i) {
    const double low = start + i * scale;
    const double centre = low + scale / 2;
    // Pillow takes the pixels whose centres are inside; the area's outermost pixels may be covered in part.
    const double reach = filter == Filter::area ? 0 : 0.5;
    int first = std::max(static_cast<int>(std::floor(centre - support + reach)), least);
    int last = filter == Filter::area ? static_cast<int>(std::ceil(centre + support))
                                      : static_cast<int>(std::floor(centre + support + reach));
    first = std::min(first, most - 1);
    last = std::clamp(last, first + 1, std::min(most, first + taps.count));
    weights.clear();
    double sum = 0;
    for (int x = first; x < last; ++x) {
      weights.push_back(std::max(weight_of(filter, x, low, scale, support), 0.0));
      sum += weights.back();
    }
    if (sum <= 0) {
      weights.assign(1, 1.0);
      sum = 1;
    }
    // All have `count` weights: a window at the far end starts earlier and has zeros in front.
    const int begin = std::min(first, most - taps.count);
    taps.first[static_cast<std::size_t>(i)] = begin;
    put_rounded(
        weights, sum,
        taps.weights.data() + static_cast<std::size_t>(i) * count + static_cast<std::size_t>(first - begin));
  }
}

}  // namespace convoy
