#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/layers/graph/networks.h"
#include "tests/layers/graph/same_network.h"

namespace convoy {
namespace {

using testing::HasSubstr;

/// Rows whose settings are none of them the defaults, or are so in another way; at least one a type.
const std::vector<std::string> kRows{
    "type = \"convolution\", outputs = 6, kernel = 3",
    "type = \"convolution\", outputs = 6, kernel = [3, 5], stride = [1, 2], padding = [2, 0], dilation = [2, "
    "1], "
    "groups = 2, bias = false",
    "type = \"convolution\", outputs = 4, kernel = 3, stride = 2, padding = \"same\", weight_init = "
    "\"xavier\", "
    "bias_init = { constant = 0.1 }",
    "type = \"convolution\", outputs = 4, kernel = 3, padding = { top = 1, bottom = 2 }, weight_init = { "
    "gaussian "
    "= 1e-05 }",
    "type = \"deconvolution\", outputs = 6, kernel = [4, 3], stride = [3, 2], padding = [1, 0], "
    "output_padding = "
    "[2, 1], dilation = 2, groups = 2, bias = false, weight_init = \"bilinear\"",
    "type = \"deconvolution\", outputs = 6, kernel = 3, bias_init = { constant = -2 }",
    "type = \"locally_connected\", outputs = 3, kernel = [3, 2], stride = 2, padding = [1, 0], bias = false, "
    "weight_init = \"xavier\"",
    "type = \"locally_connected\", outputs = 3, kernel = 2, bias_init = { gaussian = 0.5 }",
    "type = \"fully_connected\", outputs = 7",
    "type = \"fully_connected\", outputs = 7, bias = false, weight_init = { gaussian = 0.1 }, bias_init = { "
    "constant = 1 }",
    "type = \"max_pool\", kernel = 3, stride = 2, rounding = \"up\"",
    "type = \"max_pool\", kernel = [3, 2], stride = [2, 1], padding = \"same\"",
    "type = \"max_pool\", global = true",
    "type = \"average_pool\", kernel = 3, padding = 1, count_padding = false",
    "type = \"average_pool\", kernel = 3, stride = 2, padding = [1, 0]",
    "type = \"average_pool\", kernel = 3, stride = 2, padding = \"same\"",
    "type = \"average_pool\", global = true",
    "type = \"l2_pool\", kernel = 2, stride = 2",
    "type = \"crop\", size = [3, 4], offset = [1, 2]",
    "type = \"crop\", from = [\"input\", \"input\"], centered = true",
    "type = \"crop\", size = 5, centered = true",
    "type = \"upsample\", factor = [2, 3]",
    "type = \"upsample\", size = 16",
    "type = \"relu\"",
    "type = \"relu\", slope = -0.25",
    "type = \"elu\"",
    "type = \"elu\", alpha = 0.3",
    "type = \"sigmoid\"",
    "type = \"tanh\"",
    "type = \"prelu\"",
    "type = \"prelu\", shared = true",
    "type = \"clip\", minimum = -1.5, maximum = 6",
    "type = \"lrn\", size = 7, alpha = 3e-5, beta = 0.6, k = 2",
    "type = \"lrn\", region = \"within\", size = 3",
    "type = \"batch_norm\", epsilon = 1e-3, momentum = 0.01",
    "type = \"scale\", shift = false",
    "type = \"dropout\", rate = 0.2",
    "type = \"sum\", from = [\"input\", \"input\"]",
    "type = \"product\", from = [\"input\", \"input\", \"input\"]",
    "type = \"maximum\", from = [\"input\", \"input\"]",
    "type = \"concat\", from = [\"input\", \"input\"]",
    "type = \"slice\", first = 1, count = 2",
    "type = \"pad_channels\", outputs = 9, before = 2",
    "type = \"flatten\"",
    "type = \"softmax\"",
    "type = \"softmax_loss\", map = true, weight = 0.3, label_smoothing = 0.1",
    "type = \"squared_error\", map = true, weight = 1e-7",
    "type = \"hinge\", map = true, norm = 2",
    "type = \"sigmoid_cross_entropy\", map = true, weight = 0.1",
};

TEST(NetworkWriter, GivesEachSettingOfEachLayerBack) {
  for (const std::string& row : kRows) {
    expect_written_right(parse_network(
        fmt::format(
            "name = \"one\"\ninput = {{ channels = 4, height = 12, width = 11 }}\nlayers = [\n  {{ {} "
            "}},\n]\n",
            row),
        "net.toml"));
  }
}

TEST(NetworkWriter, IsTestedOnEveryLayerType) {
  for (const std::string& type : layer_type_names()) {
    EXPECT_TRUE(std::any_of(kRows.begin(), kRows.end(), [&](const std::string& row) {
      return row.find("type = \"" + type + "\"") != std::string::npos;
    })) << type;
  }
}

TEST(NetworkWriter, KeepsBranchesBlocksAndHeads) {
  for (const char* text : {networks::kLeNet, networks::kTangle, networks::kBlocks, networks::kFanOut,
                           networks::kHeads, networks::kUpAndDown}) {
    expect_written_right(parse_network(text, "net.toml"));
  }
}

TEST(NetworkWriter, QuotesNames) {
  expect_written_right(
      parse_network("name = 'a \"b\" \\ c'\ninput = { channels = 1, height = 1, width = 1 }\n"
                    "layers = [ { name = \"x\\n\\\"\", type = \"relu\" } ]",
                    "net.toml"));
}

TEST(NetworkWriter, WritesOneLayerALine) {
  EXPECT_THAT(network_to_toml(parse_network(networks::kLeNet, "net.toml")),
              HasSubstr("input = { channels = 1, height = 28, width = 28 }\nlayers = [\n"
                        "  { name = \"conv1\", type = \"convolution\", outputs = 20, kernel = 5 },\n"
                        "  { name = \"max_pool1\", type = \"max_pool\", kernel = 2, stride = 2, rounding = "
                        "\"up\" },\n"));
}

}  // namespace
}  // namespace convoy
