#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <ostream>
#include <set>

#include "layers/graph/graph.h"
#include "layers/graph/receptive_field.h"
#include "tests/layers/graph/same_network.h"

// Every network of configs/nets against published figures.
//   figures      the figures that Convoy was asked to reproduce, multiply-accumulates to the digits given
//   there torchvision  the table of classification models in its documentation: parameters, "GFLOPS"
//   (multiply-accumulates) papers       counted by hand from the layers of the papers or reference files,
//   whose own round numbers agree
namespace convoy {
namespace {

const std::string kNets = CONVOY_SOURCE "/configs/nets/";

struct Figures {
  std::string name;
  std::int64_t parameters;
  double gmacs;
  double gmacs_precision;  ///< half of the last digit given
  friend void PrintTo(const Figures& one, std::ostream* out) { *out << one.name; }
};

const Figures kFigures[] = {
    // figures
    {"lenet", 431080, 0.0023, 5e-5},
    {"cifar10_quick", 145578, 0.012, 5e-4},
    {"alexnet", 60965224, 0.724, 5e-4},
    {"alexnet_owt", 61100840, 0.714, 5e-4},
    {"zfnet", 62357608, 1.17, 5e-3},
    {"nin_imagenet", 7595176, 1.106, 5e-4},
    {"vgg16", 138357544, 15.47, 5e-3},
    {"googlenet", 6998552, 1.583, 5e-4},
    {"googlenet_bn", 6624904, 1.498, 5e-4},
    {"resnet18", 11689512, 1.814, 5e-4},
    {"resnet50", 25557032, 4.089, 5e-4},
    {"resnet20", 269722, 0.041, 5e-4},
    {"three_strided", 903400, 1.3995, 5e-8},  // 15000·27·100 + 3750·900·200 + 950·1800·400
    // torchvision
    {"vgg11", 132863336, 7.61, 5e-3},
    {"vgg13", 133047848, 11.31, 5e-3},
    {"vgg19", 143667240, 19.63, 5e-3},
    {"resnet34", 21797672, 3.66, 5e-3},
    {"resnet101", 44549160, 7.80, 5e-3},
    {"resnet152", 60192808, 11.51, 5e-3},
    {"mobilenet_v2", 3504872, 0.30, 5e-3},
    {"squeezenet1_1", 1235496, 0.35, 5e-3},
    // papers
    {"lenet5", 61706, 0.000416520, 5e-10},
    {"cifar10_full", 89578, 0.0123, 5e-5},
    {"nin_cifar10", 966986, 0.2225, 5e-5},
    {"resnet56", 853018, 0.1255, 5e-5},     // He et al.: 0.85 M
    {"resnet110", 1727962, 0.2529, 5e-5},   // 1.7 M
    {"all_cnn", 1369738, 0.2708, 5e-5},     // Springenberg et al.: 1.4 M
    {"three_by_64", 75648, 3.78608, 5e-6},  // 50176 pixels · (27 + 576 + 576) · 64
    // Convoy's own
    {"alexnet_small", 1446486, 0.049754112, 5e-10},
    {"fashion_net", 105690, 0.00621, 5e-6},
    {"fashion_grid", 115930, 0.00622, 5e-6},
};

class Networks : public testing::TestWithParam<Figures> {};

TEST_P(Networks, HavePublishedParametersAndWork) {
  const Figures& expected = GetParam();
  const Graph graph = read_network(kNets + expected.name + ".toml");
  EXPECT_EQ(graph.name(), expected.name);
  EXPECT_EQ(graph.parameters(), expected.parameters);
  EXPECT_NEAR(static_cast<double>(graph.macs()) * 1e-9, expected.gmacs, expected.gmacs_precision);
}

TEST_P(Networks, AreTheSameWrittenAndReadAgain) {
  expect_written_right(read_network(kNets + GetParam().name + ".toml"));
}

INSTANTIATE_TEST_SUITE_P(Configs, Networks, testing::ValuesIn(kFigures),
                         [](const auto& parameter) { return parameter.param.name; });

TEST(ConfigsNets, AreAllInTheTable) {
  std::set<std::string> known;
  for (const Figures& one : kFigures) known.insert(one.name);
  for (const auto& file : std::filesystem::directory_iterator(kNets))
    EXPECT_TRUE(known.contains(file.path().stem().string())) << file.path();
}

Shape shape_of(const Graph& graph, const std::string& name) {
  for (const Activation& activation : graph.activations()) {
    if (activation.name == name) return activation.shape;
  }
  ADD_FAILURE() << "no layer " << name;
  return {};
}

/// Size, stride and offset of what a layer sees, along x.
std::vector<std::int64_t> field_of(const Graph& graph, const std::string& name) {
  const std::vector<ReceptiveFields> fields = receptive_fields(graph);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (graph.activations()[i].name == name)
      return {fields[i].x.size, fields[i].x.stride, fields[i].x.offset};
  }
  ADD_FAILURE() << "no layer " << name;
  return {};
}

TEST(ConfigsNets, HaveThePapersShapes) {
  const Graph alexnet = read_network(kNets + "alexnet.toml");
  EXPECT_EQ(shape_of(alexnet, "conv1"), (Shape{96, 55, 55}));
  EXPECT_EQ(shape_of(alexnet, "conv2/conv"), (Shape{256, 27, 27}));
  EXPECT_EQ(shape_of(alexnet, "pool5"), (Shape{256, 6, 6}));
  const Graph googlenet = read_network(kNets + "googlenet.toml");  // table 1
  EXPECT_EQ(shape_of(googlenet, "pool2"), (Shape{192, 28, 28}));
  EXPECT_EQ(shape_of(googlenet, "3a/output"), (Shape{256, 28, 28}));
  EXPECT_EQ(shape_of(googlenet, "3b/output"), (Shape{480, 28, 28}));
  EXPECT_EQ(shape_of(googlenet, "4e/output"), (Shape{832, 14, 14}));
  EXPECT_EQ(shape_of(googlenet, "5b/output"), (Shape{1024, 7, 7}));
  EXPECT_EQ(shape_of(googlenet, "head1/pool"), (Shape{512, 4, 4}));
  const Graph resnet = read_network(kNets + "resnet152.toml");
  EXPECT_EQ(shape_of(resnet, "2b2/relu3"), (Shape{256, 56, 56}));
  EXPECT_EQ(shape_of(resnet, "3b7/relu3"), (Shape{512, 28, 28}));
  EXPECT_EQ(shape_of(resnet, "4b35/relu3"), (Shape{1024, 14, 14}));
  EXPECT_EQ(shape_of(resnet, "5b2/relu3"), (Shape{2048, 7, 7}));
  const Graph mobilenet = read_network(kNets + "mobilenet_v2.toml");
  EXPECT_EQ(shape_of(mobilenet, "conv8/relu6"), (Shape{1280, 7, 7}));
  EXPECT_EQ(shape_of(read_network(kNets + "all_cnn.toml"), "conv9/relu"), (Shape{10, 6, 6}));
  EXPECT_EQ(shape_of(read_network(kNets + "resnet110.toml"), "3b17/relu2"), (Shape{64, 8, 8}));
}

TEST(ConfigsNets, GoogLeNetTrainsWithTwoHeadsMore) {
  EXPECT_EQ(read_network(kNets + "googlenet.toml").parameters_training(), 13378280);
}

TEST(ConfigsNets, SeeWhatIsKnownOfThem) {
  // One, two, three 3x3 convolutions of stride 1 see 3, 5, 7.
  const Graph three = read_network(kNets + "three_by_64.toml");
  EXPECT_EQ(field_of(three, "conv1")[0], 3);
  EXPECT_EQ(field_of(three, "conv2")[0], 5);
  EXPECT_EQ(field_of(three, "conv3"), (std::vector<std::int64_t>{7, 1, -3}));
  // Araujo, Norris, Sim 2019, "Computing receptive fields of convolutional neural networks", table 1.
  EXPECT_EQ(field_of(read_network(kNets + "vgg16.toml"), "pool5"), (std::vector<std::int64_t>{212, 32, -90}));
  // By hand, strides in the 3x3: 7 + 4 of the stem, then 2 · stride of each 3x3's input.
  EXPECT_EQ(field_of(read_network(kNets + "resnet50.toml"), "5b2/relu3"),
            (std::vector<std::int64_t>{427, 32, -213}));
  EXPECT_EQ(field_of(read_network(kNets + "resnet101.toml"), "5b2/relu3")[0], 971);
  EXPECT_EQ(field_of(read_network(kNets + "resnet152.toml"), "5b2/relu3")[0], 1451);
}

TEST(ConfigsNets, WorkedExamplesTakeTheMemoryOfTheFigures) {
  const Graph strided = read_network(kNets + "three_strided.toml");
  EXPECT_EQ(shape_of(strided, "conv1"), (Shape{100, 100, 150}));
  EXPECT_EQ(shape_of(strided, "conv2"), (Shape{200, 50, 75}));
  EXPECT_EQ(shape_of(strided, "conv3"), (Shape{400, 25, 38}));
  EXPECT_EQ(4 * (strided.activation_elements() - strided.input().elements()), 6000000 + 3000000 + 1520000);
  const Graph wide = read_network(kNets + "three_by_64.toml");
  EXPECT_EQ(wide.activation_elements() - wide.input().elements(), 9633792);
}

TEST(ConfigsNets, Vgg16sActivationsAreTheRowsOfItsTable) {
  const Graph graph = read_network(kNets + "vgg16.toml");
  std::int64_t values = graph.input().elements();
  for (const Layer& layer : graph.layers()) {
    const auto type = type_of(layer.op);
    if (type == "convolution" || type == "max_pool" || type == "fully_connected")
      values += graph.output_shape(layer).elements();
  }
  EXPECT_EQ(values, 15237608);
}

TEST(ConfigsNets, StayShort) {
  for (const auto& file : std::filesystem::directory_iterator(kNets))
    EXPECT_LT(std::filesystem::file_size(file.path()), 5000U) << file.path();
}

}  // namespace
}  // namespace convoy
