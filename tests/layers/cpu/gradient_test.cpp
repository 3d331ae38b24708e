#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <numeric>
#include <ostream>

#include "layers/cpu/cpu_backend.h"
#include "tests/golden/hashed_values.h"
#include "tests/layers/cpu/layer_bench.h"

// The gradients of every layer type and option against differences of its own forward pass.
namespace convoy {
namespace {

enum class Values { hashed, away_from_zero, spread };

struct GradientCase {
  std::string name;
  std::string row;
  Shape input;
  std::int64_t batch = 2;
  double tolerance = 1e-5;  ///< of the gradient's norm
  double step = 0.25;       ///< of the differences; layers that are linear between kinks allow a long one
  Values values = Values::hashed;
  friend void PrintTo(const GradientCase& one, std::ostream* out) { *out << one.row; }
};

/// `spread` keeps any two values of one input at least 0.05 apart, and of (up to four) different inputs
/// 0.0125, so that no step of the differences changes which is the largest.
std::vector<float> input_values(Values kind, std::size_t input, std::size_t count) {
  std::vector<float> values = hashed_values(static_cast<std::uint32_t>(1 + input), count);
  if (kind == Values::away_from_zero) {
    for (float& v : values) v += v < 0 ? -0.5F : 0.5F;
  }
  if (kind == Values::spread) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    for (std::size_t rank = 0; rank < count; ++rank) {
      values[order[rank]] = 0.05F * (static_cast<float>(rank) - static_cast<float>(count) / 2) +
                            0.0125F * static_cast<float>(input);
    }
  }
  return values;
}

class GradientCheck : public testing::TestWithParam<GradientCase> {
 protected:
  /// What the gradients are of: the loss itself, or Σ output · output_gradient.
  double objective() {
    bench_->forward();
    if (bench_->is_loss()) return bench_->metrics.loss * static_cast<double>(bench_->context.sample_weight);
    double sum = 0;
    for (std::size_t i = 0; i < bench_->output.size(); ++i) {
      sum += static_cast<double>(bench_->output[i]) * static_cast<double>(bench_->output_gradient[i]);
    }
    return sum;
  }

  /// The derivative by one value, from four points (error of fourth order).
  double difference(float& value) {
    const float start = value;
    const auto at = [&](double offset) {
      value = static_cast<float>(static_cast<double>(start) + offset);
      return objective();
    };
    const double h = GetParam().step;
    const double slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    value = start;
    return slope;
  }

  void check(std::vector<float>& values, const std::vector<float>& gradient, const std::string& what) {
    double error = 0;
    double norm = 0;
    const std::size_t stride = 1 + values.size() / 150;  // a sample of large ones
    for (std::size_t i = 0; i < values.size(); i += stride) {
      const double expected = difference(values[i]);
      error += std::pow(static_cast<double>(gradient[i]) - expected, 2);
      norm += expected * expected;
    }
    EXPECT_GT(norm, 0) << what;
    EXPECT_LE(std::sqrt(error / norm), GetParam().tolerance) << what;
  }

