#include <algorithm>

#include "layers/cpu/channel_view.h"
#include "layers/cpu/element.h"
#include "layers/cpu/lower.h"
#include "layers/cpu/lrn_strip.h"
#include "layers/cpu/simd.h"
#include "layers/graph/arithmetic/lrn.h"

namespace convoy::cpu {
namespace {

/// to[i] = scale · Σ from[i + d · step] + start for d from -reach to reach.
template <int reach>
CONVOY_SIMD void window_sum(float* __restrict to, const float* __restrict from, std::int64_t count,
                            std::int64_t step, float scale, float start) {
  for (std::int64_t i = 0; i < count; ++i) {
    float sum = from[i];
    for (int d = 1; d <= reach; ++d) sum += from[i - d * step] + from[i + d * step];
    to[i] = scale * sum + start;
  }
}

CONVOY_SIMD void any_window_sum(float* __restrict to, const float* __restrict from, std::int64_t count,
                                std::int64_t step, std::int64_t reach, float scale, float start) {
  std::copy_n(from, count, to);
  for (std::int64_t d = 1; d <= reach; ++d) {
    for (std::int64_t i = 0; i < count; ++i) to[i] += from[i - d * step] + from[i + d * step];
  }
  for (std::int64_t i = 0; i < count; ++i) to[i] = scale * to[i] + start;
}

void sum_windows(float* to, const float* from, std::int64_t count, std::int64_t step, std::int64_t reach,
                 float scale, float start) {
  if (reach == 1) return window_sum<1>(to, from, count, step, scale, start);
  if (reach == 2) return window_sum<2>(to, from, count, step, scale, start);
  if (reach == 3) return window_sum<3>(to, from, count, step, scale, start);
  any_window_sum(to, from, count, step, reach, scale, start);
}

template <int quarters>
CONVOY_SIMD void quarter_powers(float* __restrict to, const float* __restrict s, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = inverse_power<quarters>(s[i]);
}

void inverse_powers(float* to, const float* s, std::int64_t count, float beta) {
  if (beta == 0.75F) return quarter_powers<3>(to, s, count);
  if (beta == 0.5F) return quarter_powers<2>(to, s, count);
  if (beta == 0.25F) return quarter_powers<1>(to, s, count);
  if (beta == 1) return quarter_powers<4>(to, s, count);
  for (std::int64_t i = 0; i < count; ++i) to[i] = inverse_power(s[i], beta);
}

CONVOY_SIMD void multiply(float* __restrict to, const float* a, const float* b, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = a[i] * b[i];
}

CONVOY_SIMD void shares(float* __restrict to, const float* x, const float* gradient, const float* s,
                        const float* power, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = lrn_share(x[i], gradient[i], s[i], power[i]);
}

/// The sums become the gradients.
CONVOY_SIMD void gradients(float* __restrict sum, const float* x, const float* gradient, const float* power,
                           float factor, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sum[i] = lrn_gradient(x[i], gradient[i], power[i], factor, sum[i]);
}

/// Local response normalization over strips of fp32 copies (lrn_strip.h). Backward computes the sums of
/// squares again: they cost less than the memory to keep them.
class LrnByStrips : public CpuLayer {
 public:
  LrnByStrips(const Lrn& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine), op_(op) {
    const Shape shape = site.inputs[0];
    const Layout layout = accept_image(engine, inputs[0], shape, site.batch, site.type);
    strips_ = LrnStrips(op, *channel_view(engine.desc(layout), shape, site.batch), shape.width);
    const bool gradient = gives_input_gradient();
    const std::int64_t slices = std::min(kSlices, strips_.tasks());
    spec_.passes.push_back({PassKind::forward,
                            {{Role::input, 0, layout}},
                            {{Role::output, 0, layout}},
                            kForwardBuffers * slices * strips_.most_floats() * 4,
                            !gradient});
    if (!gradient) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, layout}, {Role::input, 0, layout}},
                            {{Role::input_gradient, 0, layout}},
                            kBackwardBuffers * slices * strips_.most_floats() * 4,
                            true});
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    auto* floats = static_cast<float*>(scratch);
    return with_element(site_.type, [&]<class T>(T) -> std::unique_ptr<Kernel> {
      const auto* first = static_cast<const T*>(reads[0]);
      auto* to = static_cast<T*>(writes[0]);
      if (pass == 0) {
        return make_kernel([=, this](const StepContext&) {
          for_strips(kForwardBuffers, floats,
                     [&](const LrnStrip& strip, float* buffers) { forward(strip, first, to, buffers); });
        });
      }
      const auto* x = static_cast<const T*>(reads[1]);
      return make_kernel([=, this](const StepContext&) {
        for_strips(kBackwardBuffers, floats,
                   [&](const LrnStrip& strip, float* buffers) { backward(strip, first, x, to, buffers); });
      });
    });
  }

 private:
  // The strips fall into as many slices, each with buffers of its own, whatever the number of threads.
  static constexpr std::int64_t kSlices = 64;
  static constexpr std::int64_t kForwardBuffers = 3;
  static constexpr std::int64_t kBackwardBuffers = 5;

  template <class Body>
  void for_strips(std::int64_t count, float* scratch, Body&& body) const {
    const std::int64_t tasks = strips_.tasks();
    const std::int64_t slices = std::min(kSlices, tasks);
#pragma omp parallel for schedule(static)
    for (std::int64_t slice = 0; slice < slices; ++slice) {
      float* buffers = scratch + slice * count * strips_.most_floats();
      for (std::int64_t task = slice * tasks / slices; task < (slice + 1) * tasks / slices; ++task) {
        body(strips_.strip(task), buffers);
      }
    }
  }

  /// `sums` = scale · (sums over each value's window of `values`) + start, in the strip's body. `values` has
  /// zeros around the body; `between` is a buffer for the sums along the first of two axes; the sums may then
  /// take the place of the values.
  void window_sums(const LrnStrip& strip, float* sums, const float* values, float* between, float scale,
                   float start) const {
    const std::int64_t reach = op_.size / 2;
    if (strip.steps[1] == 0) {
      sum_windows(sums + strip.lead, values + strip.lead, strip.body, strip.steps[0], reach, scale, start);
      return;
    }
    strip.clear_ends(between);
    sum_windows(between + strip.lead, values + strip.lead, strip.body, strip.steps[0], reach, 1, 0);
    sum_windows(sums + strip.lead, between + strip.lead, strip.body, strip.steps[1], reach, scale, start);
  }

  float alpha() const {
    const double n = static_cast<double>(op_.region == Lrn::Region::across ? op_.size : op_.size * op_.size);
    return static_cast<float>(op_.alpha / n);
  }

  template <class T>
  void forward(const LrnStrip& strip, const T* from, T* to, float* buffers) const {
    const std::int64_t all = strips_.most_floats();
    float* x = buffers;
    float* a = buffers + all;
    float* b = buffers + 2 * all;
    strip.gather(from, x);
    multiply(a, x, x, strip.floats());
    const auto k = static_cast<float>(op_.k);
    float* sums = strip.steps[1] == 0 ? b : a;
    window_sums(strip, sums, a, b, alpha(), k);
    float* power = sums == a ? b : a;
    inverse_powers(power + strip.lead, sums + strip.lead, strip.body, static_cast<float>(op_.beta));
    multiply(sums + strip.lead, x + strip.lead, power + strip.lead, strip.body);
    strip.scatter(sums, to);
  }

  template <class T>
  void backward(const LrnStrip& strip, const T* gradient, const T* input, T* to, float* buffers) const {
    const std::int64_t all = strips_.most_floats();
    float* x = buffers;
    float* dy = buffers + all;
    float* a = buffers + 2 * all;
    float* s = buffers + 3 * all;
    float* power = buffers + 4 * all;
    const std::int64_t lead = strip.lead;
    strip.gather(input, x);
    strip.gather(gradient, dy);
    multiply(a, x, x, strip.floats());
    window_sums(strip, s, a, power, alpha(), static_cast<float>(op_.k));
    inverse_powers(power + lead, s + lead, strip.body, static_cast<float>(op_.beta));
    strip.clear_ends(a);
    shares(a + lead, x + lead, dy + lead, s + lead, power + lead, strip.body);
    float* sums = strip.steps[1] == 0 ? s : a;
    window_sums(strip, sums, a, s, 1, 0);
    gradients(sums + lead, x + lead, dy + lead, power + lead, 2 * alpha() * static_cast<float>(op_.beta),
              strip.body);
    strip.scatter(sums, to);
  }

  Lrn op_;
  LrnStrips strips_;
};

}  // namespace

Lowered lower_lrn_by_strips(const Lrn& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<LrnByStrips>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
