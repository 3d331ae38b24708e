#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "layers/core/bfloat16.h"
#include "layers/core/float16.h"
#include "tests/golden/hashed_values.h"
#include "tests/layers/cpu/layer_bench.h"

// What the backend of GPUs does beside layers.
namespace convoy {
namespace {

/// Device memory that holds `values`.
template <class T>
GuardedBuffer with(const BenchDevice& bench, const std::vector<T>& values) {
  GuardedBuffer buffer(static_cast<std::int64_t>(values.size() * sizeof(T)), bench.device.get());
  buffer.put(values.data(), values.size() * sizeof(T));
  return buffer;
}

template <class T>
std::vector<T> values_of(const GuardedBuffer& buffer) {
  std::vector<T> values(buffer.bytes() / sizeof(T));
  buffer.get(values.data(), buffer.bytes());
  return values;
}

TEST(OwnBackend, ScalesPixelsOfAnyNumberOfChannels) {
  const BenchDevice bench = make_bench_device();
  for (const std::int64_t channels : {1, 3, 64, 65, 200}) {
    const Shape shape{channels, 3, 5};
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(2 * shape.elements()));
    for (std::size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = static_cast<std::uint8_t>(mix_bits(static_cast<std::uint32_t>(i)));
    PixelScale scale;
    for (std::int64_t c = 0; c < channels; ++c) {
      scale.mean.push_back(static_cast<float>(c));
      scale.deviation.push_back(1.5F + static_cast<float>(c));
    }
    const GuardedBuffer from = with(bench, pixels);
    const GuardedBuffer to = with(bench, std::vector<float>(pixels.size()));
    bench.backend->scale_pixels(shape, 2, DType::f32, scale, from.data(), to.data())->run({});
    const std::vector<float> made = values_of<float>(to);
    for (std::size_t i = 0; i < made.size(); ++i) {
      const std::size_t c = i % static_cast<std::size_t>(channels);
      ASSERT_FLOAT_EQ(made[i], (static_cast<float>(pixels[i]) - scale.mean[c]) / scale.deviation[c])
          << channels;
    }
    EXPECT_TRUE(to.fences_stand());
  }
}

/// The sum over ranges of values on the device.
double sum_of_squares(const BenchDevice& bench, DType type, const GuardedBuffer& values,
                      const std::vector<Slice>& ranges) {
  std::int64_t count = 0;
  for (const Slice& range : ranges) count += range.count;
  const GuardedBuffer sum = with(bench, std::vector<double>(1, -1));
  const GuardedBuffer scratch(bench.backend->squares_scratch(count), bench.device.get());
  bench.backend->sum_of_squares(type, ranges, values.data(), static_cast<double*>(sum.data()), scratch.data())
      ->run({});
  const double found = values_of<double>(sum)[0];
  EXPECT_TRUE(sum.fences_stand() && scratch.fences_stand());
  return found;
}

template <class T>
void expect_sum_of_squares(const BenchDevice& bench, DType type) {
  for (const std::size_t count : {1U, 255U, 2049U, 131073U, 3000001U}) {
    std::vector<T> values(count);
    double expected = 0;
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = T(hashed_value(1, static_cast<std::uint32_t>(i)));
      if (i != count / 2)
        expected += static_cast<double>(float(values[i])) * static_cast<double>(float(values[i]));
    }
    const GuardedBuffer buffer = with(bench, values);
    const auto number = static_cast<std::int64_t>(count);
    const std::vector<Slice> ranges{{0, number / 2}, {number / 2 + 1, number - number / 2 - 1}};
    const double found = sum_of_squares(bench, type, buffer, ranges);
    EXPECT_NEAR(found, expected, 1e-12 * expected) << count;
    EXPECT_EQ(found, sum_of_squares(bench, type, buffer, ranges));
  }
}

TEST(OwnBackend, AddsSquaresUpInDoubleAndTheSameEachTime) {
  const BenchDevice bench = make_bench_device();
  expect_sum_of_squares<float>(bench, DType::f32);
  expect_sum_of_squares<Float16>(bench, DType::f16);
  expect_sum_of_squares<BFloat16>(bench, DType::bf16);
  EXPECT_EQ(sum_of_squares(bench, DType::f32, with(bench, std::vector<float>(1, 3)), {}), 0);
}

TEST(OwnBackend, HasNoFiniteSumOfSquaresWhereOneValueIsNotFinite) {
  const BenchDevice bench = make_bench_device();
  const auto sum_of = [&](const auto& values, DType type) {
    return sum_of_squares(bench, type, with(bench, values), {{0, std::ssize(values)}});
  };
  // The largest there are: their squares do not overflow.
  EXPECT_TRUE(std::isfinite(sum_of(std::vector<float>(1001, std::numeric_limits<float>::max()), DType::f32)));
  for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<Float16> values(1001, Float16(65504.F));
    EXPECT_TRUE(std::isfinite(sum_of(values, DType::f16)));
    for (const std::size_t place : {0U, 500U, 1000U}) {
      std::vector<Float16> broken = values;
      broken[place] = Float16(bad);
      EXPECT_FALSE(std::isfinite(sum_of(broken, DType::f16))) << place;
    }
  }
}

