#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/graph/graph.h"
#include "tests/usage_error.h"

// Every mistake in a network file ends in a message with the place, the layer, the key and what was expected.
namespace convoy {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

/// The rows stand from line 4 on, indented by two.
std::string file_of(const std::string& rows) {
  return "name = \"x\"\ninput = { channels = 3, height = 8, width = 8 }\nlayers = [\n" + rows + "\n]\n";
}

std::string message_of(const std::string& text) {
  return usage_error_of([&] { (void)parse_network(text, "net.toml"); });
}

std::string mistake(const std::string& rows) { return message_of(file_of(rows)); }

TEST(Mistakes, AMisspeltKeyIsNamedWithTheRightOne) {
  EXPECT_THAT(mistake("  { name = \"c\", type = \"convolution\", outputs = 4, kernel = 3, paddng = 1 },"),
              AllOf(StartsWith("net.toml:4:64: "), HasSubstr("layer \"c\" (convolution)"),
                    HasSubstr("\"paddng\""), HasSubstr("did you mean \"padding\"")));
}

TEST(Mistakes, AnUnknownTypeIsNamedWithTheRightOne) {
  EXPECT_THAT(mistake("  { type = \"convolutoin\", outputs = 4, kernel = 3 },"),
              AllOf(StartsWith("net.toml:4:12: "), HasSubstr("convolutoin"),
                    HasSubstr("did you mean \"convolution\""), HasSubstr("softmax_loss")));
}

TEST(Mistakes, AMissingKeyIsNamed) {
  EXPECT_THAT(
      mistake("  { type = \"convolution\", outputs = 4 },"),
      AllOf(StartsWith("net.toml:4:"), HasSubstr("\"kernel\" is missing"), HasSubstr("(convolution)")));
  EXPECT_THAT(mistake("  { type = \"fully_connected\" },"), HasSubstr("\"outputs\" is missing"));
  EXPECT_THAT(mistake("  { name = \"a\" },"),
              AllOf(StartsWith("net.toml:4:"), HasSubstr("\"type\" is missing")));
  EXPECT_THAT(mistake("  { type = \"max_pool\" },"), HasSubstr("\"kernel\" is missing"));
}

TEST(Mistakes, AValueOfTheWrongTypeSaysWhatWasExpected) {
  EXPECT_THAT(
      mistake("  { type = \"convolution\", outputs = \"4\", kernel = 3 },"),
      AllOf(StartsWith("net.toml:4:"), HasSubstr("\"outputs\": expected an integer, found a string")));
  EXPECT_THAT(mistake("  { type = \"convolution\", outputs = 4, kernel = 3.5 },"),
              AllOf(HasSubstr("\"kernel\""), HasSubstr("an integer or [height, width]")));
  EXPECT_THAT(mistake("  { type = \"convolution\", outputs = 4, kernel = [3, 3, 3] },"),
              HasSubstr("[height, width]"));
  EXPECT_THAT(mistake("  { type = \"convolution\", outputs = 4, kernel = 3, bias = 1 },"),
              HasSubstr("expected true or false, found an integer"));
  EXPECT_THAT(mistake("  { type = \"dropout\", rate = \"half\" },"),
              HasSubstr("expected a number, found a string"));
  EXPECT_THAT(mistake("  { type = \"relu\", from = 3 },"),
              AllOf(HasSubstr("\"from\""), HasSubstr("expected a string or an array of strings")));
  EXPECT_THAT(mistake("  { type = 7 },"), HasSubstr("\"type\""));
  EXPECT_THAT(mistake("  \"relu\","), AllOf(StartsWith("net.toml:4:3: "), HasSubstr("{ type = \"...\" }")));
}

TEST(Mistakes, OfPaddingSayItsForms) {
  const std::string row = "  { type = \"convolution\", outputs = 4, kernel = 3, padding = ";
  EXPECT_THAT(mistake(row + "\"sam\" },"),
              AllOf(HasSubstr("\"sam\" is not known"), HasSubstr("did you mean \"same\"")));
  EXPECT_THAT(mistake(row + "true },"),
              HasSubstr("an integer, [height, width], { top, left, bottom, right } or \"same\""));
  EXPECT_THAT(mistake(row + "{ topp = 1 } },"),
              AllOf(HasSubstr("padding: unknown key \"topp\""), HasSubstr("did you mean \"top\"")));
  EXPECT_THAT(mistake(row + "{ left = -1 } },"), HasSubstr("padding: key \"left\": -1 is out of range"));
  const std::string pool = "  { type = \"average_pool\", kernel = 3, padding = ";
  EXPECT_THAT(mistake(pool + "{ top = 1 } },"), HasSubstr("an integer, [height, width] or \"same\""));
  EXPECT_THAT(mistake(pool + "\"same\", rounding = \"up\" },"), HasSubstr("leave the rounding out"));
  EXPECT_THAT(mistake(pool + "\"same\", count_padding = true },"), HasSubstr("does not count it"));
}

TEST(Mistakes, AValueOutOfRangeSaysTheRange) {
  EXPECT_THAT(mistake("  { type = \"convolution\", outputs = 0, kernel = 3 },"),
              AllOf(HasSubstr("\"outputs\": 0 is out of range"), HasSubstr("from 1 to")));
  EXPECT_THAT(mistake("  { type = \"convolution\", outputs = 4, kernel = 0 },"),
              HasSubstr("\"kernel\": 0 is out of range"));
  EXPECT_THAT(mistake("  { type = \"convolution\", outputs = 4, kernel = 3, padding = -1 },"),
              HasSubstr("\"padding\": -1 is out of range"));
  EXPECT_THAT(mistake("  { type = \"convolution\", outputs = 4, kernel = 3, stride = [1, 0] },"),
              HasSubstr("\"stride\": 0 is out of range"));
  EXPECT_THAT(mistake("  { type = \"dropout\", rate = 1.0 },"), HasSubstr("\"rate\": 1 is out of range"));
  EXPECT_THAT(mistake("  { type = \"dropout\", rate = nan },"), HasSubstr("out of range"));
  EXPECT_THAT(mistake("  { type = \"lrn\", size = 4 },"), AllOf(HasSubstr("\"size\""), HasSubstr("odd")));
  EXPECT_THAT(mistake("  { type = \"lrn\", region = \"withn\" },"),
              AllOf(HasSubstr("\"withn\" is not known"), HasSubstr("did you mean \"within\"")));
  EXPECT_THAT(mistake("  { type = \"relu\", slope = 1000 },"),
              AllOf(HasSubstr("\"slope\": 1000 is out of range"), HasSubstr("from -100 to 100")));
  EXPECT_THAT(mistake("  { type = \"elu\", alpha = nan },"), HasSubstr("out of range"));
  EXPECT_THAT(mistake("  { type = \"elu\", slope = 0.1 },"), HasSubstr("unknown key \"slope\""));
  EXPECT_THAT(mistake("  { type = \"prelu\", shared = 1 },"), HasSubstr("expected true or false"));
  EXPECT_THAT(mistake("  { type = \"scale\", shfit = false },"), HasSubstr("did you mean \"shift\""));
  EXPECT_THAT(mistake("  { type = \"product\" },"), HasSubstr("input"));
  EXPECT_THAT(mistake("  { type = \"max_pool\", kernel = 2, padding = 2 },"),
              AllOf(HasSubstr("\"padding\""), HasSubstr("smaller than the kernel")));
  EXPECT_THAT(mistake("  { type = \"max_pool\", kernel = 2, rounding = \"upp\" },"),
              AllOf(HasSubstr("\"upp\" is not known"), HasSubstr("did you mean \"up\"")));
  EXPECT_THAT(mistake("  { type = \"max_pool\", kernel = 2, global = true },"),
              HasSubstr("leave the kernel out"));
  EXPECT_THAT(mistake("  { type = \"l2_pool\", global = true, stride = 2 },"),
              AllOf(HasSubstr("\"stride\""), HasSubstr("leave the stride out")));
  EXPECT_THAT(mistake("  { type = \"fully_connected\", outputs = 4, weight_init = \"xavir\" },"),
              HasSubstr("did you mean \"xavier\""));
  EXPECT_THAT(mistake("  { type = \"fully_connected\", outputs = 4, weight_init = { gauss = 1 } },"),
              HasSubstr("gauss"));
  EXPECT_THAT(mistake("  { type = \"relu\", name = \"\" },"), HasSubstr("must not be empty"));
}

TEST(Mistakes, AShapeThatCannotBeNamesTheLayer) {
  EXPECT_THAT(
      mistake(
          "  { type = \"relu\" },\n  { name = \"big\", type = \"convolution\", outputs = 4, kernel = 9 },"),
      AllOf(StartsWith("net.toml:5:3: "), HasSubstr("\"big\""), HasSubstr("kernel of 9"),
            HasSubstr("input of 8")));
  EXPECT_THAT(
      mistake("  { name = \"wide\", type = \"convolution\", outputs = 4, kernel = 4, dilation = 3 },"),
      HasSubstr("kernel of 10"));
  EXPECT_THAT(mistake("  { type = \"max_pool\", kernel = [2, 9] },"),
              AllOf(HasSubstr("kernel of 9"), HasSubstr("width")));
  EXPECT_THAT(mistake("  { name = \"g\", type = \"convolution\", outputs = 4, kernel = 1, groups = 2 },"),
              AllOf(StartsWith("net.toml:4:3: "), HasSubstr("\"g\""),
                    HasSubstr("2 groups do not divide its 3 input channels")));
  EXPECT_THAT(mistake("  { type = \"convolution\", outputs = 4, kernel = 1, groups = 3 },"),
              HasSubstr("4 outputs"));
  EXPECT_THAT(mistake("  { name = \"c\", type = \"convolution\", outputs = 4, kernel = 1 },\n  { type = "
                      "\"sum\", from = [\"c\", \"input\"] },"),
              AllOf(StartsWith("net.toml:5:3: "), HasSubstr("differ in shape: 4x8x8 and 3x8x8")));
  EXPECT_THAT(mistake("  { name = \"c\", type = \"convolution\", outputs = 3, kernel = 3 },\n  { type = "
                      "\"maximum\", from = [\"c\", \"input\"] },"),
              AllOf(StartsWith("net.toml:5:3: "), HasSubstr("(maximum)"),
                    HasSubstr("differ in shape: 3x6x6 and 3x8x8")));
  EXPECT_THAT(mistake("  { name = \"p\", type = \"max_pool\", kernel = 2 },\n  { type = \"concat\", from = "
                      "[\"input\", \"p\"] },"),
              AllOf(StartsWith("net.toml:5:3: "), HasSubstr("height or width: 3x8x8 and 3x7x7")));
  EXPECT_THAT(mistake("  { type = \"concat\" },"), HasSubstr("takes at least 2 inputs, but has 1"));
  EXPECT_THAT(mistake("  { type = \"softmax_loss\" },"),
              AllOf(HasSubstr("(softmax_loss)"), HasSubstr("3x8x8"), HasSubstr("fully connected")));
}

TEST(Mistakes, OfClipAndPadChannels) {
  EXPECT_THAT(mistake("  { type = \"clip\" },"), HasSubstr("\"maximum\" is missing"));
  EXPECT_THAT(mistake("  { type = \"clip\", minimum = 2, maximum = 2 },"),
              HasSubstr("\"maximum\": must be greater than the minimum, 2"));
  EXPECT_THAT(mistake("  { type = \"pad_channels\", outputs = 4, before = 2 },"),
              AllOf(StartsWith("net.toml:4:3: "),
                    HasSubstr("4 outputs do not hold 2 channels of zeros and 3 of its input")));
}

const char* const kScores = "  { name = \"f\", type = \"fully_connected\", outputs = 4 },\n";

TEST(Mistakes, LossesWithoutOneMainLossAreRefused) {
  const std::string scores = kScores;
  EXPECT_THAT(mistake(scores + "  { name = \"a\", type = \"softmax_loss\" },\n"
                               "  { name = \"b\", type = \"hinge\", from = \"f\" },"),
              AllOf(StartsWith("net.toml:6:3: "), HasSubstr("\"b\""), HasSubstr("main loss already, \"a\""),
                    HasSubstr("auxiliary = true")));
  EXPECT_THAT(mistake(scores + "  { name = \"a\", type = \"softmax_loss\", auxiliary = true },"),
              AllOf(StartsWith("net.toml:5:3: "), HasSubstr("all losses"), HasSubstr("main one")));
  EXPECT_THAT(mistake(scores + "  { name = \"a\", type = \"softmax_loss\" },\n  { type = \"relu\" },"),
              AllOf(StartsWith("net.toml:6:3: "), HasSubstr("takes from the loss \"a\""), HasSubstr("from")));
  EXPECT_THAT(mistake(scores + "  { name = \"a\", type = \"softmax_loss\" },\n"
                               "  { name = \"g\", type = \"fully_connected\", outputs = 3, from = \"f\" },\n"
                               "  { name = \"b\", type = \"squared_error\", auxiliary = true },"),
              AllOf(StartsWith("net.toml:7:3: "), HasSubstr("3 classes"), HasSubstr("\"a\" tells 4")));
  EXPECT_THAT(mistake(scores + "  { name = \"g\", type = \"relu\" },\n"
                               "  { name = \"b\", type = \"squared_error\", from = \"f\" },"),
              AllOf(StartsWith("net.toml:5:3: "), HasSubstr("no layer takes its output")));
  EXPECT_EQ(mistake(scores + "  { name = \"b\", type = \"hinge\", auxiliary = true },\n"
                             "  { name = \"a\", type = \"softmax_loss\", from = \"f\" },"),
            "no error");
}

TEST(Mistakes, ABadKeyOfALossSaysTheRange) {
  const std::string scores = kScores;
  EXPECT_THAT(mistake(scores + "  { type = \"softmax_loss\", label_smoothing = 1.5 },"),
              AllOf(StartsWith("net.toml:5:"), HasSubstr("\"label_smoothing\": 1.5 is out of range")));
  EXPECT_THAT(mistake(scores + "  { type = \"hinge\", norm = 3 },"),
              HasSubstr("\"norm\": 3 is out of range"));
  EXPECT_THAT(mistake(scores + "  { type = \"hinge\", weight = -1 },"),
              HasSubstr("\"weight\": -1 is out of range"));
  EXPECT_THAT(mistake(scores + "  { type = \"hinge\", auxiliary = 1 },"),
              HasSubstr("expected true or false"));
  EXPECT_THAT(mistake(scores + "  { type = \"squared_error\", label_smoothing = 0.1 },"),
              HasSubstr("\"label_smoothing\""));
}

TEST(Mistakes, ASliceBeyondItsInputIsRefused) {
  EXPECT_THAT(mistake("  { name = \"s\", type = \"slice\", first = 2, count = 2 },"),
              AllOf(StartsWith("net.toml:4:3: "), HasSubstr("\"s\""), HasSubstr("channels 2 to 3"),
                    HasSubstr("has 3")));
  EXPECT_THAT(mistake("  { type = \"slice\" },"), HasSubstr("\"count\" is missing"));
  EXPECT_THAT(mistake("  { type = \"slice\", count = 0 },"), HasSubstr("\"count\": 0 is out of range"));
  EXPECT_THAT(mistake("  { type = \"slice\", first = -1, count = 1 },"),
              HasSubstr("\"first\": -1 is out of range"));
}

TEST(Mistakes, OfSpatialLayersSayWhatCannotBe) {
  EXPECT_THAT(
      mistake("  { name = \"d\", type = \"deconvolution\", outputs = 4, kernel = 3, output_padding = 1 },"),
      AllOf(StartsWith("net.toml:4:"), HasSubstr("\"output_padding\": must be smaller than the stride")));
  EXPECT_THAT(mistake("  { type = \"deconvolution\", outputs = 4, kernel = 1, padding = 4 },"),
              HasSubstr("its padding of 4 on either side leaves nothing of 8 pixels along the height"));
  EXPECT_THAT(mistake("  { type = \"deconvolution\", outputs = 4, kernel = 1, groups = 2 },"),
              HasSubstr("2 groups do not divide its 3 input channels and 4 outputs"));
  EXPECT_THAT(mistake("  { type = \"deconvolution\", outputs = 3, kernel = 3, weight_init = \"bilinar\" },"),
              HasSubstr("did you mean \"bilinear\""));
  EXPECT_THAT(mistake("  { type = \"convolution\", outputs = 3, kernel = 3, weight_init = \"bilinear\" },"),
              HasSubstr("\"bilinear\" is not known"));
  EXPECT_THAT(mistake("  { type = \"locally_connected\", outputs = 3, kernel = 2, padding = 2 },"),
              HasSubstr("\"padding\": must be smaller than the kernel"));
  EXPECT_THAT(mistake("  { type = \"locally_connected\", outputs = 3, kernel = 9 },"),
              HasSubstr("kernel of 9 is larger than its padded input of 8"));
  EXPECT_THAT(mistake("  { name = \"c\", type = \"crop\", size = [8, 5], offset = [0, 4] },"),
              AllOf(StartsWith("net.toml:4:3: "),
                    HasSubstr("its part of 5 from 4 on reaches past its input of 8 along the width")));
  EXPECT_THAT(mistake("  { type = \"crop\", size = 4, offset = 1, centered = true },"),
              AllOf(HasSubstr("\"offset\""), HasSubstr("leave it out")));
  EXPECT_THAT(mistake("  { type = \"crop\" },"), HasSubstr("takes 2 inputs, but has 1"));
  EXPECT_THAT(mistake("  { type = \"crop\", size = 4, from = [\"input\", \"input\"] },"),
              HasSubstr("takes 1 input, but has 2"));
  EXPECT_THAT(mistake("  { type = \"upsample\" },"), HasSubstr("\"factor\" is missing"));
  EXPECT_THAT(mistake("  { type = \"upsample\", factor = 0 },"), HasSubstr("\"factor\": 0 is out of range"));
  EXPECT_THAT(mistake("  { type = \"upsample\", factor = 2, size = 16 },"), HasSubstr("not both"));
}

TEST(Mistakes, ATensorLargerThanAnyMachineIsRefused) {
  EXPECT_THAT(
      mistake("  { name = \"c\", type = \"convolution\", outputs = 1000000, kernel = 3, padding = 1000 },"),
      AllOf(StartsWith("net.toml:4:3: "), HasSubstr("\"c\""),
            HasSubstr("its output would have 4.02e+12 values")));
  EXPECT_THAT(mistake("  { name = \"c\", type = \"convolution\", outputs = 1000000, kernel = 8 },\n"
                      "  { name = \"f\", type = \"fully_connected\", outputs = 1000000 },"),
              AllOf(StartsWith("net.toml:5:3: "), HasSubstr("its weight would have 1e+12 values")));
}

TEST(Mistakes, NamesThatDoNotJoinUpAreNamed) {
  EXPECT_THAT(
      mistake("  { name = \"a\", type = \"relu\" },\n  { name = \"a\", type = \"relu\" },"),
      AllOf(StartsWith("net.toml:5:3: "), HasSubstr("\"a\""), HasSubstr("used twice, first at line 4")));
  EXPECT_THAT(mistake("  { name = \"conv1\", type = \"relu\" },\n  { type = \"relu\", from = \"conv2\" },"),
              AllOf(StartsWith("net.toml:5:"), HasSubstr("no layer gives its input \"conv2\""),
                    HasSubstr("did you mean \"conv1\"")));
  EXPECT_THAT(mistake("  { name = \"a\", type = \"relu\", from = \"c\" },\n  { name = \"b\", type = \"relu\" "
                      "},\n  { name = \"c\", type = \"relu\" },"),
              AllOf(StartsWith("net.toml:4:3: "), HasSubstr("cycle"), HasSubstr("a, b, c")));
  EXPECT_THAT(mistake("  { name = \"a\", type = \"relu\", from = \"a\" },"), HasSubstr("cycle"));
  EXPECT_THAT(mistake("  { name = \"input\", type = \"relu\" },"), HasSubstr("name of the network's input"));
  EXPECT_THAT(mistake("  { type = \"relu\", from = [\"input\", \"input\"] },"),
              HasSubstr("takes 1 input, but has 2"));
  EXPECT_THAT(mistake("  { type = \"sum\" },"), HasSubstr("takes at least 2 inputs, but has 1"));
  EXPECT_THAT(mistake("  { type = \"relu\", from = [] },"), HasSubstr("has 0"));
}

TEST(Mistakes, TwoLossesAreRefused) {
  EXPECT_THAT(
      mistake("  { name = \"f\", type = \"fully_connected\", outputs = 2 },\n  { name = \"l1\", type "
              "= \"softmax_loss\" },\n"
              "  { name = \"l2\", type = \"softmax_loss\", from = \"f\" },"),
      AllOf(StartsWith("net.toml:6:3: "), HasSubstr("\"l2\""), HasSubstr("main loss already, \"l1\"")));
}

TEST(Mistakes, ALayerThatLeadsNowhereIsRefused) {
  const std::string rows =
      "  { name = \"f\", type = \"fully_connected\", outputs = 2 },\n  { name = \"dead\", type = \"relu\" "
      "},\n";
  EXPECT_THAT(mistake(rows + "  { name = \"l\", type = \"softmax_loss\", from = \"f\" },"),
              AllOf(StartsWith("net.toml:5:3: "), HasSubstr("\"dead\" (relu)"),
                    HasSubstr("no layer takes its output")));
  EXPECT_EQ(mistake(rows), "no error");  // a network without a loss, to be inspected, ends somewhere
}

TEST(Mistakes, OfTheFileAsAWhole) {
  EXPECT_THAT(message_of("name = \"x\"\ninput = { channels = 3, height = 8, width = 8 }\n"),
              HasSubstr("\"layers\""));
  EXPECT_THAT(message_of("name = \"x\"\ninput = { channels = 3, height = 8, width = 8 }\nlayers = []\n"),
              AllOf(StartsWith("net.toml:3:"), HasSubstr("\"layers\"")));
  EXPECT_THAT(message_of("name = \"x\"\nlayers = [ { type = \"relu\" } ]\n"),
              AllOf(HasSubstr("\"input\""), HasSubstr("channels = 3")));
  EXPECT_THAT(
      message_of("name = \"x\"\ninput = { channels = 3, height = 8 }\nlayers = [ { type = \"relu\" } ]\n"),
      HasSubstr("\"width\" is missing"));
  EXPECT_THAT(message_of("name = \"x\"\ninput = { channels = 3, height = 8, widht = 8 }\nlayers = [ { type = "
                         "\"relu\" } ]\n"),
              AllOf(StartsWith("net.toml:2:"), HasSubstr("width")));
  EXPECT_THAT(
      message_of("input = { channels = 3, height = 8, width = 8 }\nlayers = [ { type = \"relu\" } ]\n"),
      HasSubstr("\"name\" is missing"));
  EXPECT_THAT(message_of("nme = \"y\"\nname = \"x\"\ninput = { channels = 3, height = 8, width = 8 }\nlayers "
                         "= [ { type = \"relu\" } ]\n"),
              AllOf(StartsWith("net.toml:1:1: "), HasSubstr("unknown key \"nme\""),
                    HasSubstr("did you mean \"name\"")));
  EXPECT_THAT(message_of("name = \"x\n"), AllOf(StartsWith("net.toml:1:"), HasSubstr("not valid TOML")));
  EXPECT_THAT(message_of("name = x"), AllOf(StartsWith("net.toml:1:8: "), HasSubstr("not valid TOML")));
  EXPECT_THAT(message_of(""), HasSubstr("\"name\" is missing"));
}

TEST(Mistakes, AFileThatIsNotThereIsNamed) {
  try {
    (void)read_network("/nonexistent/net.toml");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_THAT(error.what(), StartsWith("/nonexistent/net.toml: cannot be read"));
  }
}

TEST(Mistakes, AFileWithoutAnEndIsRefused) {
  try {
    (void)read_network("/dev/zero");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_THAT(error.what(), StartsWith("/dev/zero: is larger than 16 MiB"));
  }
}

TEST(NetworkFile, MayReferForward) {
  const Graph graph = parse_network(file_of("  { name = \"late\", type = \"relu\", from = \"early\" },\n  { "
                                            "name = \"early\", type = \"relu\", from = \"input\" },"),
                                    "net.toml");
  EXPECT_EQ(graph.layers()[0].name, "early");
  EXPECT_EQ(graph.layers()[1].name, "late");
  EXPECT_EQ(graph.layers()[1].inputs, std::vector<int>{1});
}

TEST(NetworkFile, NamesLayersByTypeAndNumberAndChainsThem) {
  const Graph graph = parse_network(
      file_of("  { type = \"relu\" },\n  { type = \"dropout\" },\n  { type = \"relu\" },"), "net.toml");
  EXPECT_EQ(graph.layers()[2].name, "relu2");
  EXPECT_EQ(graph.layers()[2].inputs, std::vector<int>{2});
  EXPECT_EQ(graph.activations()[1].consumers, std::vector<int>{1});
}

}  // namespace
}  // namespace convoy
