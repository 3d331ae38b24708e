#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <filesystem>
#include <numeric>
#include <optional>

#include "launch/command.h"
#include "launch/options.h"
#include "launch/prediction_map.h"
#include "launch/run_reader.h"
#include "layers/core/text.h"
#include "trainer/checkpoint.h"
#include "trainer/class_identity.h"
#include "trainer/data/file_bytes.h"
#include "trainer/data/prepare.h"
#include "trainer/evaluate.h"
#include "trainer/preparation.h"
#include "trainer/session.h"

namespace convoy {
namespace {

namespace po = boost::program_options;

/// An image to classify, and its label where that is known.
struct Query {
  std::string name;
  std::vector<std::uint8_t> pixels;  ///< H × W × C of each view
  std::optional<std::int32_t> label;
};

std::size_t bytes_of_views(const Augmentation& preparation, Shape shape) {
  return static_cast<std::size_t>(shape.elements() * preparation.views());
}

/// What evaluation would see of a JPEG or PNG file.
Query decoded_image(const std::string& path, const std::vector<std::uint8_t>& file, const Job& job,
                    Shape shape) {
  if (shape.channels != 3) {
    fail(ExitCode::usage, "{}: is in colour, but the network takes images of {}; give it raw pixels", path,
         counted(shape.channels, "channel"));
  }
  Augmentation preparation = evaluation_augmentation(job, shape);
  if (preparation.crop == CropKind::window) preparation.shorter_side = 1;  // what just covers the input
  DecodeScratch scratch;
  View view;
  EvaluationViews views(preparation, shape);
  decode_image(
      {file, path}, decode_options(job), [&](int height, int width) { return views.choose(height, width); },
      scratch, view);
  Query query{path, std::vector<std::uint8_t>(bytes_of_views(preparation, shape)), {}};
  ResampleScratch resampling;
  views.make(view, resampling, query.pixels.data());
  return query;
}

Query image_of_file(const std::string& path, const Job& job, Shape shape) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    fail(ExitCode::usage, "{}: is a folder; name image files", path);
  std::vector<std::uint8_t> file;
  read_file(path, file);
  if (is_encoded_image(file)) return decoded_image(path, file, job, shape);
  const auto bytes = static_cast<std::int64_t>(file.size());
  if (bytes != shape.elements()) {
    fail(ExitCode::data,
         "{}: is {} than {} bytes, and no JPEG or PNG file; a raw image is {} rows of {} pixels of {}, one "
         "byte each",
         path, bytes > shape.elements() ? "longer" : "shorter", shape.elements(), shape.height, shape.width,
         counted(shape.channels, "channel"));
  }
  return {path, std::move(file), {}};
}

Query test_image(const std::string& text, const Dataset& set, const Augmentation& preparation, Shape shape) {
  std::int64_t index = -1;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (problem != std::errc{} || end != text.data() + text.size() || index < 0 || index >= set.size()) {
    fail(ExitCode::usage, "--index \"{}\": expected a number from 0 to {}", text, set.size() - 1);
  }
  PrepareScratch scratch;
  Query query{
      fmt::format("test image {}", index), std::vector<std::uint8_t>(bytes_of_views(preparation, shape)), {}};
  query.label = prepare_sample(set, preparation, RandomStream(0, Purpose::augment, 0), 0, index, scratch,
                               query.pixels.data(), shape);
  return query;
}

PredictionMap classify(Executor& executor, const Query& query) {
  const Program& program = executor.plan().program;
  const Segment& segment = *program.find(SegmentKind::evaluate, program.choices.evaluate_samples);
  const std::int32_t label = query.label.value_or(0);
  const Graph& graph = executor.graph();
  const auto views =
      static_cast<int>(static_cast<std::int64_t>(query.pixels.size()) / graph.input().elements());
  PredictionMap map{mean_of_views(executor, segment, query.pixels.data(), {&label, 1}, views, {}),
                    graph.output_shape(graph.layers()[static_cast<std::size_t>(graph.loss_layer())])};
  return map;
}

/// What the main loss gives of each class.
const char* score_name(const Graph& graph) {
  const Layer& loss = graph.layers()[static_cast<std::size_t>(graph.loss_layer())];
  return loss_of(loss.op)->probabilities ? "probability" : "score";
}

boost::json::object answer(const Query& query, const std::vector<float>& scores, const char* score_name,
                           const std::vector<std::string>& names, std::size_t top) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  order.resize(std::min(order.size(), top));
  boost::json::array classes;
  for (const std::size_t c : order) {
    classes.push_back(
        {{"class", c}, {"name", class_name(names, c)}, {score_name, static_cast<double>(scores[c])}});
  }
  boost::json::object object{{"image", query.name},
                             {"class", order[0]},
                             {"name", class_name(names, order[0])},
                             {"classes", std::move(classes)}};
  if (query.label) object["label"] = *query.label;
  return object;
}

