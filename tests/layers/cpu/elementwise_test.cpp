#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "layers/cpu/cpu_backend.h"
#include "tests/golden/hashed_values.h"
#include "tests/layers/cpu/layer_bench.h"

namespace convoy {
namespace {

TEST(Maximum, GivesTheGradientOfATieToTheFirstInput) {
  LayerBench bench("{ type = \"maximum\", from = [\"input\", \"input\", \"input\"] }", {4, 1, 1}, 1);
  bench.inputs = {{1, 0, 2, -1}, {1, 3, 2, -2}, {0, 3, 2, -1}};
  bench.output_gradient = {10, 20, 30, 40};
  bench.forward();
  bench.backward();
  EXPECT_EQ(bench.output, (std::vector<float>{1, 3, 2, -1}));
  EXPECT_EQ(bench.input_gradients[0], (std::vector<float>{10, 0, 30, 40}));
  EXPECT_EQ(bench.input_gradients[1], (std::vector<float>{0, 20, 0, 0}));
  EXPECT_EQ(bench.input_gradients[2], (std::vector<float>{0, 0, 0, 0}));
}

TEST(Maximum, OfWhatIsNoNumberIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  LayerBench bench("{ type = \"maximum\", from = [\"input\", \"input\"] }", {3, 1, 1}, 1);
  bench.inputs = {{nan, 1, 1}, {1, nan, 2}};
  bench.forward();
  EXPECT_TRUE(std::isnan(bench.output[0]));
  EXPECT_TRUE(std::isnan(bench.output[1]));
  EXPECT_EQ(bench.output[2], 2);
}

TEST(Product, HasAGradientWhereAnInputIsZero) {
  LayerBench bench("{ type = \"product\", from = [\"input\", \"input\", \"input\"] }", {2, 1, 1}, 1,
                   {.in_place = true});
  bench.inputs = {{0, 2}, {3, 0}, {4, 0}};
  bench.output_gradient = {1, 1};
  bench.forward();
  bench.backward();
  EXPECT_EQ(bench.input_gradients[0], (std::vector<float>{12, 0}));
  EXPECT_EQ(bench.input_gradients[1], (std::vector<float>{0, 0}));
}

TEST(Nonlinearity, WithANegativeSlopeKeepsItsInput) {
  for (const char* row : {"{ type = \"relu\", slope = -0.5 }", "{ type = \"elu\", alpha = -0.5 }"}) {
    LayerBench bench(row, {5, 3, 3}, 2);
    EXPECT_FALSE(bench.lowered().spec().passes[0].in_place) << row;
  }
  for (const char* row : {"{ type = \"relu\", slope = 0.5 }", "{ type = \"sigmoid\" }"}) {
    LayerBench bench(row, {5, 3, 3}, 2);
    EXPECT_TRUE(bench.lowered().spec().passes[0].in_place) << row;
  }
}

TEST(PerChannel, GivesParameterGradientsAlsoWhereTheInputNeedsNone) {
  for (const char* row :
       {"{ type = \"scale\" }", "{ type = \"prelu\" }", "{ type = \"prelu\", shared = true }"}) {
    std::vector<std::vector<float>> gradients[2];
    for (const bool input_gradient : {true, false}) {
      LayerBench bench(row, {17, 5, 5}, 3, {.input_gradient = input_gradient, .blocked_input = true});
      bench.inputs[0] = hashed_values(1, bench.inputs[0].size());
      bench.output_gradient = hashed_values(2, bench.output_gradient.size());
      bench.forward();
      bench.backward();
      EXPECT_TRUE(bench.fences_stand());
      gradients[input_gradient ? 1 : 0] = bench.parameter_gradients;
    }
    EXPECT_EQ(gradients[0], gradients[1]) << row;
  }
}

// More tasks than threads in every layer, and planes of more than one chunk.
TEST(OwnLoops, GiveTheSameBitsForAnyNumberOfThreads) {
  for (const char* row :
       {"{ type = \"scale\" }", "{ type = \"prelu\" }", "{ type = \"prelu\", shared = true }",
        "{ type = \"lrn\", size = 3, beta = 0.5 }", "{ type = \"lrn\", size = 3, region = \"within\" }",
        "{ type = \"product\", from = [\"input\", \"input\"] }",
        "{ type = \"maximum\", from = [\"input\", \"input\"] }"}) {
    for (const bool blocked : {false, true}) {
      std::vector<std::vector<float>> results[2];
      for (const int threads : {1, 3}) {
        set_cpu_threads(threads);
        LayerBench bench(row, {20, 150, 131}, 2, {.blocked_input = blocked});
        for (std::size_t i = 0; i < bench.inputs.size(); ++i) {
          bench.inputs[i] = hashed_values(static_cast<std::uint32_t>(1 + i), bench.inputs[i].size());
        }
        for (auto& parameter : bench.parameters) parameter = hashed_values(10, parameter.size());
        bench.output_gradient = hashed_values(30, bench.output_gradient.size());
        bench.forward();
        bench.backward();
        EXPECT_TRUE(bench.fences_stand()) << row;
        auto& result = results[threads == 1 ? 0 : 1];
        result = bench.parameter_gradients;
        result.push_back(bench.output);
        for (const auto& gradient : bench.input_gradients) result.push_back(gradient);
      }
      EXPECT_EQ(results[0], results[1]) << row;
    }
  }
}

// What a layer makes of the zeros that pad the channels of a blocked layout, the next one reads.
TEST(OwnLoops, KeepThePaddingOfBlockedLayoutsZero) {
  for (const char* row :
       {"{ type = \"scale\" }", "{ type = \"prelu\", shared = true }", "{ type = \"sigmoid\" }",
        "{ type = \"lrn\", size = 3 }", "{ type = \"lrn\", size = 3, region = \"within\" }",
        "{ type = \"maximum\", from = [\"input\", \"input\"] }"}) {
    const Shape shape{20, 3, 3};
    const auto backend = make_cpu_backend();
    const Graph source =
        parse_network(network_of("{ type = \"convolution\", outputs = 20, kernel = 3, padding = 1 }", shape),
                      "source.toml");
    const Graph graph = parse_network(network_of(row, shape), "layer.toml");
    const auto site_of = [&](const Graph& of) {
      const Layer& layer = of.layers()[0];
      return Site{&layer,
                  0,
                  of.input_shapes(layer),
                  of.output_shape(layer),
                  2,
                  true,
                  std::vector<bool>(layer.inputs.size(), true)};
    };
    const Layout plain = backend->input_layout(shape, 2, DType::f32);
    const Layout given =
        backend->lower(site_of(source), std::vector{plain})->spec().passes[0].writes[0].layout;
    const Site site = site_of(graph);
    const auto lowered = backend->lower(site, std::vector(site.inputs.size(), given));
    const PassSpec& pass = lowered->spec().passes[0];
    const std::int64_t values = 2 * shape.elements();
    if (pass.writes[0].layout.bytes == values * 4) continue;  // no padding in this layout
    std::vector<std::shared_ptr<GuardedBuffer>> buffers;
    const auto pointers = [&](const std::vector<Operand>& operands, bool reads) {
      std::vector<void*> all;
      for (const Operand& operand : operands) {
        const auto buffer = buffers.emplace_back(std::make_shared<GuardedBuffer>(operand.layout.bytes));
        if (reads) std::fill_n(buffer->floats(), buffer->bytes() / 4, 0.F);
        if (operand.role == Role::parameter) std::fill_n(buffer->floats(), buffer->bytes() / 4, 3.F);
        all.push_back(buffer->data());
      }
      return all;
    };
    const std::vector<void*> reads = pointers(pass.reads, true);
    const std::vector<void*> writes = pointers(pass.writes, false);
    const GuardedBuffer scratch(pass.scratch_bytes);
    lowered->bind(0, reads, writes, scratch.data())->run({});
    const auto* output = static_cast<const float*>(writes[0]);
    const std::int64_t all = pass.writes[0].layout.bytes / 4;
    EXPECT_GE(std::count(output, output + all, 0.F), all - values) << row;
  }
}

}  // namespace
}  // namespace convoy
