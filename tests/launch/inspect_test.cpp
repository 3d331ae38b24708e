#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "tests/launch/json_of.h"
#include "tests/trainer/job_folder.h"

// What `convoy inspect` tells of a network.

namespace convoy::test {
namespace {

using ::testing::HasSubstr;

TEST(Inspect, CountsLeNetAsItsPaperDoes) {
  const JobFolder folder;
  const boost::json::object net =
      object_of(run(convoy({"inspect", kSource + "/configs/nets/lenet.toml", "--json"}), folder.path("")));
  EXPECT_EQ(net.at("parameters"), 431080);
  EXPECT_EQ(net.at("macs"), 24 * 24 * 20 * 25 + 8 * 8 * 50 * 20 * 25 + 800 * 500 + 500 * 10);
  const boost::json::array& layers = net.at("layers").as_array();
  ASSERT_EQ(layers.size(), 8U);
  for (const char* key : {"name", "type", "inputs", "output", "parameters", "macs", "receptive_field"}) {
    EXPECT_TRUE(layers[0].as_object().contains(key)) << key;
  }
  EXPECT_EQ(layers[2].at("output"), boost::json::value({50, 8, 8}));
}

TEST(Inspect, PrintsEveryKeyOfTheDesign) {
  const JobFolder folder;
  const boost::json::object net =
      object_of(run(convoy({"inspect", kSource + "/configs/nets/googlenet.toml", "--json", "--batch", "3"}),
                    folder.path("")));
  for (const char* key : {"name", "input", "batch", "parameters", "parameters_training", "macs",
                          "activations", "activation_bytes", "layers"}) {
    EXPECT_TRUE(net.contains(key)) << key;
  }
  std::int64_t parameters = 0;
  std::int64_t macs = 0;
  std::int64_t bytes = 3 * 4 * 224 * 224 * 3;
  for (const auto& layer : net.at("layers").as_array()) {
    if (layer.at("auxiliary").as_bool()) continue;
    parameters += layer.at("parameters").as_int64();
    macs += layer.at("macs").as_int64();
    bytes += layer.at("activation_bytes").as_int64();
  }
  EXPECT_EQ(net.at("parameters"), parameters);
  EXPECT_EQ(net.at("macs"), macs);
  EXPECT_EQ(net.at("activation_bytes"), bytes);
  const boost::json::object& field = net.at("layers").at(0).at("receptive_field").as_object();
  EXPECT_EQ(field.at("size"), boost::json::value({7, 7}));
  EXPECT_EQ(field.at("stride"), boost::json::value({2, 2}));
  EXPECT_EQ(field.at("offset"), boost::json::value({-3, -3}));
}

TEST(Inspect, TableIsAtMost120ColumnsWideAndAddsUp) {
  const JobFolder folder;
  for (const char* net : {"googlenet", "resnet152", "mobilenet_v2", "squeezenet1_1"}) {
    const Ended ended = run(convoy({"inspect", kSource + "/configs/nets/" + net + ".toml"}), folder.path(""));
    EXPECT_EQ(ended.code, 0);
    std::istringstream lines(ended.out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120U) << line;
  }
  const Ended ended = run(convoy({"inspect", kSource + "/configs/nets/googlenet.toml"}), folder.path(""));
  for (const char* text : {"head1/conv/conv*", "6998552", "1582671872", "13378280"})
    EXPECT_THAT(ended.out, HasSubstr(text));
}

/// Nodes defined and edges of a drawing; every line must be one of the few forms that it consists of.
struct Drawing {
  std::set<std::string> nodes;
  std::set<std::string> clusters;
  std::vector<std::pair<std::string, std::string>> edges;
};

Drawing drawing_of(const std::string& text) {
  static const std::regex kNode(R"re(\s*"([^"]+)" \[label = "[^"]*"(, style = "[a-z,]+")?\])re");
  static const std::regex kEdge(R"re(\s*"([^"]+)" -> "([^"]+)")re");
  static const std::regex kCluster(R"re(\s*subgraph "(cluster[^"]+)" \{ label = "[^"]+")re");
  static const std::regex kFrame(R"re(digraph "[^"]+" \{|  (rankdir = TB|(graph|node) \[.*\]))re");
  Drawing drawing;
  int depth = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kNode)) {
      EXPECT_TRUE(drawing.nodes.insert(match[1]).second) << line;
    } else if (std::regex_match(line, match, kEdge)) {
      drawing.edges.emplace_back(match[1], match[2]);
    } else if (std::regex_match(line, match, kCluster)) {
      EXPECT_TRUE(drawing.clusters.insert(match[1]).second) << line;
      ++depth;
    } else if (std::regex_match(line, match, std::regex(" *\\}"))) {
      --depth;
      EXPECT_GE(depth, 0);
    } else {
      EXPECT_TRUE(std::regex_match(line, kFrame)) << line;
      if (line.starts_with("digraph")) ++depth;
    }
  }
  EXPECT_EQ(depth, 0);
  return drawing;
}

TEST(Inspect, DrawsEveryLayerOnceWithItsBlocksAsClusters) {
  const JobFolder folder;
  for (const char* net : {"lenet", "googlenet", "resnet152"}) {
    const std::string file = kSource + "/configs/nets/" + net + ".toml";
    const boost::json::object graph = object_of(run(convoy({"inspect", file, "--json"}), folder.path("")));
    const Drawing drawing = drawing_of(run(convoy({"inspect", file, "--dot"}), folder.path("")).out);
    std::size_t inputs = 0;
    for (const auto& layer : graph.at("layers").as_array()) {
      EXPECT_TRUE(drawing.nodes.contains(std::string(layer.at("name").as_string())));
      inputs += layer.at("inputs").as_array().size();
    }
    EXPECT_EQ(drawing.nodes.size(), graph.at("layers").as_array().size() + 1);
    EXPECT_EQ(drawing.edges.size(), inputs);
    for (const auto& [from, to] : drawing.edges)
      EXPECT_TRUE(drawing.nodes.contains(from) && drawing.nodes.contains(to)) << from << " " << to;
    EXPECT_EQ(drawing.clusters.contains("cluster/4b35"), std::string(net) == "resnet152");
    EXPECT_EQ(drawing.clusters.contains("cluster/3a/1x1"), std::string(net) == "googlenet");
  }
}

}  // namespace
}  // namespace convoy::test
