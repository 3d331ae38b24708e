#include <gtest/gtest.h>

#include <cmath>

#include "layers/core/bfloat16.h"
#include "layers/cpu/cpu_backend.h"
#include "layers/cpu/onednn.h"
#include "tests/golden/hashed_values.h"
#include "tests/layers/cpu/layer_bench.h"

namespace convoy {
namespace {

/// A layout other than the plain one, as some convolution of the shape takes and gives it.
Layout blocked_layout(Backend& backend, Shape shape, std::int64_t batch) {
  const std::string row =
      "{ type = \"convolution\", kernel = 3, padding = 1, outputs = " + std::to_string(shape.channels) + " }";
  const Graph graph = parse_network(network_of(row, shape), "layout.toml");
  const Site site{&graph.layers()[0], 0, {shape}, shape, batch, true, {true}};
  const Layout plain = backend.input_layout(shape, batch, DType::f32);
  return backend.lower(site, std::vector{plain})->spec().passes[0].writes[0].layout;
}

TEST(CpuBackend, ReordersThereAndBackWithoutLoss) {
  for (const Shape shape : {Shape{16, 5, 5}, Shape{17, 4, 3}, Shape{3, 7, 1}, Shape{20, 1, 1}}) {
    const std::unique_ptr<Backend> backend = make_cpu_backend();
    const Layout plain = backend->input_layout(shape, 3, DType::f32);
    const Layout other = blocked_layout(*backend, shape, 3);
    const std::vector<float> values = hashed_values(1, static_cast<std::size_t>(3 * shape.elements()));
    const GuardedBuffer from(plain.bytes), there(other.bytes), back(plain.bytes), scratch(1 << 16);
    std::copy(values.begin(), values.end(), from.floats());
    ASSERT_LE(backend->reorder_scratch(plain, other, false), 1 << 16);
    backend->reorder(plain, other, false, false, from.data(), there.data(), scratch.data())->run({});
    backend->reorder(other, plain, false, false, there.data(), back.data(), scratch.data())->run({});
    EXPECT_EQ(std::vector<float>(back.floats(), back.floats() + values.size()), values);
    EXPECT_TRUE(there.fences_stand() && back.fences_stand());
  }
}

TEST(CpuBackend, AddsAcrossLayoutsAndAssignsInTheFirstPass) {
  const Shape shape{17, 4, 3};
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  const Layout plain = backend->input_layout(shape, 2, DType::f32);
  const Layout other = blocked_layout(*backend, shape, 2);
  const std::size_t count = static_cast<std::size_t>(2 * shape.elements());
  const std::vector<float> values = hashed_values(1, count);
  const GuardedBuffer from(plain.bytes), to(other.bytes), back(plain.bytes), scratch(1 << 16);
  std::copy(values.begin(), values.end(), from.floats());
  const auto add = backend->reorder(plain, other, true, true, from.data(), to.data(), scratch.data());
  StepContext context;
  for (const bool first : {true, false, false}) {  // the target holds NaNs before the first
    context.first_pass = first;
    add->run(context);
  }
  backend->reorder(other, plain, false, false, to.data(), back.data(), scratch.data())->run(context);
  for (std::size_t i = 0; i < count; ++i) ASSERT_FLOAT_EQ(back.floats()[i], 3 * values[i]);
}

TEST(CpuBackend, ScalesPixelsByChannel) {
  const Shape shape{3, 2, 2};
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  std::vector<std::uint8_t> pixels(24);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>(mix_bits(static_cast<std::uint32_t>(i)));
  const PixelScale scale{{10, 20, 30}, {2, 4, 0.5F}};
  std::vector<float> input(24);
  backend->scale_pixels(shape, 2, DType::f32, scale, pixels.data(), input.data())->run({});
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t i = 0; i < 4; ++i) {
        const float pixel = pixels[(n * 4 + i) * 3 + c];
        EXPECT_EQ(input[(n * 3 + c) * 4 + i], (pixel - scale.mean[c]) / scale.deviation[c]);
      }
    }
  }
}

/// Three steps of torch.optim.SGD's rule, written out.
std::vector<float> reference_sgd(std::vector<float> w, const std::vector<float>& g, float rate, float decay,
                                 float momentum, bool nesterov) {
  std::vector<float> v(w.size());
  for (int step = 0; step < 3; ++step) {
    for (std::size_t i = 0; i < w.size(); ++i) {
      const float d = g[i] * 0.5F + decay * w[i];
      v[i] = momentum * v[i] + d;
      w[i] -= rate * (nesterov ? d + momentum * v[i] : v[i]);
    }
  }
  return w;
}

