#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/graph/graph.h"
#include "tests/layers/graph/find_layer.h"
#include "tests/layers/graph/networks.h"
#include "tests/usage_error.h"

// Blocks of network files: what they stand for, and the message of every mistake in them.
namespace convoy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> names_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const Layer& layer : graph.layers()) names.push_back(layer.name);
  return names;
}

std::vector<std::string> inputs_of(const Graph& graph, const std::string& name) {
  std::vector<std::string> names;
  for (const int input : layer_of(graph, name).inputs)
    names.push_back(graph.activations()[static_cast<std::size_t>(input)].name);
  return names;
}

/// Rows stand from line 4 on; the body of block "b" from line 8 on, its rows from line 10 on.
std::string block_file(const std::string& row, const std::string& parameters, const std::string& rows,
                       const std::string& more = "") {
  return fmt::format(
      "name = \"x\"\ninput = {{ channels = 4, height = 8, width = 8 }}\nlayers = [\n{}\n]\n\n[blocks.b]\n"
      "parameters = [{}]\nlayers = [\n{}\n]\n{}",
      row, parameters, rows, more);
}

std::string block_mistake(const std::string& row, const std::string& parameters, const std::string& rows,
                          const std::string& more = "") {
  return usage_error_of([&] { (void)parse_network(block_file(row, parameters, rows, more), "net.toml"); });
}

const std::string kConvolution = "  { name = \"c\", type = \"convolution\", outputs = \"$w\", kernel = 1 },";