// As decide_update does it on the processor.
TEST(OwnBackend, DecidesAboutUpdatesOnTheDevice) {
  const BenchDevice bench = make_bench_device();
  const UpdateRule rule{true, 0.5};
  UpdateState expected = first_update_state(rule);
  const GuardedBuffer state = with(bench, std::vector<UpdateState>{expected});
  const GuardedBuffer squares = with(bench, std::vector<double>{0});
  const auto kernel = bench.backend->decide_update(rule, static_cast<const double*>(squares.data()),
                                                   static_cast<UpdateState*>(state.data()));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  StepContext context;
  for (const double sum : {1e12, 1e3, kInfinity, 2e11, std::nan("")}) {
    squares.put(&sum, sizeof sum);
    kernel->run(context);
    decide_update(rule, sum, context.iteration, expected);
    const UpdateState found = values_of<UpdateState>(state)[0];
    EXPECT_EQ(found.loss_scale, expected.loss_scale);
    EXPECT_EQ(found.good_updates, expected.good_updates);
    EXPECT_EQ(found.skipped_updates, expected.skipped_updates);
    EXPECT_EQ(found.skips_update, expected.skips_update);
    EXPECT_EQ(found.gradient_norm, expected.gradient_norm);
    EXPECT_EQ(found.gradient_scale, expected.gradient_scale);
    ++context.iteration;
  }
  EXPECT_EQ(expected.skipped_updates, 2);
  for (int i = 0; i < 20; ++i, ++context.iteration) kernel->run(context);  // of what is no number
  EXPECT_EQ(values_of<UpdateState>(state)[0].stuck_at, 19);
}

TEST(OwnBackend, ChangesNothingInAnUpdateThatIsLeftOut) {
  const BenchDevice bench = make_bench_device();
  const std::vector<float> values = hashed_values(1, 300);
  const GuardedBuffer w = with(bench, values);
  const GuardedBuffer g = with(bench, values);
  const GuardedBuffer v = with(bench, values);
  const GuardedBuffer running = with(bench, values);
  UpdateState skips;
  skips.skips_update = 1;
  const GuardedBuffer state = with(bench, std::vector<UpdateState>{skips});
  const auto* place = static_cast<const UpdateState*>(state.data());
  StepContext context;
  context.learning_rate = 0.1F;
  bench.backend->sgd({}, {{0, 300}}, w.data(), g.data(), v.data(), nullptr, place)->run(context);
  bench.backend->follow(300, 0.5F, running.data(), g.data(), place)->run(context);
  for (const GuardedBuffer* after : {&w, &v, &running}) EXPECT_EQ(values_of<float>(*after), values);
}

TEST(OwnBackend, AddsToAnotherTypeOrOverwritesInTheFirstPass) {
  const BenchDevice bench = make_bench_device();
  const Shape shape{3, 2, 2};
  const Layout from = bench.backend->input_layout(shape, 2, DType::f16);
  const Layout to = bench.backend->input_layout(shape, 2, DType::f32);
  const std::vector<Float16> source(24, Float16(0.5F));
  for (const bool assign_first : {false, true}) {
    const GuardedBuffer there = with(bench, source);
    const GuardedBuffer sum = with(bench, std::vector<float>(24, 2.F));
    const auto kernel =
        bench.backend->reorder(from, to, true, assign_first, there.data(), sum.data(), nullptr);
    StepContext context;
    kernel->run(context);
    context.first_pass = false;
    kernel->run(context);
    for (const float value : values_of<float>(sum)) EXPECT_EQ(value, assign_first ? 1.F : 3.F);
  }
}

// By the formula of SgdSpec, in every type of gradients and copies.
TEST(OwnBackend, TakesOneStepOfTheOptimizer) {
  const BenchDevice bench = make_bench_device();
  for (const bool nesterov : {false, true}) {
    const std::vector<float> weights = hashed_values(1, 300);
    const std::vector<float> velocity = hashed_values(2, 300);
    std::vector<Float16> gradients(300);
    for (std::size_t i = 0; i < 300; ++i)
      gradients[i] = Float16(hashed_value(3, static_cast<std::uint32_t>(i)));
    const GuardedBuffer w = with(bench, weights);
    const GuardedBuffer v = with(bench, velocity);
    const GuardedBuffer g = with(bench, gradients);
    const GuardedBuffer half = with(bench, std::vector<Float16>(300));
    StepContext context;
    context.learning_rate = 0.1F;
    UpdateState halves;
    halves.gradient_scale = 0.5F;
    const GuardedBuffer state = with(bench, std::vector<UpdateState>{halves});
    bench.backend
        ->sgd({0.9F, nesterov, DType::f16, DType::f16}, {{0, 100, 0.25F, 1}, {128, 172, 0, 2}}, w.data(),
              g.data(), v.data(), half.data(), static_cast<const UpdateState*>(state.data()))
        ->run(context);
    const std::vector<float> after = values_of<float>(w);
    const std::vector<Float16> copy = values_of<Float16>(half);
    for (std::size_t i = 0; i < 300; ++i) {
      if (i >= 100 && i < 128) {
        ASSERT_EQ(after[i], weights[i]);
        continue;
      }
      const double gradient = static_cast<double>(float(gradients[i])) * 0.5 +
                              (i < 100 ? 0.25 : 0) * static_cast<double>(weights[i]);
      const double momentum = 0.9 * static_cast<double>(velocity[i]) + gradient;
      const double step = nesterov ? gradient + 0.9 * momentum : momentum;
      ASSERT_NEAR(after[i], static_cast<double>(weights[i]) - (i < 100 ? 0.1 : 0.2) * step, 1e-6) << i;
      ASSERT_EQ(float(copy[i]), float(Float16(after[i])));
    }
  }
}

}  // namespace
}  // namespace convoy