TEST(CpuBackend, StepsAsSgdInItsRangesOnly) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  for (const bool nesterov : {false, true}) {
    for (const float momentum : {0.9F, 0.F}) {
      std::vector<float> w = hashed_values(1, 10000);
      const std::vector<float> g = hashed_values(2, w.size());
      const std::vector<float> start = w;
      std::vector<float> v(w.size());
      StepContext context;
      context.learning_rate = 0.1F;
      UpdateState state;
      state.gradient_scale = 0.5F;
      const auto step = backend->sgd({momentum, nesterov}, {{0, 5000, 0.01F, 1}, {6000, 3000, 0, 2}},
                                     w.data(), g.data(), momentum == 0 ? nullptr : v.data(), nullptr, &state);
      for (int i = 0; i < 3; ++i) step->run(context);
      const std::vector<float> decayed = reference_sgd(start, g, 0.1F, 0.01F, momentum, nesterov);
      const std::vector<float> faster = reference_sgd(start, g, 0.2F, 0, momentum, nesterov);
      for (std::size_t i = 0; i < w.size(); ++i) {
        const bool in_first = i < 5000;
        const bool in_second = i >= 6000 && i < 9000;
        ASSERT_NEAR(w[i], in_first ? decayed[i] : in_second ? faster[i] : start[i], 1e-6) << i;
      }
    }
  }
}

TEST(CpuBackend, LeavesACopyOfTheNewWeightsInHalfPrecision) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  std::vector<float> w = hashed_values(1, 20000);
  const std::vector<float> g = hashed_values(2, w.size());
  std::vector<BFloat16> half(w.size(), BFloat16(7));
  StepContext context;
  context.learning_rate = 0.1F;
  backend
      ->sgd({0, false, DType::bf16}, {{100, 19000, 0, 1}}, w.data(), g.data(), nullptr, half.data(), nullptr)
      ->run(context);
  std::vector<BFloat16> copy(w.size());
  backend->copy_half(DType::bf16, 20000, 0, w.data(), copy.data());
  for (std::size_t i = 0; i < w.size(); ++i) {
    const bool updated = i >= 100 && i < 19100;
    ASSERT_EQ(float(half[i]), updated ? float(BFloat16(w[i])) : 7.F) << i;
    ASSERT_EQ(float(copy[i]), float(BFloat16(w[i]))) << i;
  }
}

/// A fully connected layer in bf16, as it is lowered for training.
struct HalfProduct {
  HalfProduct(Backend& backend, std::int64_t inputs, std::int64_t outputs)
      : graph(parse_network(
            network_of("{ type = \"fully_connected\", outputs = " + std::to_string(outputs) + " }",
                       {inputs, 1, 1}),
            "product.toml")),
        site{&graph.layers()[0], 0, {{inputs, 1, 1}}, {outputs, 1, 1}, 32, true, {true}} {
    site.type = DType::bf16;
    lowered = backend.lower(site, std::vector{backend.input_layout(site.inputs[0], 32, DType::bf16)});
  }
  const ParameterSpec& weight() const { return graph.layers()[0].parameters[0]; }
  Layout kernels() const { return lowered->spec().passes[0].reads[1].layout; }

  Graph graph;
  Site site;
  std::shared_ptr<const LoweredLayer> lowered;
};

// The master copy of a weight in half precision need not lie as the copy that kernels read; written from it,
// by the update and at start-up, that is the same weight.
TEST(CpuBackend, WritesHalfCopiesAsKernelsReadThem) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  if (!backend->supports(DType::bf16)) GTEST_SKIP() << "no bf16 kernels here";
  for (const std::int64_t inputs : {5, 16, 40, 64, 1000, 1152}) {
    for (const std::int64_t outputs : {1, 10, 33, 128, 1000}) {
      SCOPED_TRACE(std::to_string(inputs) + " inputs, " + std::to_string(outputs) + " outputs");
      const HalfProduct product(*backend, inputs, outputs);
      const Layout used = product.kernels();
      const Layout master = backend->master_layout(used);
      const std::int64_t interleave = backend->interleave(used);
      ASSERT_LE(2 * interleave, Backend::kInterleaved);
      ASSERT_EQ(master.bytes, 2 * used.bytes);
      const std::vector<float> values = hashed_values(7, static_cast<std::size_t>(inputs * outputs));
      const GuardedBuffer weights(master.bytes), gradients(master.bytes), copy(used.bytes),
          updated(used.bytes);
      backend->store_parameter(product.weight(), master, values.data(), weights.data());
      backend->copy_half(DType::bf16, master.bytes / 4, interleave, weights.data(), copy.data());
      std::vector<float> read(values.size());
      backend->load_parameter(product.weight(), used, copy.data(), read.data());
      for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(read[i], float(BFloat16(values[i]))) << i;
      std::fill_n(gradients.floats(), master.bytes / 4, 0.F);
      backend
          ->sgd({0, false, DType::bf16}, {{0, master.bytes / 4, 0, 1, interleave}}, weights.data(),
                gradients.data(), nullptr, updated.data(), nullptr)
          ->run({});
      backend->load_parameter(product.weight(), used, updated.data(), read.data());
      for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(read[i], float(BFloat16(values[i]))) << i;
    }
  }
}

