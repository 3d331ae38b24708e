#include "layers/graph/fully_convolutional.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ostream>

#include "layers/core/error.h"
#include "layers/cpu/cpu_backend.h"
#include "layers/device/cpu/cpu_device.h"
#include "tests/golden/hashed_values.h"
#include "tests/trainer/job_folder.h"
#include "trainer/parameters.h"
#include "trainer/planner/plan.h"
#include "trainer/reshape_weights.h"

// What a network in its convolutional form says of an image, against what the original says of its windows.
namespace convoy::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Picture {
  Shape shape;
  std::vector<std::uint8_t> pixels;  ///< H × W × C
};

Picture picture_of(Shape shape) {
  Picture picture{shape, {}};
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(shape.elements()); ++i)
    picture.pixels.push_back(static_cast<std::uint8_t>(mix_bits(i) & 255U));
  return picture;
}

Picture window_of(const Picture& from, std::int64_t top, std::int64_t left, Shape shape) {
  Picture window{shape, {}};
  for (std::int64_t y = 0; y < shape.height; ++y) {
    const auto row = from.pixels.begin() + ((top + y) * from.shape.width + left) * shape.channels;
    window.pixels.insert(window.pixels.end(), row, row + shape.width * shape.channels);
  }
  return window;
}

/// Values for every tensor of a network, none of them 0 or 1.
std::vector<HostTensor> weights_of(const Graph& graph) {
  std::vector<HostTensor> tensors;
  int number = 0;
  for (const Layer& layer : graph.layers()) {
    for (const ParameterSpec& spec : layer.parameters) {
      HostTensor tensor{layer.name + "." + spec.name, spec.dims, initial_values(spec, 1, ++number, 0)};
      if (spec.kind != ParameterKind::weight) {
        tensor.values = hashed_values(static_cast<std::uint32_t>(number), tensor.values.size());
        for (float& v : tensor.values) v = v / 4 + (spec.kind == ParameterKind::norm ? 1.F : 0.F);
      }
      tensors.push_back(std::move(tensor));
    }
    for (const StateSpec& state : layer.states) {
      HostTensor tensor{
          layer.name + "." + state.name,
          {state.elements},
          hashed_values(static_cast<std::uint32_t>(++number), static_cast<std::size_t>(state.elements))};
      for (float& v : tensor.values) v = v / 4 + static_cast<float>(state.initial);
      tensors.push_back(std::move(tensor));
    }
  }
  return tensors;
}

std::vector<TensorView> views_of(const std::vector<HostTensor>& tensors) {
  std::vector<TensorView> views;
  for (const HostTensor& tensor : tensors)
    views.push_back({tensor.name, DType::f32, tensor.dims, std::as_bytes(std::span(tensor.values))});
  return views;
}

/// The tensors as `convoy convert` gives them to the new form: through a file, in new dimensions.
std::vector<HostTensor> reshaped(const std::vector<HostTensor>& tensors, const Graph& from, const Graph& to) {
  const JobFolder folder;
  const std::string path = folder.path("weights.safetensors");
  write_safetensors(path, views_of(tensors), {});
  const SafetensorsFile file = SafetensorsFile::open(path);
  std::vector<HostTensor> result;
  for (const TensorView& view : reshaped_weights(file, path, from, to)) {
    HostTensor tensor{view.name, view.dims, std::vector<float>(view.data.size() / 4)};
    std::memcpy(tensor.values.data(), view.data.data(), view.data.size());
    result.push_back(std::move(tensor));
  }
  return result;
}

/// A network with weights, that says what it sees: positions × classes.
class Oracle {
 public:
  Oracle(Graph graph, const std::vector<HostTensor>& weights)
      : graph_(std::move(graph)), backend_(make_cpu_backend()), comm_(make_single()) {
    PlanRequest request;
    request.training = false;
    request.samples = 1;
    request.limit_bytes = std::int64_t{1} << 40;
    PixelScale pixels;
    pixels.mean.assign(static_cast<std::size_t>(graph_.input().channels), 100);
    pixels.deviation.assign(static_cast<std::size_t>(graph_.input().channels), 60);
    executor_ = std::make_unique<Executor>(make_plan(graph_, request, *backend_), graph_, *backend_, device_,
                                           *comm_, OptimizerSettings{}, pixels);
    import_tensors(*executor_, stored(views_of(weights)), false, "weights");
  }

  std::vector<float> operator()(const Picture& picture) {
    EXPECT_EQ(picture.shape, graph_.input());
    const Program& program = executor_->plan().program;
    const Segment& segment = *program.find(SegmentKind::evaluate, program.choices.evaluate_samples);
    const std::int32_t label = 0;
    StepContext context;
    context.valid_samples = 1;
    executor_->load(segment, picture.pixels.data(), &label, 1);
    executor_->run(segment, context, false);
    return executor_->output(segment);
  }

