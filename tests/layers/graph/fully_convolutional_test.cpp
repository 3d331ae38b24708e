#include "layers/graph/fully_convolutional.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/layers/graph/find_layer.h"
#include "tests/layers/graph/networks.h"
#include "tests/layers/graph/same_network.h"
#include "tests/usage_error.h"

namespace convoy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Graph network(const std::string& rows, Shape input = {2, 6, 6}) {
  return parse_network(fmt::format("name = \"x\"\ninput = {{ channels = {}, height = {}, width = {} }}\n"
                                   "layers = [\n{}\n]\n",
                                   input.channels, input.height, input.width, rows),
                       "net.toml");
}

FullyConvolutional converted(const Graph& graph, std::int64_t more = 0) {
  const Shape in = graph.input();
  return fully_convolutional(graph, {in.channels, in.height + more, in.width + more});
}

Shape shape_of(const Graph& graph, const std::string& name) {
  return graph.output_shape(layer_of(graph, name));
}

std::string refusal(const std::string& rows, std::int64_t more = 2) {
  return usage_error_of([&] { (void)converted(network(rows), more); });
}

// Simonyan and Zisserman 2015, section 3.2: 7x7 and 1x1 convolutions; 384 pixels give 6x6 positions.
TEST(FullyConvolutional, Vgg16GivesAMapOf6x6On384Pixels) {
  const Graph vgg = parse_network(networks::kVgg16, "vgg16.toml");
  const FullyConvolutional own = converted(vgg);
  EXPECT_THAT(own.converted, ElementsAre("fully_connected1", "fully_connected2", "fully_connected3"));
  EXPECT_EQ(own.graph.parameters(), 138357544);
  EXPECT_EQ(own.graph.macs(), vgg.macs());
  const FullyConvolutional large = fully_convolutional(vgg, {3, 384, 384});
  EXPECT_EQ(layer_of(large.graph, "fully_connected1").parameters[0].dims,
            (std::vector<std::int64_t>{4096, 512, 7, 7}));
  EXPECT_EQ(layer_of(large.graph, "fully_connected2").parameters[0].dims,
            (std::vector<std::int64_t>{4096, 4096, 1, 1}));
  EXPECT_EQ(shape_of(large.graph, "max_pool5"), (Shape{512, 12, 12}));
  EXPECT_EQ(shape_of(large.graph, "fully_connected1"), (Shape{4096, 6, 6}));
  EXPECT_EQ(shape_of(large.graph, "fully_connected3"), (Shape{1000, 6, 6}));
  EXPECT_EQ(shape_of(large.graph, "softmax_loss1"), (Shape{1000, 6, 6}));
  EXPECT_EQ(large.graph.classes(), 1000);
  EXPECT_EQ(large.edges.size(), 13U);
  expect_written_right(large.graph);
}

TEST(FullyConvolutional, KeepsNamesAndTheOutputOfEveryLayerAtItsOwnSize) {
  for (const char* text : {networks::kLeNet, networks::kAlexNet, networks::kTangle, networks::kBlocks,
                           networks::kFanOut, networks::kHeads}) {
    const Graph graph = parse_network(text, "net.toml");
    const Graph form = converted(graph).graph;
    std::size_t kept = 0;
    for (const Layer& layer : graph.layers()) {
      if (type_of(layer.op) == "flatten") continue;
      const Layer& twin = form.layers()[kept++];
      EXPECT_EQ(twin.name, layer.name);
      EXPECT_EQ(form.output_shape(twin).elements(), graph.output_shape(layer).elements()) << layer.name;
      ASSERT_EQ(twin.parameters.size(), layer.parameters.size());
      for (std::size_t p = 0; p < twin.parameters.size(); ++p)
        EXPECT_EQ(twin.parameters[p].elements(), layer.parameters[p].elements()) << layer.name;
    }
    EXPECT_EQ(form.layers().size(), kept);
    expect_written_right(form);
  }
}

TEST(FullyConvolutional, MakesAGlobalPoolOneOverWindows) {
  const Graph graph = network(
      "  { type = \"convolution\", outputs = 4, kernel = 3 }, { name = \"g\", type = \"average_pool\", "
      "global "
      "= true },\n  { name = \"f\", type = \"fully_connected\", outputs = 3 },");
  const FullyConvolutional form = converted(graph, 2);
  EXPECT_THAT(form.converted, ElementsAre("g", "f"));
  EXPECT_EQ(shape_of(form.graph, "g"), (Shape{4, 3, 3}));
  EXPECT_EQ(window_y_of(layer_of(form.graph, "g").op).kernel, 4);
  EXPECT_EQ(window_y_of(layer_of(form.graph, "f").op).kernel, 1);
}

