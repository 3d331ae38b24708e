#include "layers/sizes/size_backend.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "layers/cpu/cpu_backend.h"
#include "layers/graph/graph.h"

namespace convoy {
namespace {

constexpr std::int64_t kBatch = 3;

/// The last layer of a network, alone.
struct OneLayer {
  explicit OneLayer(const std::string& row, Shape input = {16, 9, 9})
      : graph(parse_network(
            fmt::format(
                "name = \"x\"\ninput = {{ channels = {}, height = {}, width = {} }}\nlayers = [ {} ]\n",
                input.channels, input.height, input.width, row),
            "net.toml")) {}

  Site site(bool training, DType type = DType::f32, std::int64_t workspace = 0) const {
    const Layer& layer = graph.layers().back();
    Site made{&layer,
              static_cast<int>(graph.layers().size()) - 1,
              graph.input_shapes(layer),
              graph.output_shape(layer),
              kBatch,
              training,
              std::vector<bool>(layer.inputs.size(), training),
              false,
              type};
    made.workspace_bytes = workspace;
    return made;
  }

  LayerSpec lower(Backend& backend, const Site& site) const {
    std::vector<Layout> inputs;
    for (const Shape& shape : site.inputs)
      inputs.push_back(backend.input_layout(shape, site.batch, site.type));
    return backend.lower(site, inputs)->spec();
  }