/// The width that a formula with $a = 7, $b = 2 and $yes = true gives.
std::string computed(const std::string& formula) {
  const std::string outer = fmt::format(
      "name = \"x\"\ninput = {{ channels = 4, height = 8, width = 8 }}\nlayers = [\n  {{ name = \"o\", block "
      "= \"b\", a = 7, b = 2, yes = true }},\n]\n[blocks.b]\nparameters = [\"a\", \"b\", \"yes\"]\nlayers = "
      "[\n  {{ name = \"c\", type = \"convolution\", outputs = \"{}\", kernel = \"$a / $a\", bias = "
      "\"$yes\", groups = \"$b / $b\" }},\n]\n",
      formula);
  try {
    return std::to_string(parse_network(outer, "net.toml").activations().back().shape.channels);
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Blocks, StandForTheirLayersUnderTheirName) {
  const Graph graph = parse_network(networks::kBlocks, "net.toml");
  EXPECT_THAT(names_of(graph),
              ElementsAre("stem", "1/a/reduce", "1/a/relu1", "1/a/expand", "1/a/sum1", "1/a/relu2",
                          "1/b1/reduce", "1/b1/relu1", "1/b1/expand", "1/b1/sum1", "1/b1/relu2",
                          "1/b2/reduce", "1/b2/relu1", "1/b2/expand", "1/b2/sum1", "1/b2/relu2", "2/a/reduce",
                          "2/a/relu1", "2/a/expand", "2/a/shortcut", "2/a/sum1", "2/a/relu2", "2/b1/reduce",
                          "2/b1/relu1", "2/b1/expand", "2/b1/sum1", "2/b1/relu2", "pool", "classes", "loss"));
}

TEST(Blocks, AreJoinedByTheirInputAndOutput) {
  const Graph graph = parse_network(networks::kBlocks, "net.toml");
  EXPECT_THAT(inputs_of(graph, "1/a/reduce"), ElementsAre("stem"));
  EXPECT_THAT(inputs_of(graph, "1/b1/reduce"), ElementsAre("1/a/relu2"));
  EXPECT_THAT(inputs_of(graph, "2/a/shortcut"), ElementsAre("1/b2/relu2"));
  EXPECT_THAT(inputs_of(graph, "2/a/sum1"), ElementsAre("2/a/expand", "2/a/shortcut"));
  EXPECT_THAT(inputs_of(graph, "pool"), ElementsAre("2/b1/relu2"));
}

TEST(Blocks, ALayerLeftOutStandsForWhatItTakesFrom) {
  const Graph graph = parse_network(networks::kBlocks, "net.toml");
  EXPECT_THAT(inputs_of(graph, "1/a/sum1"), ElementsAre("1/a/expand", "stem"));
  EXPECT_THAT(inputs_of(graph, "1/b2/sum1"), ElementsAre("1/b2/expand", "1/b1/relu2"));
}

TEST(Blocks, AnOutputOtherThanTheLastLayer) {
  const Graph graph =
      parse_network(block_file("  { name = \"u\", block = \"b\" },\n  { name = \"r\", type = \"relu\" },", "",
                               "  { name = \"p\", type = \"relu\" },\n  { name = \"q\", type = \"relu\" },",
                               "output = \"p\"\n"),
                    "net.toml");
  EXPECT_THAT(inputs_of(graph, "r"), ElementsAre("u/p"));
}

TEST(Blocks, OfSeveralInputsAndLayersWithinFromOutside) {
  const Graph graph = parse_network(
      block_file(
          "  { name = \"u\", block = \"b\", from = [\"input\", \"v\"] },\n"
          "  { name = \"v\", type = \"relu\", from = \"input\" },\n"
          "  { name = \"w\", type = \"sum\", from = [\"u/s\", \"u\"] },",
          "", "  { name = \"s\", type = \"sum\", from = \"input\" },\n  { name = \"q\", type = \"relu\" },"),
      "net.toml");
  EXPECT_THAT(inputs_of(graph, "u/s"), ElementsAre("input", "v"));
  EXPECT_THAT(inputs_of(graph, "w"), ElementsAre("u/s", "u/q"));
}

TEST(Blocks, LayersMayBeRepeatedToo) {
  const Graph graph = parse_network(
      block_file("  { name = \"c\", type = \"relu\", repeat = 2 },\n  { type = \"relu\", repeat = 2 },", "",
                 "  { type = \"relu\" },"),
      "net.toml");
  EXPECT_THAT(names_of(graph), ElementsAre("c1", "c2", "relu1", "relu2"));
  EXPECT_THAT(inputs_of(graph, "relu2"), ElementsAre("relu1"));
}

TEST(Formulas, ComputeWithIntegers) {
  EXPECT_EQ(computed("$a"), "7");
  EXPECT_EQ(computed("4 * $a"), "28");
  EXPECT_EQ(computed("$a + $b * 3"), "13");
  EXPECT_EQ(computed("($a+$b)*3 - 1"), "26");
  EXPECT_EQ(computed("$a / $b"), "3");
  EXPECT_EQ(computed("$a - $b - 1"), "4");
}

TEST(Formulas, ThatCannotBeComputedSayWhy) {
  EXPECT_THAT(computed("4 * ($a"), AllOf(StartsWith("net.toml:9:"), HasSubstr("used at line 4"),
                                         HasSubstr("\"4 * ($a\" lacks a \")\"")));
  EXPECT_THAT(computed("$a $b"), HasSubstr("cannot be read from \"$b\" on"));
  EXPECT_THAT(computed("$a *"), HasSubstr("lacks an integer or a \"$name\""));
  EXPECT_THAT(computed("$a / ($b - 2)"), HasSubstr("divides by 0"));
  EXPECT_THAT(computed("$a * 2000000000"), HasSubstr("exceeds 2^31"));
  EXPECT_THAT(computed("$a + $yes"), HasSubstr("true or false as if it were an integer"));
  EXPECT_THAT(computed("$a > $b"), HasSubstr("expected an integer, found a boolean"));
  EXPECT_THAT(computed("not $a"), HasSubstr("\"not\" before an integer"));
  EXPECT_THAT(computed(std::string(200, '(') + "$a"), HasSubstr("nested too deeply"));
}

TEST(Formulas, DecideWhatIsLeftOut) {
  const auto relus = [](const std::string& when, const std::string& n) {
    return parse_network(
               block_file("  { name = \"u\", block = \"b\", n = " + n + " },", "\"n\"",
                          "  { type = \"relu\" },\n  { type = \"relu\", when = \"" + when + "\" },"),
               "net.toml")
        .layers()
        .size();
  };
  EXPECT_EQ(relus("$n", "true"), 2U);
  EXPECT_EQ(relus("not $n", "true"), 1U);
  EXPECT_EQ(relus("$n == 3", "3"), 2U);
  EXPECT_EQ(relus("$n != 3", "3"), 1U);
  EXPECT_EQ(relus("$n < 3", "3"), 1U);
  EXPECT_EQ(relus("$n <= 3", "3"), 2U);
  EXPECT_EQ(relus("$n > 2 + 1", "3"), 1U);
  EXPECT_EQ(relus("$n >= 3", "3"), 2U);
}

TEST(BlockMistakes, InALayerNameItsLineAndThatOfTheUse) {
  const std::string use = "  { type = \"relu\" },\n  { name = \"u\", block = \"b\", w = 6 },";
  EXPECT_THAT(
      block_mistake(use, "\"w\"", "  { name = \"c\", type = \"convolution\", outputs = \"$w\", kernl = 1 },"),
      AllOf(StartsWith("net.toml:11:3: block \"b\", used at line 5: layer \"u/c\" (convolution): "),
            HasSubstr("\"kernel\" is missing")));
  EXPECT_THAT(
      block_mistake(use, "\"w\"",
                    "  { name = \"c\", type = \"convolution\", outputs = \"$w\", kernel = 1, paddng = 1 },"),
      AllOf(StartsWith("net.toml:11:67: block \"b\", used at line 5: "),
            HasSubstr("did you mean \"padding\"")));
  EXPECT_THAT(
      block_mistake(use, "\"w\"",
                    "  { name = \"c\", type = \"convolution\", outputs = \"$w\", kernel = 1, groups = 4 },"),
      AllOf(StartsWith("net.toml:11:3: block \"b\", used at line 5: layer \"u/c\" (convolution): "),
            HasSubstr("4 groups do not divide")));
  EXPECT_THAT(block_mistake(use, "\"w\"", kConvolution + "\n  { type = \"relu\", from = \"d\" },"),
              AllOf(StartsWith("net.toml:12:3: block \"b\", used at line 5: "),
                    HasSubstr("no layer gives its input \"u/d\""), HasSubstr("did you mean \"u/c\"")));
}

TEST(BlockMistakes, InABlockOfABlockNameBothUses) {
  EXPECT_THAT(block_mistake("  { name = \"u\", block = \"o\" },", "\"w\"", kConvolution,
                            "[blocks.o]\nlayers = [\n  { name = \"i\", block = \"b\", w = 0 },\n]\n"),
              AllOf(StartsWith("net.toml:10:49: block \"b\", used at line 14 in block \"o\", used at line 4: "
                               "layer \"u/i/c\" (convolution): "),
                    HasSubstr("\"outputs\": 0 is out of range")));
}

TEST(BlockMistakes, OfAUseNameTheKey) {
  EXPECT_THAT(block_mistake("  { name = \"u\", block = \"bb\" },", "\"w\"", kConvolution),
              AllOf(StartsWith("net.toml:4:25: "), HasSubstr("\"bb\" is not known"),
                    HasSubstr("did you mean \"b\"")));
  EXPECT_THAT(block_mistake("  { name = \"u\", block = \"b\" },", "\"w\"", kConvolution),
              AllOf(StartsWith("net.toml:4:3: layer \"u\" (block b): "),
                    HasSubstr("key \"w\" is missing, a parameter of the block")));
  EXPECT_THAT(block_mistake("  { name = \"u\", block = \"b\", width = 3 },", "\"width\", { wide = 1 }",
                            "  { type = \"convolution\", outputs = \"$width + $wide\" },"),
              HasSubstr("\"kernel\" is missing"));
  EXPECT_THAT(
      block_mistake("  { name = \"u\", block = \"b\", w = 3, stirde = 1 },", "\"w\", { stride = 1 }",
                    "  { type = \"convolution\", outputs = \"$w\", kernel = 1, stride = \"$stride\" },"),
      AllOf(StartsWith("net.toml:4:37: layer \"u\" (block b): unknown key \"stirde\""),
            HasSubstr("did you mean \"stride\"")));
  EXPECT_THAT(block_mistake("  { name = \"u\", block = \"b\", w = \"wide\" },", "\"w\"", kConvolution),
              AllOf(StartsWith("net.toml:10:"), HasSubstr("used at line 4"),
                    HasSubstr("\"outputs\": expected an integer, found a string")));
  EXPECT_THAT(block_mistake("  { name = \"u\", block = \"b\", w = true },", "{ w = 1 }", kConvolution),
              AllOf(StartsWith("net.toml:4:"), HasSubstr("key \"w\": expected an integer, as its default is, "
                                                         "found a boolean")));
  EXPECT_THAT(block_mistake("  { name = \"u\", block = \"b\", w = { x = 1 } },", "\"w\"", kConvolution),
              HasSubstr("cannot be a table"));
  EXPECT_THAT(
      block_mistake("  { name = \"u\", block = \"b\", type = \"relu\", w = 1 },", "\"w\"", kConvolution),
      HasSubstr("a type or a block, not both"));
  EXPECT_THAT(block_mistake("  { block = \"b\", w = 1, repeat = 0 },", "\"w\"", kConvolution),
              HasSubstr("\"repeat\": 0 is out of range"));
  EXPECT_THAT(block_mistake("  { block = \"b\", w = 1, from = [] },", "\"w\"", kConvolution),
              HasSubstr("\"from\": must name at least one layer"));
  EXPECT_THAT(block_mistake("  { type = \"relu\", when = true },", "\"w\"", kConvolution),
              HasSubstr("unknown key \"when\""));
}

TEST(BlockMistakes, OfTheDefinitionAreFoundWithoutAUse) {
  const std::string row = "  { type = \"relu\" },";
  EXPECT_THAT(block_mistake(row, "\"w\", \"v\"", kConvolution),
              AllOf(StartsWith("net.toml:8:"), HasSubstr("no layer of the block uses \"$v\"")));
  EXPECT_THAT(
      block_mistake(row, "\"width\"", "  { type = \"convolution\", outputs = \"2 * $widht\", kernel = 1 },"),
      AllOf(StartsWith("net.toml:10:37: block \"b\": \"$widht\" is no parameter"),
            HasSubstr("did you mean \"width\"")));
  EXPECT_THAT(block_mistake(row, "", kConvolution), HasSubstr("the parameters are none"));
  EXPECT_THAT(block_mistake(row, "\"w\", { w = 1 }", kConvolution), HasSubstr("\"w\" stands there twice"));
  EXPECT_THAT(block_mistake(row, "\"name\"", kConvolution), HasSubstr("\"name\" is a key of every layer"));
  EXPECT_THAT(block_mistake(row, "\"2w\"", kConvolution), HasSubstr("\"2w\" is no name"));
  EXPECT_THAT(block_mistake(row, "3", kConvolution), HasSubstr("an array of names and defaults"));
  EXPECT_THAT(block_mistake(row, "{ w = { x = 1 } }", kConvolution), HasSubstr("cannot be a table"));
  EXPECT_THAT(block_mistake(row, "\"w\"", kConvolution, "ouput = \"c\"\n"),
              AllOf(StartsWith("net.toml:12:1: "), HasSubstr("did you mean \"output\"")));
  EXPECT_THAT(block_mistake(row, "", ""), AllOf(HasSubstr("block \"b\""), HasSubstr("array of layers")));
}

TEST(BlockMistakes, OfNamesWithin) {
  const std::string use = "  { name = \"u\", block = \"b\" },";
  EXPECT_THAT(block_mistake(use, "", "  { name = \"c\", type = \"relu\" },", "output = \"d\"\n"),
              AllOf(StartsWith("net.toml:12:"), HasSubstr("\"d\" is no layer of it")));
  EXPECT_THAT(block_mistake(use, "", "  { name = \"input\", type = \"relu\" },"),
              HasSubstr("\"input\" is the name of the block's input"));
  EXPECT_THAT(
      block_mistake(use, "", "  { name = \"c\", type = \"relu\" },\n  { name = \"c\", type = \"relu\" },"),
      AllOf(StartsWith("net.toml:11:3: "), HasSubstr("\"u/c\": the name is used twice, first at line 10")));
  EXPECT_THAT(block_mistake(use + "\n  { name = \"u\", type = \"relu\" },", "", "  { type = \"relu\" },"),
              AllOf(StartsWith("net.toml:5:3: "), HasSubstr("used twice, first at line 4")));
}

TEST(BlockMistakes, RecursionIsRefused) {
  EXPECT_THAT(block_mistake("  { name = \"u\", block = \"b\" },", "", "  { name = \"i\", block = \"o\" },",
                            "[blocks.o]\nlayers = [\n  { name = \"i\", block = \"b\" },\n]\n"),
              AllOf(StartsWith("net.toml:14:"), HasSubstr("a block cannot use itself: b > o > b")));
}

TEST(Blocks, MayNotBeNestedWithoutEnd) {
  std::string text =
      "name = \"deep\"\ninput = { channels = 1, height = 8, width = 8 }\nlayers = [ { block = \"b0\" } ]\n";
  for (int i = 0; i < 9000; ++i) {
    const std::string row = i == 8999 ? "type = \"relu\"" : "block = \"b" + std::to_string(i + 1) + "\"";
    text += "[blocks.b" + std::to_string(i) + "]\nlayers = [ { " + row + " } ]\n";
  }
  try {
    parse_network(text, "net.toml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_THAT(error.what(), HasSubstr("nested more than 64 deep"));
  }
}

TEST(BlockMistakes, NetworksThatGrowWithoutBoundsAreRefused) {
  std::string more;
  for (int i = 0; i < 4; ++i) {
    more += fmt::format("[blocks.b{}]\nlayers = [\n  {{ block = \"{}\", repeat = 1000 }},\n]\n", i,
                        i == 0 ? "b" : fmt::format("b{}", i - 1));
  }
  EXPECT_THAT(block_mistake("  { block = \"b3\" },", "", "  { type = \"relu\" },", more),
              HasSubstr("more than 10000 layers"));
  std::string doubling;
  for (int i = 0; i < 40; ++i) {
    doubling +=
        fmt::format("[blocks.b{}]\nlayers = [\n  {{ block = \"{}\", from = [\"input\", \"input\"] }},\n]\n",
                    i, i == 0 ? "b" : fmt::format("b{}", i - 1));
  }
  EXPECT_THAT(block_mistake("  { block = \"b39\" },", "", "  { type = \"sum\" },", doubling),
              HasSubstr("more than 1000 inputs"));
}

TEST(BlockMistakes, LayersLeftOutThatStandForEachOtherAreACycle) {
  EXPECT_THAT(block_mistake("  { name = \"u\", block = \"b\", on = false },", "\"on\"",
                            "  { name = \"p\", type = \"relu\", from = \"q\", when = \"$on\" },\n"
                            "  { name = \"q\", type = \"relu\", from = \"p\", when = \"$on\" },\n"
                            "  { name = \"r\", type = \"relu\" },"),
              HasSubstr("stands for itself"));
}

}  // namespace
}  // namespace convoy