// Else each step would change the layout of the largest gradients there are.
TEST(CpuBackend, KeepsGradientsOfProductsAsTheyAreMade) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  if (!cpu::has_matrix_units()) GTEST_SKIP() << "no matrix units (AMX) here";
  for (const std::int64_t inputs : {64, 1152}) {
    const HalfProduct product(*backend, inputs, 128);
    for (const PassSpec& pass : product.lowered->spec().passes) {
      if (pass.kind != PassKind::backward_weights) continue;
      const Layout gradient =
          backend->gradient_layout(backend->master_layout(product.kernels()), DType::bf16);
      EXPECT_EQ(backend->describe(pass.writes[0].layout), backend->describe(gradient));
    }
  }
}

TEST(CpuBackend, SumsSquaresTheSameForAnyNumberOfThreads) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  const std::vector<float> values = hashed_values(3, 100003);
  const std::vector<Slice> ranges{{0, 50000}, {50001, 2}, {50003, 50000}};  // all but one
  double expected = 0;
  for (const float v : values) expected += static_cast<double>(v) * static_cast<double>(v);
  expected -= static_cast<double>(values[50000]) * static_cast<double>(values[50000]);
  const auto sum_with = [&](int threads) {
    set_cpu_threads(threads);
    const GuardedBuffer scratch(backend->squares_scratch(100003));
    double sum = -1;
    backend->sum_of_squares(DType::f32, ranges, values.data(), &sum, scratch.data())->run({});
    EXPECT_TRUE(scratch.fences_stand());
    return sum;
  };
  const double one = sum_with(1);
  EXPECT_EQ(one, sum_with(3));
  EXPECT_NEAR(one, expected, 1e-9 * expected);
}

TEST(CpuBackend, ChangesNothingInAnUpdateThatIsLeftOut) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  const std::vector<float> values = hashed_values(3, 100);
  std::vector<float> w = values;
  std::vector<float> v = values;
  std::vector<float> running = values;
  UpdateState state;
  state.skips_update = 1;
  StepContext context;
  context.learning_rate = 0.1F;
  backend->sgd({}, {{0, 100}}, w.data(), values.data(), v.data(), nullptr, &state)->run(context);
  backend->follow(100, 0.5F, running.data(), std::vector<float>(100).data(), &state)->run(context);
  for (const std::vector<float>* after : {&w, &v, &running}) EXPECT_EQ(*after, values);
}

TEST(CpuBackend, StoresAndLoadsParametersWithoutLoss) {
  for (const char* row : {"{ type = \"convolution\", outputs = 20, kernel = 5 }",
                          "{ type = \"convolution\", outputs = 9, kernel = 3, groups = 3 }",
                          "{ type = \"fully_connected\", outputs = 33 }", "{ type = \"batch_norm\" }"}) {
    LayerBench bench(row, {6, 7, 7}, 2);
    for (const Operand& operand : bench.lowered().spec().passes[0].reads) {
      if (operand.role != Role::parameter) continue;
      const ParameterSpec& spec = bench.layer().parameters[static_cast<std::size_t>(operand.index)];
      const std::vector<float> values = hashed_values(1, static_cast<std::size_t>(spec.elements()));
      std::vector<float> back(values.size());
      const GuardedBuffer stored(operand.layout.bytes);
      bench.backend().store_parameter(spec, operand.layout, values.data(), stored.data());
      bench.backend().load_parameter(spec, operand.layout, stored.data(), back.data());
      EXPECT_EQ(back, values) << row;
      EXPECT_TRUE(stored.fences_stand());
    }
  }
}

}  // namespace
}  // namespace convoy
