#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

#include "layers/graph/graph.h"
#include "layers/graph/receptive_field.h"
#include "tests/layers/graph/networks.h"

// The published figures of known networks, and shapes by hand: shared/reference-figures.md.
namespace convoy {
namespace {

Graph parse(const char* text) { return parse_network(text, "net.toml"); }

/// The output shape of one layer.
Shape shape_after(const std::string& row, Shape input) {
  const Graph graph = parse_network(
      fmt::format(
          "name = \"x\"\ninput = {{ channels = {}, height = {}, width = {} }}\nlayers = [ {{ {} }} ]\n",
          input.channels, input.height, input.width, row),
      "net.toml");
  return graph.activations().back().shape;
}

std::int64_t conv_width(std::int64_t width, const std::string& options) {
  const Shape out = shape_after("type = \"convolution\", outputs = 2, " + options, {1, width, width});
  EXPECT_EQ(out.height, out.width);
  return out.width;
}

TEST(Figures, LeNet) {
  const Graph graph = parse(networks::kLeNet);
  EXPECT_EQ(graph.parameters(), 431080);
  EXPECT_EQ(graph.macs(), 20 * 24 * 24 * 25 + 50 * 8 * 8 * 20 * 25 + 800 * 500 + 5000);
  EXPECT_EQ(graph.classes(), 10);
}

TEST(Figures, AlexNetOfTwoGroups) {
  const Graph graph = parse(networks::kAlexNet);
  EXPECT_EQ(graph.parameters(), 60965224);
  EXPECT_NEAR(static_cast<double>(graph.macs()), 0.724e9, 0.0005e9);
  std::vector<std::int64_t> weights;
  for (const Layer& layer : graph.layers()) {
    if (!layer.parameters.empty()) weights.push_back(layer.parameters[0].elements());
  }
  EXPECT_EQ(weights,
            (std::vector<std::int64_t>{34848, 307200, 884736, 663552, 442368, 37748736, 16777216, 4096000}));
}

TEST(Figures, AlexNetWithoutGroups) {
  std::string text = networks::kAlexNet;
  for (std::size_t at = text.find(", groups = 2"); at != std::string::npos; at = text.find(", groups = 2"))
    text.erase(at, 12);
  const Graph graph = parse(text.c_str());
  EXPECT_EQ(graph.parameters(), 62378344);
  EXPECT_NEAR(static_cast<double>(graph.macs()), 1.135e9, 0.0005e9);
}

TEST(Figures, AlexNetOneWeirdTrick) {
  const Graph graph = parse(networks::kAlexNetOwt);
  EXPECT_EQ(graph.parameters(), 61100840);
  EXPECT_NEAR(static_cast<double>(graph.macs()), 0.714e9, 0.0005e9);
}

TEST(Figures, Vgg16) {
  const Graph graph = parse(networks::kVgg16);
  EXPECT_EQ(graph.parameters(), 138357544);
  EXPECT_NEAR(static_cast<double>(graph.macs()), 15.47e9, 0.005e9);
}

TEST(Figures, ReductionOfInception3aSavesWeights) {
  const auto weights = [](std::int64_t in, std::int64_t out, int kernel) {
    const Graph graph =
        parse_network(fmt::format("name = \"x\"\ninput = {{ channels = {}, height = 28, width = 28 }}\n"
                                  "layers = [ {{ type = \"convolution\", outputs = {}, kernel = {}, padding "
                                  "= {}, bias = false }} ]\n",
                                  in, out, kernel, kernel / 2),
                      "net.toml");
    EXPECT_EQ(graph.activations().back().shape, (Shape{out, 28, 28}));
    return graph.parameters();
  };
  EXPECT_EQ(weights(192, 64, 1) + weights(192, 128, 3) + weights(192, 32, 5), 387072);
  EXPECT_EQ(weights(192, 64, 1) + weights(192, 96, 1) + weights(96, 128, 3) + weights(192, 16, 1) +
                weights(16, 32, 5),
            157184);
}

TEST(Figures, ActivationsOfThreeConvolutionsOf64Maps) {
  const Graph graph = parse(R"(
name = "x"
input = { channels = 3, height = 224, width = 224 }
layers = [
  { type = "convolution", outputs = 64, kernel = 3, padding = 1 },
  { type = "convolution", outputs = 64, kernel = 3, padding = 1 },
  { type = "convolution", outputs = 64, kernel = 3, padding = 1 },
])");
  EXPECT_EQ(graph.activation_elements() - graph.input().elements(), 9633792);
}

TEST(Shapes, OfConvolutionAreRoundedDown) {
  EXPECT_EQ(conv_width(227, "kernel = 11, stride = 4"), 55);
  EXPECT_EQ(conv_width(11, "kernel = 5, stride = 2"), 4);
  EXPECT_EQ(conv_width(5, "kernel = 2, stride = 2, padding = 1"), 3);
  EXPECT_EQ(conv_width(28, "kernel = 28"), 1);
  EXPECT_EQ(conv_width(7, "kernel = 3, dilation = 3"), 1);
  EXPECT_EQ(conv_width(10, "kernel = 1, stride = 16384"), 1);
}

TEST(Shapes, OfConvolutionMayDifferByAxis) {
  EXPECT_EQ(
      shape_after("type = \"convolution\", outputs = 4, kernel = [3, 5], stride = [2, 3], padding = [1, 2]",
                  {3, 12, 20}),
      (Shape{4, 6, 7}));
}

// TensorFlow's "same": ceil(input / stride), the odd pixel of padding at the end.
TEST(Shapes, OfSamePaddingAreTheInputOverTheStrideRoundedUp) {
  for (const std::int64_t width : {1, 2, 5, 8, 75, 224}) {
    for (const int kernel : {1, 2, 3, 5}) {
      for (const int stride : {1, 2, 3, 7}) {
        for (const int dilation : {1, 3}) {
          const std::string options =
              fmt::format("kernel = {}, stride = {}, padding = \"same\"", kernel, stride);
          EXPECT_EQ(conv_width(width, fmt::format("{}, dilation = {}", options, dilation)),
                    (width + stride - 1) / stride)
              << width << options << dilation;
          EXPECT_EQ(shape_after("type = \"max_pool\", " + options, {2, width, width}).width,
                    (width + stride - 1) / stride)
              << width << options;
        }
      }
    }
  }
}

TEST(Shapes, SamePaddingPutsTheOddPixelAtTheEnd) {
  const Graph graph = parse(R"(
name = "x"
input = { channels = 1, height = 8, width = 9 }
layers = [ { type = "convolution", outputs = 1, kernel = [4, 3], stride = [1, 2], padding = "same" } ])");
  const auto& op = std::get<Convolution>(graph.layers()[0].op);
  EXPECT_EQ((std::array{op.padding_top, op.padding_bottom, op.padding_left, op.padding_right}),
            (std::array<std::int64_t, 4>{1, 2, 1, 1}));
}

TEST(Shapes, OfUnevenPaddingCountEachSide) {
  EXPECT_EQ(shape_after("type = \"convolution\", outputs = 4, kernel = 3, padding = { top = 2, right = 1 }",
                        {3, 6, 6}),
            (Shape{4, 6, 5}));
}

// Odd sizes need no asymmetric padding for "same" at stride 2: 75 → 38.
TEST(Shapes, OfStrideTwoHalveAndRoundUpWhereTheSizeIsOdd) {
  EXPECT_EQ(conv_width(75, "kernel = 3, stride = 2, padding = 1"), 38);
}

TEST(Shapes, OfPoolsAreRoundedAsTheFileSays) {
  EXPECT_EQ(shape_after("type = \"max_pool\", kernel = 3, stride = 2", {5, 12, 13}), (Shape{5, 5, 6}));
  EXPECT_EQ(shape_after("type = \"max_pool\", kernel = 3, stride = 2, rounding = \"up\"", {5, 12, 13}),
            (Shape{5, 6, 6}));
  EXPECT_EQ(shape_after("type = \"average_pool\", kernel = 2, stride = 2, rounding = \"up\"", {5, 7, 9}),
            (Shape{5, 4, 5}));
  EXPECT_EQ(shape_after("type = \"max_pool\", global = true", {5, 7, 9}), (Shape{5, 1, 1}));
  // Caffe: the last window must start inside the input or its left padding.
  EXPECT_EQ(
      shape_after("type = \"max_pool\", kernel = 3, stride = 2, padding = 1, rounding = \"up\"", {5, 8, 8}),
      (Shape{5, 5, 5}));
  EXPECT_EQ(
      shape_after("type = \"max_pool\", kernel = 2, stride = 2, padding = 1, rounding = \"up\"", {5, 7, 7}),
      (Shape{5, 4, 4}));
  EXPECT_EQ(shape_after("type = \"max_pool\", kernel = 1, stride = 3, rounding = \"up\"", {5, 4, 4}),
            (Shape{5, 2, 2}));
}

TEST(Shapes, OfClipAndPaddedChannels) {
  EXPECT_EQ(shape_after("type = \"clip\", maximum = 6", {5, 7, 9}), (Shape{5, 7, 9}));
  EXPECT_EQ(shape_after("type = \"pad_channels\", outputs = 16, before = 4", {5, 7, 9}), (Shape{16, 7, 9}));
  EXPECT_EQ(shape_after("type = \"pad_channels\", outputs = 5", {5, 7, 9}), (Shape{5, 7, 9}));
}

TEST(Shapes, OfConcatAddUpTheChannels) {
  EXPECT_EQ(shape_after("type = \"concat\", from = [\"input\", \"input\", \"input\"]", {5, 7, 9}),
            (Shape{15, 7, 9}));
}

TEST(Shapes, OfSlicesAndFlattenedImages) {
  EXPECT_EQ(shape_after("type = \"slice\", first = 1, count = 4", {5, 7, 9}), (Shape{4, 7, 9}));
  EXPECT_EQ(shape_after("type = \"flatten\"", {5, 7, 9}), (Shape{315, 1, 1}));
  EXPECT_EQ(shape_after("type = \"softmax\"", {5, 7, 9}), (Shape{5, 7, 9}));
}

TEST(Heads, ThatAreAuxiliaryCountOnlyInTraining) {
  const Graph graph = parse(networks::kHeads);
  const std::int64_t main = 16 * 27 + 16 + 16 * 16 + 16 + 8 * 16 * 9 + 8 + 10 * 32 + 10;
  const std::int64_t heads = 8 * 16 + 2 * 8 + 10 * 128 + 10 + 10 * 16 + 10;
  EXPECT_EQ(graph.parameters(), main);
  EXPECT_EQ(graph.parameters_training(), main + heads);
  EXPECT_EQ(graph.macs(), 144 * (16 * 27 + 16 * 16 + 8 * 16 * 9) + 320);
  EXPECT_EQ(graph.layers()[static_cast<std::size_t>(graph.loss_layer())].name, "main");
  for (int i = 0; i < static_cast<int>(graph.layers().size()); ++i) {
    const std::string& name = graph.layers()[static_cast<std::size_t>(i)].name;
    EXPECT_EQ(graph.auxiliary(i), name[0] == 'h' || name[0] == 'g' || name == "other") << name;
  }
}

// PyTorch's ConvTranspose2d.
TEST(Shapes, OfDeconvolutionUndoThoseOfConvolution) {
  EXPECT_EQ(
      shape_after("type = \"deconvolution\", outputs = 5, kernel = 4, stride = 2, padding = 1", {3, 7, 9}),
      (Shape{5, 14, 18}));
  EXPECT_EQ(shape_after("type = \"deconvolution\", outputs = 5, kernel = 3, stride = 2, padding = 1, "
                        "output_padding = [0, 1]",
                        {3, 4, 4}),
            (Shape{5, 7, 8}));
  EXPECT_EQ(shape_after("type = \"deconvolution\", outputs = 2, kernel = 3, dilation = 2", {3, 4, 4}),
            (Shape{2, 8, 8}));
}

TEST(Shapes, OfCropAndUpsampleFollowTheFileOrTheSecondInput) {
  EXPECT_EQ(shape_after("type = \"crop\", size = [2, 3]", {5, 4, 4}), (Shape{5, 2, 3}));
  EXPECT_EQ(
      shape_after(
          "name = \"p\", type = \"max_pool\", kernel = 2 }, { type = \"crop\", from = [\"input\", \"p\"]",
          {5, 4, 6}),
      (Shape{5, 3, 5}));
  EXPECT_EQ(shape_after("type = \"upsample\", factor = [2, 3]", {5, 4, 4}), (Shape{5, 8, 12}));
  EXPECT_EQ(shape_after("type = \"upsample\", size = 7", {5, 4, 4}), (Shape{5, 7, 7}));
}

TEST(Figures, OfALocallyConnectedLayerAreThoseOfAConvolutionWithAKernelForEachPixel) {
  const Graph graph = parse(R"(
name = "x"
input = { channels = 3, height = 8, width = 8 }
layers = [ { type = "locally_connected", outputs = 4, kernel = 3, stride = 2 } ])");
  EXPECT_EQ(graph.activations().back().shape, (Shape{4, 3, 3}));
  EXPECT_EQ(graph.parameters(), 9 * 4 * (3 * 9 + 1));
  EXPECT_EQ(graph.macs(), 9 * 4 * 3 * 9);
}

TEST(Figures, ReceptiveFieldThroughADeconvolution) {
  const Graph graph = parse(R"(
name = "x"
input = { channels = 1, height = 16, width = 16 }
layers = [
  { type = "convolution", outputs = 2, kernel = 2, stride = 2 },
  { type = "deconvolution", outputs = 2, kernel = 4, stride = 2, padding = 1 },
])");
  const ReceptiveField field = receptive_fields(graph).back().y;
  EXPECT_EQ(field.size, 4);    // two neighbours, each of two pixels
  EXPECT_EQ(field.stride, 1);  // back at the input's pace
  EXPECT_EQ(field.offset, -2);
}

TEST(Shapes, AFullyConnectedLayerIsAConvolution) {
  const auto network = [](const char* rows, int size) {
    return parse_network(
        fmt::format(
            "name = \"x\"\ninput = {{ channels = 512, height = {0}, width = {0} }}\nlayers = [ {1} ]\n", size,
            rows),
        "net.toml");
  };
  const char* convolutions =
      R"({ type = "convolution", outputs = 4096, kernel = 7 }, { type = "convolution", outputs = 4096, kernel = 1 },
                                { type = "convolution", outputs = 1000, kernel = 1 })";
  const char* connected =
      R"({ type = "fully_connected", outputs = 4096 }, { type = "fully_connected", outputs = 4096 },
                             { type = "fully_connected", outputs = 1000 })";
  EXPECT_EQ(network(convolutions, 7).parameters(), network(connected, 7).parameters());
  EXPECT_EQ(network(convolutions, 7).macs(), network(connected, 7).macs());
  EXPECT_EQ(network(convolutions, 12).activations().back().shape, (Shape{1000, 6, 6}));  // VGG on 384×384
}