  Graph graph;
};

const std::vector<DType> kAllTypes{DType::f32, DType::f16, DType::bf16};

/// What a pass reads or writes, but for what forward leaves for backward: that is each backend's own.
std::set<std::pair<Role, int>> operands(const std::vector<Operand>& list) {
  std::set<std::pair<Role, int>> found;
  for (const Operand& operand : list) {
    if (operand.role != Role::saved) found.emplace(operand.role, operand.index);
  }
  return found;
}

/// Each layer type, on 16 maps of 9 x 9.
const std::vector<const char*> kRows{

    "{ type = \"convolution\", outputs = 24, kernel = 3, padding = 1 }",
    "{ type = \"convolution\", outputs = 24, kernel = 1, bias = false, groups = 2 }",
    "{ type = \"deconvolution\", outputs = 8, kernel = 4, stride = 2, padding = 1 }",
    "{ type = \"locally_connected\", outputs = 4, kernel = 3, stride = 2 }",
    "{ type = \"fully_connected\", outputs = 10 }",
    "{ type = \"max_pool\", kernel = 3, stride = 2 }",
    "{ type = \"average_pool\", kernel = 3, stride = 2 }",
    "{ type = \"l2_pool\", kernel = 2 }",
    "{ type = \"max_pool\", global = true }",
    "{ type = \"crop\", size = [3, 4] }",
    "{ type = \"upsample\", factor = 2 }",
    "{ type = \"relu\" }",
    "{ type = \"elu\" }",
    "{ type = \"sigmoid\" }",
    "{ type = \"tanh\" }",
    "{ type = \"relu\", slope = -0.1 }",
    "{ type = \"prelu\" }",
    "{ type = \"scale\" }",
    "{ type = \"clip\", maximum = 6 }",
    "{ type = \"lrn\" }",
    "{ type = \"lrn\", region = \"within\" }",
    "{ type = \"batch_norm\" }",
    "{ type = \"dropout\" }",
    "{ type = \"sum\", from = [\"input\", \"input\"] }",
    "{ type = \"product\", from = [\"input\", \"input\"] }",
    "{ type = \"maximum\", from = [\"input\", \"input\"] }",
    "{ type = \"concat\", from = [\"input\", \"input\"] }",
    "{ type = \"slice\", first = 2, count = 5 }",
    "{ type = \"flatten\" }",
    "{ type = \"pad_channels\", outputs = 20 }",
    "{ type = \"softmax\" }",
    "{ type = \"softmax_loss\", map = true }",
    "{ type = \"squared_error\", map = true }",
    "{ type = \"hinge\", map = true }",
    "{ type = \"sigmoid_cross_entropy\", map = true }"};

/// Rows by number: their text is none for the name of a test.
class EachLayer : public testing::TestWithParam<std::size_t> {
 protected:
  const OneLayer one_{kRows[GetParam()]};
};

TEST_P(EachLayer, HasThePassesOfTheProcessorAndReadsNoLess) {
  const std::unique_ptr<Backend> sizes = make_size_backend({"gpu", kAllTypes});
  const std::unique_ptr<Backend> cpu = make_cpu_backend();
  for (const auto& [training, shared] : {std::pair{true, false}, {true, true}, {false, false}}) {
    Site site = one_.site(training);
    site.shared_statistics = shared;
    const LayerSpec mine = one_.lower(*sizes, site);
    const LayerSpec other = one_.lower(*cpu, site);
    ASSERT_EQ(mine.passes.size(), other.passes.size());
    for (std::size_t p = 0; p < mine.passes.size(); ++p) {
      EXPECT_EQ(mine.passes[p].kind, other.passes[p].kind);
      EXPECT_EQ(operands(mine.passes[p].reads), operands(other.passes[p].reads)) << p;
      EXPECT_EQ(operands(mine.passes[p].writes), operands(other.passes[p].writes)) << p;
      EXPECT_EQ(mine.passes[p].pass_through, other.passes[p].pass_through);
    }
  }
}

TEST_P(EachLayer, TakesDenseChannelsLastInEveryType) {
  const std::unique_ptr<Backend> sizes = make_size_backend({"gpu", kAllTypes});
  const bool loss = is_loss(one_.graph.layers().back().op);
  for (const DType type : kAllTypes) {
    const Site site = one_.site(true, type, 1 << 20);
    for (const PassSpec& pass : one_.lower(*sizes, site).passes) {
      for (const std::vector<Operand>* list : {&pass.reads, &pass.writes}) {
        for (const Operand& o : *list) {
          const std::int64_t value = loss ? 4 : size_of(type);
          const auto at = static_cast<std::size_t>(o.index);
          if (o.role == Role::input || o.role == Role::input_gradient) {
            EXPECT_EQ(o.layout.bytes, kBatch * site.inputs[at].elements() * value);
            EXPECT_THAT(sizes->describe(o.layout), testing::HasSubstr("nhwc"));
          } else if (o.role == Role::output || o.role == Role::output_gradient) {
            EXPECT_EQ(o.layout.bytes, kBatch * site.output.elements() * value);
          } else if (o.role == Role::parameter_gradient) {
            EXPECT_EQ(o.layout.bytes, site.layer->parameters[at].elements() * size_of(type));
          } else if (o.role == Role::parameter) {
            const ParameterSpec& parameter = site.layer->parameters[at];
            const bool half = parameter.kind == ParameterKind::weight;
            EXPECT_EQ(o.layout.bytes, parameter.elements() * (half ? size_of(type) : 4));
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, EachLayer, testing::Range(std::size_t{0}, kRows.size()), [](const auto& one) {
  const OneLayer layer(kRows[one.param]);
  return fmt::format("{}_{}", type_of(layer.graph.layers().back().op), one.param);
});

TEST(EachLayerType, HasARowHere) {
  std::set<std::size_t> types;
  for (const char* row : kRows) types.insert(OneLayer(row).graph.layers().back().op.index());
  EXPECT_EQ(types.size(), std::variant_size_v<LayerOp>);
}

TEST(Workspace, OfAConvolutionIsTheCapOrWhatIm2colWouldTake) {
  const OneLayer one("{ type = \"convolution\", outputs = 24, kernel = 3, padding = 1 }");
  const std::unique_ptr<Backend> sizes = make_size_backend({"gpu", kAllTypes});
  const std::int64_t im2col = kBatch * 81 * 9 * 16 * 4;
  for (const std::int64_t cap : {std::int64_t{0}, im2col - 256, im2col, std::int64_t{1} << 30}) {
    const LayerSpec spec = one.lower(*sizes, one.site(true, DType::f32, cap));
    EXPECT_EQ(spec.passes[0].scratch_bytes, std::min(cap, im2col));
    EXPECT_EQ(spec.passes[2].scratch_bytes, std::min(cap, im2col));
    // The gradient of the bias adds up in parts, whatever the cap.
    EXPECT_EQ(spec.passes[1].scratch_bytes, std::max<std::int64_t>(std::min(cap, im2col), 243 * 24 * 4));
  }
}

TEST(Saved, IsWhatBackwardCannotDerive) {
  const std::unique_ptr<Backend> sizes = make_size_backend({"gpu", kAllTypes});
  const auto saved = [&](const char* row, DType type = DType::f32) {
    const OneLayer one(row);
    return one.lower(*sizes, one.site(true, type)).saved_bytes;
  };
  EXPECT_EQ(saved("{ type = \"max_pool\", kernel = 3, stride = 2 }"), kBatch * 16 * 16);
  EXPECT_EQ(saved("{ type = \"max_pool\", kernel = 3, stride = 2 }", DType::f16), kBatch * 16 * 16);
  EXPECT_EQ(saved("{ type = \"batch_norm\" }"), 2 * 256);
  EXPECT_EQ(saved("{ type = \"maximum\", from = [\"input\", \"input\"] }"), kBatch * 16 * 81);
  for (const char* row : {"{ type = \"dropout\" }", "{ type = \"lrn\" }", "{ type = \"relu\" }",
                          "{ type = \"average_pool\", kernel = 3 }"})
    EXPECT_EQ(saved(row), 0) << row;
}

TEST(SizeBackend, RefusesToRun) {
  const OneLayer one("{ name = \"c\", type = \"convolution\", outputs = 24, kernel = 3 }");
  const std::unique_ptr<Backend> sizes = make_size_backend({"gpu", kAllTypes});
  const Layout input = sizes->input_layout({16, 9, 9}, kBatch, DType::f32);
  const auto lowered = sizes->lower(one.site(true), std::vector{input});
  for (const std::function<void()>& call : std::vector<std::function<void()>>{
           [&] { lowered->bind(0, {}, {}, nullptr); },
           [&] { sizes->reorder(input, input, false, false, nullptr, nullptr, nullptr); },
           [&] { sizes->sgd({}, {}, nullptr, nullptr, nullptr, nullptr, nullptr); },
           [&] { sizes->sum_of_squares(DType::f32, {}, nullptr, nullptr, nullptr); },
           [&] { sizes->decide_update({}, nullptr, nullptr); }}) {
    try {
      call();
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::internal);
      EXPECT_THAT(error.what(), testing::HasSubstr("only plans"));
    }
  }
}

TEST(SizeBackend, KnowsTheTypesOfItsDevice) {
  const std::unique_ptr<Backend> old = make_size_backend({"gtx580-3gb", {DType::f32}});
  EXPECT_TRUE(old->supports(DType::f32));
  EXPECT_FALSE(old->supports(DType::f16));
  EXPECT_EQ(old->alignment(), 256);
  EXPECT_EQ(old->name(), "gtx580-3gb");
}

}  // namespace
}  // namespace convoy