 private:
  Graph graph_;
  CpuDevice device_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Communicator> comm_;
  std::unique_ptr<Executor> executor_;
};

/// The largest difference, as a share of the largest value.
double difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0;
  double off = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    most = std::max(most, std::abs(static_cast<double>(b[i])));
    off = std::max(off, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  EXPECT_GT(most, 0);
  return off / most;
}

struct Case {
  std::string name;
  Shape input;
  std::string rows;  ///< the loss tells scores, so that no softmax hides a difference
  std::int64_t stride_y, stride_x;
  friend void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

  Graph graph() const {
    return parse_network(
        fmt::format(
            "name = \"{}\"\ninput = {{ channels = {}, height = {}, width = {} }}\nlayers = [\n{}\n]\n", name,
            input.channels, input.height, input.width, rows),
        "net.toml");
  }
};

const Case kCases[] = {
    {"lenet",
     {1, 28, 28},
     R"(
  { type = "convolution", outputs = 20, kernel = 5 }, { type = "max_pool", kernel = 2, stride = 2 },
  { type = "convolution", outputs = 50, kernel = 5 }, { type = "max_pool", kernel = 2, stride = 2 },
  { type = "fully_connected", outputs = 500 }, { type = "relu" },
  { type = "fully_connected", outputs = 10 }, { type = "softmax_loss" },)",
     4,
     4},
    {"vgg_like",
     {3, 20, 24},
     R"(
  { type = "convolution", outputs = 16, kernel = 3 }, { type = "relu" },
  { type = "convolution", outputs = 16, kernel = 3 }, { type = "relu" },
  { type = "max_pool", kernel = 2, stride = 2 },
  { type = "convolution", outputs = 32, kernel = 3 }, { type = "relu" },
  { type = "convolution", outputs = 32, kernel = 3 }, { type = "relu" },
  { type = "max_pool", kernel = 2, stride = 2 },
  { type = "fully_connected", outputs = 40 }, { type = "relu" }, { type = "dropout" },
  { type = "fully_connected", outputs = 40 }, { type = "relu" }, { type = "dropout" },
  { type = "fully_connected", outputs = 7 }, { type = "hinge" },)",
     4,
     4},
    {"groups_and_strides",
     {3, 31, 29},
     R"(
  { type = "convolution", outputs = 24, kernel = 5, stride = 2 }, { type = "relu" },
  { type = "lrn", size = 5, alpha = 0.1 }, { type = "max_pool", kernel = 3, stride = 2 },
  { type = "convolution", outputs = 20, kernel = 3, groups = 2, stride = [1, 2] }, { type = "batch_norm" },
  { type = "relu" }, { type = "flatten" }, { type = "elu" },
  { type = "fully_connected", outputs = 33, bias = false }, { type = "batch_norm" }, { type = "tanh" },
  { type = "fully_connected", outputs = 5 }, { type = "squared_error" },)",
     4,
     8},
    {"stride_one",
     {2, 6, 5},
     R"(
  { type = "convolution", outputs = 8, kernel = 3 }, { type = "prelu" },
  { type = "fully_connected", outputs = 3 }, { type = "sigmoid_cross_entropy" },)",
     1,
     1},
    {"connected_alone",
     {3, 4, 7},
     R"(  { type = "fully_connected", outputs = 6 }, { type = "hinge" },)",
     1,
     1},
    {"global_pools",
     {3, 13, 11},
     R"(
  { name = "stem", type = "convolution", outputs = 16, kernel = 3, stride = 2, bias = false },
  { type = "batch_norm" }, { name = "r", type = "relu" },
  { name = "a", type = "convolution", outputs = 16, kernel = 1 },
  { name = "s", type = "sum", from = ["a", "r"] },
  { name = "mean", type = "average_pool", global = true },
  { name = "most", type = "max_pool", global = true, from = "s" },
  { name = "norm", type = "l2_pool", global = true, from = "s" },
  { type = "concat", from = ["mean", "most", "norm"] },
  { type = "fully_connected", outputs = 4 }, { type = "hinge" },)",
     2,
     2},
};

class Converted : public testing::TestWithParam<Case> {};

TEST_P(Converted, SaysTheSameOfImagesOfItsOwnSize) {
  const Graph graph = GetParam().graph();
  const Graph form = fully_convolutional(graph, graph.input()).graph;
  const std::vector<HostTensor> weights = weights_of(graph);
  const Picture picture = picture_of(graph.input());
  const std::vector<float> expected = Oracle(graph, weights)(picture);
  EXPECT_LT(difference(Oracle(form, reshaped(weights, graph, form))(picture), expected), 1e-5);
}