TEST(Shapes, OfGroupsDivideTheWeightsAndTheWork) {
  const auto of = [](int groups) {
    return parse_network(
        fmt::format("name = \"x\"\ninput = {{ channels = 48, height = 27, width = 27 }}\nlayers = [ {{ type "
                    "= \"convolution\", "
                    "outputs = 96, kernel = 5, padding = 2, groups = {}, bias = false }} ]\n",
                    groups),
        "net.toml");
  };
  EXPECT_EQ(of(1).parameters(), 2 * of(2).parameters());
  EXPECT_EQ(of(1).macs(), 48 * of(48).macs());
}

TEST(Shapes, OfLayersOfSingleValuesAreThoseOfTheirInputs) {
  for (const char* row :
       {"type = \"relu\", slope = 0.1", "type = \"prelu\"", "type = \"elu\"", "type = \"sigmoid\"",
        "type = \"tanh\"", "type = \"scale\"", "type = \"lrn\", region = \"within\"",
        "type = \"product\", from = [\"input\", \"input\"]",
        "type = \"maximum\", from = [\"input\", \"input\"]"}) {
    EXPECT_EQ(shape_after(row, {5, 3, 7}), (Shape{5, 3, 7})) << row;
  }
}

TEST(Parameters, OfChannelsDoNotDecayAndBeginAsPublished) {
  const auto parameters = [](const std::string& row) {
    const std::string text =
        "name = \"x\"\ninput = { channels = 5, height = 3, width = 3 }\nlayers = [ { " + row + " } ]\n";
    return parse(text.c_str()).layers()[0].parameters;
  };
  const auto slopes = parameters("type = \"prelu\"");
  ASSERT_EQ(slopes.size(), 1U);
  EXPECT_EQ(slopes[0].elements(), 5);
  EXPECT_EQ(slopes[0].kind, ParameterKind::norm);
  EXPECT_EQ(slopes[0].init.value, 0.25);
  EXPECT_EQ(parameters("type = \"prelu\", shared = true")[0].elements(), 1);
  const auto both = parameters("type = \"scale\"");
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].name, "scale");
  EXPECT_EQ(both[0].init.value, 1);
  EXPECT_EQ(both[1].name, "shift");
  EXPECT_EQ(both[1].init.value, 0);
  EXPECT_EQ(both[1].kind, ParameterKind::norm);
  EXPECT_EQ(parameters("type = \"scale\", shift = false").size(), 1U);
}

}  // namespace
}  // namespace convoy