  std::unique_ptr<LayerBench> bench_;
};

TEST_P(GradientCheck, BackwardEqualsDifferencesOfForward) {
  const GradientCase& one = GetParam();
  set_cpu_threads(1);  // thousands of runs of a few microseconds each
  bench_ = std::make_unique<LayerBench>(one.row, one.input, one.batch);
  for (std::size_t i = 0; i < bench_->inputs.size(); ++i)
    bench_->inputs[i] = input_values(one.values, i, bench_->inputs[i].size());
  for (std::size_t p = 0; p < bench_->parameters.size(); ++p) {
    bench_->parameters[p] = hashed_values(static_cast<std::uint32_t>(10 + p), bench_->parameters[p].size());
  }
  bench_->output_gradient = hashed_values(30, bench_->output_gradient.size());
  for (std::size_t n = 0; n < bench_->labels.size(); ++n) bench_->labels[n] = static_cast<std::int32_t>(n);
  bench_->forward();
  bench_->backward();
  const auto input_gradients = bench_->input_gradients;
  const auto parameter_gradients = bench_->parameter_gradients;
  for (std::size_t i = 0; i < bench_->inputs.size(); ++i)
    check(bench_->inputs[i], input_gradients[i], "input");
  for (std::size_t p = 0; p < bench_->parameters.size(); ++p) {
    check(bench_->parameters[p], parameter_gradients[p], bench_->layer().parameters[p].name);
  }
}

GradientCase convolution(std::string name, const std::string& options, Shape input, std::int64_t batch = 2) {
  return {std::move(name), "{ type = \"convolution\", " + options + " }", input, batch};
}

GradientCase deconvolution(std::string name, const std::string& options, Shape input) {
  return {std::move(name), "{ type = \"deconvolution\", " + options + " }", input};
}

GradientCase pool(std::string name, const std::string& options, Shape input) {
  const bool max = name.substr(0, 3) == "max";
  const std::string row =
      std::string("{ type = \"") + (max ? "max_pool" : "average_pool") + "\", " + options + " }";
  // Max: two steps stay below half of the distance between values.
  return {std::move(name),
          row,
          input,
          2,
          max ? 1e-3 : 1e-5,
          max ? 0.01 : 0.25,
          max ? Values::spread : Values::hashed};
}

GradientCase smooth(std::string name, std::string row, Shape input, std::int64_t batch = 2) {
  return {std::move(name), std::move(row), input, batch, 2e-4, 0.03, Values::hashed};
}

const GradientCase kGradients[] = {
    convolution("conv", "outputs = 3, kernel = 3", {2, 5, 5}),
    convolution("conv_no_bias", "outputs = 3, kernel = 3, bias = false", {2, 5, 5}),
    convolution("conv_padding", "outputs = 5, kernel = 3, padding = 1", {3, 4, 4}),
    convolution("conv_stride", "outputs = 3, kernel = 3, stride = 2, padding = 1", {2, 6, 6}),
    convolution("conv_stride_leaves_a_rest", "outputs = 2, kernel = 2, stride = 3", {2, 6, 7}),
    convolution("conv_dilation", "outputs = 2, kernel = 3, dilation = 2, padding = 2", {2, 6, 6}),
    convolution("conv_groups", "outputs = 6, kernel = 3, groups = 2, padding = 1", {4, 4, 4}),
    convolution("conv_depthwise", "outputs = 5, kernel = 3, groups = 5, padding = 1", {5, 4, 4}),
    convolution("conv_depthwise_16", "outputs = 16, kernel = 3, groups = 16, padding = 1, bias = false",
                {16, 4, 4}),
    convolution("conv_depthwise_multiplier", "outputs = 6, kernel = 3, groups = 3", {3, 5, 5}),
    convolution("conv_rectangular", "outputs = 2, kernel = [2, 3], stride = [1, 2], padding = [1, 0]",
                {3, 4, 7}),
    convolution("conv_same", "outputs = 3, kernel = 3, stride = 2, padding = \"same\"", {2, 6, 5}),
    convolution("conv_same_even_kernel", "outputs = 3, kernel = [2, 4], padding = \"same\"", {2, 5, 5}),
    convolution("conv_same_dilated", "outputs = 2, kernel = 2, dilation = 3, padding = \"same\"", {2, 6, 6}),
    convolution("conv_same_wide", "outputs = 16, kernel = 3, stride = 2, padding = \"same\"", {16, 6, 6}),
    convolution("conv_uneven_padding",
                "outputs = 3, kernel = 3, padding = { top = 2, left = 0, bottom = 1, right = 3 }", {2, 4, 5}),
    convolution("conv_one_by_one", "outputs = 17, kernel = 1", {5, 3, 3}),
    convolution("conv_of_a_pixel", "outputs = 3, kernel = 1", {4, 1, 1}, 3),
    convolution("conv_winograd_sized", "outputs = 16, kernel = 3, padding = 1", {16, 4, 4}, 9),
    {"fully_connected", "{ type = \"fully_connected\", outputs = 7 }", {3, 4, 2}, 3},
    {"fully_connected_no_bias", "{ type = \"fully_connected\", outputs = 4, bias = false }", {9, 1, 1}, 2},
    deconvolution("deconvolution", "outputs = 4, kernel = 3", {3, 3, 4}),
    deconvolution("deconvolution_stride", "outputs = 5, kernel = 4, stride = 2, padding = 1", {3, 4, 4}),
    deconvolution("deconvolution_output_padding",
                  "outputs = 2, kernel = 3, stride = [2, 3], padding = 1, output_padding = [1, 2]",
                  {3, 3, 3}),
    deconvolution("deconvolution_groups", "outputs = 6, kernel = 3, groups = 2, bias = false", {4, 3, 3}),
    deconvolution("deconvolution_depthwise", "outputs = 16, kernel = 4, stride = 2, groups = 16", {16, 3, 3}),
    deconvolution("deconvolution_dilation", "outputs = 2, kernel = 2, dilation = 3, padding = 1", {2, 3, 3}),
    pool("max_pool", "kernel = 2, stride = 2", {3, 6, 6}),
    pool("max_pool_overlapping", "kernel = 3, stride = 2", {16, 7, 7}),
    pool("max_pool_up", "kernel = 3, stride = 2, rounding = \"up\"", {3, 6, 8}),
    pool("max_pool_padding", "kernel = 3, stride = 2, padding = 1, rounding = \"up\"", {5, 6, 6}),
    pool("max_pool_same", "kernel = 3, stride = 2, padding = \"same\"", {3, 6, 7}),
    pool("max_pool_same_wide", "kernel = [2, 3], padding = \"same\"", {16, 5, 6}),
    pool("average_pool_same", "kernel = 3, stride = 2, padding = \"same\"", {3, 6, 7}),
    pool("average_pool_subsamples", "kernel = 1, stride = 2", {5, 6, 7}),
    pool("max_pool_global", "global = true", {4, 5, 3}),
    pool("average_pool", "kernel = 2, stride = 2", {3, 6, 6}),
    pool("average_pool_up", "kernel = 3, stride = 2, rounding = \"up\"", {3, 6, 8}),
    pool("average_pool_padding", "kernel = 3, stride = 2, padding = 1", {5, 6, 5}),
    pool("average_pool_not_counting_padding",
         "kernel = 3, stride = 2, padding = 1, count_padding = false, rounding = \"up\"", {5, 6, 6}),
    pool("average_pool_rectangular", "kernel = [3, 1], stride = [2, 3]", {2, 7, 7}),
    pool("average_pool_global", "global = true", {16, 5, 3}),
    smooth("l2_pool", "{ type = \"l2_pool\", kernel = 2, stride = 2 }", {3, 6, 6}),
    smooth("l2_pool_overlapping", "{ type = \"l2_pool\", kernel = 3, stride = 2, padding = 1 }", {16, 7, 5}),
    smooth("l2_pool_up", "{ type = \"l2_pool\", kernel = 3, stride = 2, rounding = \"up\" }", {5, 6, 8}),
    smooth("l2_pool_same", "{ type = \"l2_pool\", kernel = [3, 2], stride = 2, padding = \"same\" }",
           {3, 6, 7}),
    smooth("l2_pool_global", "{ type = \"l2_pool\", global = true }", {9, 5, 3}),
    {"locally_connected",
     "{ type = \"locally_connected\", outputs = 3, kernel = 3, padding = 1 }",
     {2, 4, 3}},
    {"locally_connected_stride",
     "{ type = \"locally_connected\", outputs = 5, kernel = [4, 2], stride = 2 }",
     {2, 6, 5},
     3},
    {"locally_connected_no_bias",
     "{ type = \"locally_connected\", outputs = 2, kernel = 2, bias = false }",
     {3, 3, 3},
     17},
    {"crop", "{ type = \"crop\", size = [2, 3], offset = [1, 0] }", {3, 4, 5}},
    {"crop_centered", "{ type = \"crop\", size = 2, centered = true }", {16, 5, 4}},
    {"upsample", "{ type = \"upsample\", factor = 2 }", {3, 4, 5}},
    {"upsample_by_axis", "{ type = \"upsample\", factor = [3, 2] }", {16, 3, 2}},
    {"upsample_to_a_size", "{ type = \"upsample\", size = [7, 3] }", {2, 4, 5}},
    {"relu", "{ type = \"relu\" }", {5, 3, 3}, 2, 1e-5, 0.1, Values::away_from_zero},
    {"relu_leaky", "{ type = \"relu\", slope = 0.1 }", {5, 3, 3}, 2, 1e-5, 0.1, Values::away_from_zero},
    {"relu_negative_slope",
     "{ type = \"relu\", slope = -0.5 }",
     {5, 3, 3},
     2,
     1e-5,
     0.1,
     Values::away_from_zero},
    // Clear of 0, where the second derivative jumps.
    {"elu", "{ type = \"elu\" }", {17, 3, 3}, 2, 2e-4, 0.03, Values::away_from_zero},
    {"elu_alpha", "{ type = \"elu\", alpha = 0.3 }", {5, 3, 3}, 2, 2e-4, 0.03, Values::away_from_zero},
    {"elu_negative_alpha",
     "{ type = \"elu\", alpha = -0.7 }",
     {5, 3, 3},
     2,
     2e-4,
     0.03,
     Values::away_from_zero},
    smooth("sigmoid", "{ type = \"sigmoid\" }", {17, 3, 3}),
    smooth("tanh", "{ type = \"tanh\" }", {17, 3, 3}),
    {"prelu", "{ type = \"prelu\" }", {17, 3, 3}, 2, 1e-5, 0.1, Values::away_from_zero},
    {"prelu_shared", "{ type = \"prelu\", shared = true }", {5, 7, 3}, 2, 1e-5, 0.1, Values::away_from_zero},
    {"prelu_of_vectors", "{ type = \"prelu\" }", {19, 1, 1}, 3, 1e-5, 0.1, Values::away_from_zero},
    {"scale", "{ type = \"scale\" }", {17, 3, 3}},
    {"scale_no_shift", "{ type = \"scale\", shift = false }", {5, 5, 4}},
    {"dropout", "{ type = \"dropout\", rate = 0.4 }", {5, 4, 4}},
    {"sum_of_two", "{ type = \"sum\", from = [\"input\", \"input\"] }", {5, 3, 3}},
    {"sum_of_three", "{ type = \"sum\", from = [\"input\", \"input\", \"input\"] }", {16, 2, 2}},
    smooth("product_of_two", "{ type = \"product\", from = [\"input\", \"input\"] }", {5, 3, 3}),
    smooth("product_of_three", "{ type = \"product\", from = [\"input\", \"input\", \"input\"] }",
           {16, 2, 2}),
    {"maximum_of_two",
     "{ type = \"maximum\", from = [\"input\", \"input\"] }",
     {5, 3, 3},
     2,
     1e-3,
     0.003,
     Values::spread},
    {"maximum_of_three",
     "{ type = \"maximum\", from = [\"input\", \"input\", \"input\"] }",
     {16, 2, 2},
     2,
     1e-3,
     0.003,
     Values::spread},
    // The bounds stand between neighbouring values, and values lie beyond both.
    {"clip",
     "{ type = \"clip\", minimum = -1.225, maximum = 1.025 }",
     {5, 3, 3},
     2,
     1e-3,
     0.01,
     Values::spread},
    {"relu6", "{ type = \"clip\", maximum = 6 }", {5, 3, 3}, 2, 1e-5, 0.1, Values::away_from_zero},
    {"pad_channels", "{ type = \"pad_channels\", outputs = 9 }", {5, 3, 3}},
    {"pad_channels_before", "{ type = \"pad_channels\", outputs = 16, before = 3 }", {5, 3, 4}},
    {"concat_of_two", "{ type = \"concat\", from = [\"input\", \"input\"] }", {5, 3, 3}},
    {"concat_of_three", "{ type = \"concat\", from = [\"input\", \"input\", \"input\"] }", {16, 2, 2}},
    {"slice", "{ type = \"slice\", first = 1, count = 3 }", {5, 3, 3}},
    {"slice_from_the_start", "{ type = \"slice\", count = 16 }", {48, 2, 2}},
    {"flatten", "{ type = \"flatten\" }", {5, 3, 2}},
    smooth("softmax", "{ type = \"softmax\" }", {7, 3, 2}),
    smooth("softmax_of_vectors", "{ type = \"softmax\" }", {11, 1, 1}),
    smooth("lrn", "{ type = \"lrn\", size = 5, alpha = 1, k = 2 }", {16, 3, 3}),
    smooth("lrn_few_channels", "{ type = \"lrn\", size = 5, alpha = 2 }", {3, 4, 3}),
    smooth("lrn_beta", "{ type = \"lrn\", size = 3, alpha = 1, beta = 0.5 }", {9, 2, 2}),
    smooth("lrn_any_beta", "{ type = \"lrn\", size = 9, alpha = 1, beta = 0.6 }", {20, 3, 2}),
    smooth("lrn_within", "{ type = \"lrn\", region = \"within\", size = 3, alpha = 2 }", {5, 4, 5}),
    smooth("lrn_within_wider_than_the_image",
           "{ type = \"lrn\", region = \"within\", size = 9, alpha = 2, beta = 1, k = 2 }", {3, 2, 3}),
    smooth("batch_norm", "{ type = \"batch_norm\" }", {5, 4, 4}),
    smooth("batch_norm_16", "{ type = \"batch_norm\", epsilon = 0.01 }", {16, 3, 3}, 3),
    smooth("batch_norm_of_vectors", "{ type = \"batch_norm\" }", {6, 1, 1}, 12),
    smooth("softmax_loss", "{ type = \"softmax_loss\" }", {11, 1, 1}, 4),
    smooth("softmax_loss_smoothed", "{ type = \"softmax_loss\", label_smoothing = 0.2, weight = 3 }",
           {11, 1, 1}, 4),
    smooth("softmax_loss_of_a_map", "{ type = \"softmax_loss\", map = true, weight = 3 }", {11, 3, 2}, 4),
    smooth("sigmoid_cross_entropy_of_a_map", "{ type = \"sigmoid_cross_entropy\", map = true }", {16, 2, 2},
           3),
    smooth("squared_error", "{ type = \"squared_error\" }", {11, 1, 1}, 4),
    smooth("sigmoid_cross_entropy", "{ type = \"sigmoid_cross_entropy\" }", {11, 1, 1}, 4),
    // 45 values 0.05 apart: on both sides of the kinks at 1 and -1, and none on them.
    {"hinge", "{ type = \"hinge\" }", {9, 1, 1}, 5, 1e-3, 0.01, Values::spread},
    {"hinge_squared",
     "{ type = \"hinge\", norm = 2, weight = 0.7 }",
     {9, 1, 1},
     5,
     1e-3,
     0.01,
     Values::spread},
};

INSTANTIATE_TEST_SUITE_P(Layers, GradientCheck, testing::ValuesIn(kGradients),
                         [](const auto& parameter) { return parameter.param.name; });

TEST(GradientChecks, CoverEveryLayerType) {
  for (const std::string& type : layer_type_names()) {
    EXPECT_TRUE(std::any_of(std::begin(kGradients), std::end(kGradients), [&](const GradientCase& one) {
      return one.row.find("\"" + type + "\"") != std::string::npos;
    })) << type;
  }
}

}  // namespace
}  // namespace convoy