void print_answer(const boost::json::object& object, const char* score_name) {
  fmt::print("{}:", std::string(object.at("image").as_string()));
  for (const auto& entry : object.at("classes").as_array()) {
    fmt::print("  {} {}", std::string(entry.at("name").as_string()),
               figure_text(entry.at(score_name).as_double()));
  }
  fmt::print("\n");
}

}  // namespace

int predict_command(const std::vector<std::string>& arguments) {
  CommandLine line(
      "predict RUN [IMAGE ...] [--index N ...]",
      "Class and probabilities (or scores) of images by the network of the run in folder RUN. An IMAGE is a "
      "JPEG or PNG file, or one of\n"
      "raw pixels, one byte each: rows of interleaved channels. Of a network that gives a map of "
      "predictions, the answer is their "
      "mean over the positions.");
  line.positional("RUN", "run folder");
  line.positional("IMAGE", "image files", -1);
  line.options().add_options()("index", po::value<std::vector<std::string>>()->composing()->value_name("N"),
                               "an image of the run's test set, by number; may be repeated")(
      "top", po::value<std::int64_t>()->default_value(3)->value_name("K"), "classes to show")(
      "map", po::bool_switch(), "tell the best class of each position too; with --json, all values")(
      "checkpoint", po::value<std::string>()->default_value("")->value_name("FILE"),
      "weights to take (default: the newest checkpoint)")(
      "set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
      "change a key of the job")("json", po::bool_switch(), "print one JSON object");
  if (!line.parse(arguments)) return 0;
  const std::string folder = line.required("RUN");
  const std::vector<std::string> images = line.texts("IMAGE");
  const std::vector<std::string> indices = line.texts("index");
  if (images.empty() && indices.empty())
    fail(ExitCode::usage, "nothing to classify: name image files, or test images with --index");
  if (line.number("top") < 1) fail(ExitCode::usage, "--top must be at least 1");

  const Purposes purpose = indices.empty() ? Purposes::graph_only : Purposes::evaluate;
  JobInputs inputs = open_inputs(job_of_run(folder, line.texts("set")), purpose);
  const Shape shape = inputs.graph.input();
  const Augmentation preparation = evaluation_augmentation(inputs.job, shape);
  if (line.flag("map") && preparation.views() > 1) {
    fail(ExitCode::usage,
         "--map tells of the positions of one window; the job has ten: add --set data.test_crop=centre");
  }
  std::vector<Query> queries;
  for (const std::string& path : images) queries.push_back(image_of_file(path, inputs.job, shape));
  for (const std::string& index : indices)
    queries.push_back(test_image(index, *inputs.test, preparation, shape));

  const std::unique_ptr<Communicator> comm = make_single();
  const KernelSettings kernels = kernels_of_run(folder, inputs.job);
  Session session(std::move(inputs), *comm, false, preparation.views(), kernels);
  tell_actions(session.plan());
  const CheckpointStore store(folder + "/checkpoints", 1);
  const LoadedWeights weights =
      load_weights({&store, weights_of_run(folder, line.text("checkpoint"))}, session.executor());
  if (const Dataset* test = session.inputs().test.get())
    check_class_names(weights.class_names, test->class_names(), weights.path);
  boost::json::array answers;
  const char* scores = score_name(session.graph());
  for (const Query& query : queries) {
    const PredictionMap map = classify(session.executor(), query);
    boost::json::object one =
        answer(query, map.mean(), scores, weights.class_names, static_cast<std::size_t>(line.number("top")));
    if (!line.flag("json")) {
      print_answer(one, scores);
      if (line.flag("map")) fmt::print("{}", map_text(map, weights.class_names));
    } else if (line.flag("map") || map.shape.pixels() > 1) {
      one["map"] = map_json(map, session.graph(), line.flag("map"));
    }
    answers.push_back(std::move(one));
  }
  if (line.flag("json")) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"checkpoint", weights.path},
                                                                  {"predictions", std::move(answers)}}));
  }
  return 0;
}

}  // namespace convoy