TEST_P(Converted, SaysOfALargerImageWhatTheOriginalSaysOfEachWindow) {
  const Case& one = GetParam();
  const Graph graph = one.graph();
  const Shape own = graph.input();
  const Shape large{own.channels, own.height + 2 * one.stride_y, own.width + 3 * one.stride_x};
  const FullyConvolutional form = fully_convolutional(graph, large);
  EXPECT_TRUE(form.edges.empty());
  ASSERT_EQ(form.graph.output_shape(form.graph.layers().back()), (Shape{graph.classes(), 3, 4}));
  const std::vector<HostTensor> weights = weights_of(graph);
  const Picture picture = picture_of(large);
  const std::vector<float> map = Oracle(form.graph, reshaped(weights, graph, form.graph))(picture);
  Oracle original(graph, weights);
  std::vector<float> expected;
  for (std::int64_t y = 0; y < 3; ++y) {
    for (std::int64_t x = 0; x < 4; ++x) {
      const std::vector<float> window = original(window_of(picture, y * one.stride_y, x * one.stride_x, own));
      expected.insert(expected.end(), window.begin(), window.end());
    }
  }
  EXPECT_LT(difference(map, expected), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(FullyConvolutional, Converted, testing::ValuesIn(kCases),
                         [](const auto& parameter) { return parameter.param.name; });

// What the documentation says of padding: the network names the layers, and the windows see their neighbours.
TEST(FullyConvolutional, WithPaddingWindowsSeeTheirNeighbours) {
  const Case padded{"padded",
                    {2, 8, 8},
                    R"(
  { name = "c", type = "convolution", outputs = 6, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "fully_connected", outputs = 4 }, { type = "hinge" },)",
                    1,
                    1};
  const Graph graph = padded.graph();
  const FullyConvolutional form = fully_convolutional(graph, {2, 9, 8});
  EXPECT_EQ(form.edges, std::vector<std::string>{"c"});
  const std::vector<HostTensor> weights = weights_of(graph);
  const Picture picture = picture_of({2, 9, 8});
  const std::vector<float> map = Oracle(form.graph, reshaped(weights, graph, form.graph))(picture);
  const std::vector<float> window = Oracle(graph, weights)(window_of(picture, 0, 0, graph.input()));
  EXPECT_GT(difference({map.begin(), map.begin() + 4}, window), 1e-3);
}

class ReshapedWeights : public testing::Test {
 protected:
  ReshapedWeights() : form_(fully_convolutional(graph_, graph_.input()).graph) {
    for (const HostTensor& tensor : weights_of(graph_)) tensors_.push_back(tensor);
  }
  std::string mistake() {
    std::vector<TensorView> views;
    for (const HostTensor& tensor : tensors_)
      views.push_back({tensor.name, type_, tensor.dims,
                       std::as_bytes(std::span(tensor.values)).first(tensor.values.size() * size_of())});
    const std::string path = folder_.path("w.safetensors");
    write_safetensors(path, views, {});
    try {
      (void)reshaped_weights(SafetensorsFile::open(path), path, graph_, form_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      EXPECT_THAT(error.what(), StartsWith(path + ": "));
      return error.what();
    }
    return "no error";
  }
  std::size_t size_of() const { return static_cast<std::size_t>(convoy::size_of(type_)); }

  JobFolder folder_;
  Graph graph_ = kCases[3].graph();
  Graph form_;
  DType type_ = DType::f32;
  std::vector<HostTensor> tensors_;
};

TEST_F(ReshapedWeights, NameTheTensorThatDoesNotFit) {
  EXPECT_EQ(mistake(), "no error");
  HostTensor& weight = tensors_[3];
  ASSERT_EQ(weight.name, "fully_connected1.weight");
  weight.dims = {3, 8, 4, 3};  // as the convolutional form has it
  EXPECT_THAT(mistake(), AllOf(HasSubstr("\"fully_connected1.weight\" is 3x8x4x3"), HasSubstr("needs 3x96")));
  weight.name = "else";
  EXPECT_THAT(mistake(), AllOf(HasSubstr("no tensor \"fully_connected1.weight\""), HasSubstr("3x96")));
}

TEST_F(ReshapedWeights, MustBeFp32) {
  type_ = DType::bf16;
  EXPECT_THAT(mistake(), AllOf(HasSubstr("\"convolution1.weight\""), HasSubstr("bf16"), HasSubstr("fp32")));
}

TEST_F(ReshapedWeights, LeaveMomentumOut) {
  tensors_.push_back({"momentum.fully_connected1.weight", {3, 96}, std::vector<float>(288)});
  for (const HostTensor& tensor : reshaped(tensors_, graph_, form_)) {
    EXPECT_THAT(tensor.name, ::testing::Not(HasSubstr("momentum")));
  }
}

}  // namespace
}  // namespace convoy::test