TEST(FullyConvolutional, LeavesFlattenOutAndWhatIsAlikeForAllValuesIn) {
  const Graph graph = network(
      "  { name = \"flat\", type = \"flatten\" }, { name = \"r\", type = \"relu\" },\n"
      "  { name = \"twice\", type = \"sum\", from = [\"r\", \"flat\"] }, { type = \"dropout\" },\n"
      "  { name = \"f\", type = \"fully_connected\", outputs = 3 },");
  const FullyConvolutional form = converted(graph, 1);
  EXPECT_EQ(form.graph.layers().size(), 4U);
  EXPECT_EQ(shape_of(form.graph, "twice"), (Shape{2, 7, 7}));
  EXPECT_EQ(shape_of(form.graph, "f"), (Shape{3, 2, 2}));
  EXPECT_EQ(layer_of(form.graph, "f").parameters[0].dims, (std::vector<std::int64_t>{3, 2, 6, 6}));
}

TEST(FullyConvolutional, KeepsThePaddingThatSameIsAtItsOwnSize) {
  const Graph graph = network(
      "  { name = \"c\", type = \"convolution\", outputs = 4, kernel = 3, stride = 2, padding = \"same\" },\n"
      "  { name = \"f\", type = \"fully_connected\", outputs = 3 },");
  const FullyConvolutional form = converted(graph, 1);  // "same" would begin a pixel earlier on 7 pixels
  EXPECT_EQ(window_y_of(layer_of(form.graph, "c").op).padding, 0);
  EXPECT_THAT(form.edges, ElementsAre("c"));
}

TEST(FullyConvolutional, NamesTheLayersThatTreatEdgesApart) {
  const auto edges = [](const std::string& row, Shape input = {2, 6, 6}) {
    return converted(network("  { name = \"e\", " + row + " }, { type = \"fully_connected\", outputs = 3 },",
                             input))
        .edges;
  };
  EXPECT_THAT(edges("type = \"convolution\", outputs = 3, kernel = 3"), IsEmpty());
  EXPECT_THAT(edges("type = \"convolution\", outputs = 3, kernel = 3, padding = { right = 1 }"),
              ElementsAre("e"));
  EXPECT_THAT(edges("type = \"max_pool\", kernel = 3, padding = 1"), ElementsAre("e"));
  EXPECT_THAT(edges("type = \"max_pool\", kernel = 2, stride = 2, rounding = \"up\""), IsEmpty());
  EXPECT_THAT(edges("type = \"max_pool\", kernel = 3, stride = 2, rounding = \"up\""), ElementsAre("e"));
  EXPECT_THAT(edges("type = \"max_pool\", kernel = 3, stride = 2"), IsEmpty());
  EXPECT_THAT(edges("type = \"lrn\", size = 3"), IsEmpty());
  EXPECT_THAT(edges("type = \"lrn\", size = 3, region = \"within\""), ElementsAre("e"));
  EXPECT_THAT(edges("type = \"upsample\", factor = 2"), ElementsAre("e"));
  EXPECT_THAT(edges("type = \"average_pool\", global = true"), IsEmpty());
}

TEST(FullyConvolutional, RefusesWhatHasNoSuchForm) {
  const std::string end = ", { type = \"fully_connected\", outputs = 3 },";
  EXPECT_THAT(refusal("  { type = \"convolution\", outputs = 3, kernel = 3 },"),
              AllOf(HasSubstr("\"x\" has no fully connected layer"), HasSubstr("already")));
  EXPECT_THAT(refusal("  { name = \"l\", type = \"locally_connected\", outputs = 3, kernel = 3 }" + end),
              AllOf(StartsWith("net.toml:4:3: layer \"l\""), HasSubstr("each position")));
  EXPECT_THAT(refusal("  { name = \"u\", type = \"upsample\", size = 12 }" + end), HasSubstr("fixed size"));
  EXPECT_THAT(refusal("  { name = \"c\", type = \"crop\", size = 3 }" + end), HasSubstr("fixed size"));
  EXPECT_THAT(refusal("  { type = \"flatten\" }, { name = \"bn\", type = \"batch_norm\" }" + end),
              AllOf(HasSubstr("\"bn\" (batch_norm)"), HasSubstr("flattened image of 2x6x6")));
  EXPECT_THAT(
      refusal("  { name = \"f\", type = \"flatten\" }, { type = \"concat\", from = [\"f\", \"f\"] }" + end),
      HasSubstr("flattened image"));
  EXPECT_THAT(refusal("  { type = \"relu\" }" + end, -1),
              AllOf(HasSubstr("5x5"), HasSubstr("smaller"), HasSubstr("6x6")));
}

TEST(FullyConvolutional, SaysWhereBranchesDoNotMeetOnLargerImages) {
  const std::string rows =
      "  { name = \"a\", type = \"max_pool\", kernel = 2, stride = 2 }, { name = \"f\", type = "
      "\"fully_connected\", outputs = 3 },\n"
      "  { name = \"g\", type = \"fully_connected\", outputs = 3, from = \"input\" },\n"
      "  { name = \"s\", type = \"sum\", from = [\"f\", \"g\"] },";
  EXPECT_THAT(refusal(rows, 2), AllOf(HasSubstr("images of 8x8"), HasSubstr("\"s\" (sum)")));
  EXPECT_EQ(refusal(rows, 0), "no error");
}

}  // namespace
}  // namespace convoy
