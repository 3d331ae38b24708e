#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <filesystem>
#include <optional>

#include "launch/command.h"
#include "launch/job/write_job.h"
#include "launch/options.h"
#include "launch/run_reader.h"
#include "layers/core/text.h"
#include "layers/graph/fully_convolutional.h"
#include "layers/graph/receptive_field.h"
#include "trainer/reshape_weights.h"
#include "trainer/storage/checkpoint_store.h"
#include "trainer/storage/file_io.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

/// What is converted.
struct Source {
  Graph graph;
  std::optional<Job> job;  ///< of a run folder
  std::string weights;     ///< path, "" for none
  std::optional<SafetensorsFile> file;
};

Source open_source(const std::string& path, const std::string& weights) {
  const bool is_run = fs::is_directory(path);
  std::optional<Job> job;
  if (is_run) job = job_of_run(path, {});
  Source source{read_network(job ? job->network : path), job, weights, {}};
  if (is_run) source.weights = weights_of_run(path, weights);
  if (is_run && source.weights.empty()) {
    std::optional<CheckpointStore::Found> found = CheckpointStore(path + "/checkpoints", 1).newest();
    if (!found)
      fail(ExitCode::usage, "{}: there is no checkpoint yet; train first, or name a file with --weights",
           path);
    for (const std::string& warning : found->warnings) fmt::print(stderr, "convoy: warning: {}\n", warning);
    source.weights = found->path;
    source.file.emplace(found->file);
  } else if (!source.weights.empty()) {
    source.file = SafetensorsFile::open(source.weights);
  }
  return source;
}

/// The images that the result takes: "384", "384x512" (height x width), or "" for those of the original.
Shape input_of(const std::string& text, Shape own) {
  if (text.empty()) return own;
  std::array<std::int64_t, 2> sides{};
  const char* at = text.data();
  const char* const end = at + text.size();
  std::size_t count = 0;
  for (; count < 2; ++count) {
    const auto [next, problem] = std::from_chars(at, end, sides[count]);
    at = next;
    if (problem != std::errc{} || sides[count] < 1 || sides[count] > 1 << 20) break;
    if (at == end) {
      if (count == 0) sides[1] = sides[0];
      return {own.channels, sides[0], sides[1]};
    }
    if (*at++ != 'x') break;
  }
  fail(ExitCode::usage,
       "--input \"{}\": expected HEIGHTxWIDTH in pixels, as in 384x512, or one number for both", text);
}

/// Refuses a folder that holds what would be written.
void check_output(const std::string& folder) {
  std::error_code ignored;
  if (fs::exists(folder, ignored) && !fs::is_directory(folder, ignored))
    fail(ExitCode::usage, "--output {}: is a file; name a folder", folder);
  for (const char* name : {"network.toml", "weights.safetensors", "job.toml"}) {
    if (fs::exists(fs::path(folder) / name, ignored))
      fail(ExitCode::usage, "--output {}: holds a {} already; choose another folder", folder, name);
  }
}

void write_text(const fs::path& path, const std::string& text) {
  PartialFile file(path.string());
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

/// What the weights file says of itself and stays true of the result.
Metadata metadata_of(const SafetensorsFile& file) {
  Metadata metadata;
  for (const char* key : {"convoy.network", "convoy.classes", "convoy.iteration"}) {
    if (const auto found = file.metadata().find(key); found != file.metadata().end()) metadata.insert(*found);
  }
  return metadata;
}

/// Height and width of the map of predictions, and pixels from one to the next.
struct MapOfWindows {
  Shape shape;
  ReceptiveField y, x;
};

MapOfWindows map_of(const Graph& graph) {
  const int last = graph.loss_layer() < 0 ? static_cast<int>(graph.layers().size()) - 1 : graph.loss_layer();
  const Layer& layer = graph.layers()[static_cast<std::size_t>(last)];
  const ReceptiveFields field = receptive_fields(graph)[static_cast<std::size_t>(layer.output)];
  return {graph.output_shape(layer), field.y, field.x};
}

std::string network_text(const FullyConvolutional& form, Shape own) {
  const MapOfWindows map = map_of(form.graph);
  return fmt::format(
             "# Made by convoy convert --fully-convolutional. Each position of the output is the prediction "
             "for "
             "a window of\n# {}x{} pixels (height x width), the next one {}x{} pixels further. For larger "
             "images "
             "raise the input's height and width.\n",
             own.height, own.width, map.y.stride, map.x.stride) +
         network_to_toml(form.graph);
}

/// The first few of many names.
std::string few(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 8;
  if (names.size() <= kMost + 1) return join(names);
  return fmt::format("{} and {} more", join(std::span(names).first(kMost)), names.size() - kMost);
}

boost::json::array array_of(const std::vector<std::string>& words) {
  return boost::json::array(words.begin(), words.end());
}

void tell(const Source& source, const FullyConvolutional& form, const std::vector<std::string>& written,
          bool json) {
  const Shape own = source.graph.input();
  const Shape input = form.graph.input();
  const MapOfWindows map = map_of(form.graph);
  if (json) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{
                           {"network", form.graph.name()},
                           {"input", {input.channels, input.height, input.width}},
                           {"window", {own.height, own.width}},
                           {"stride", {map.y.stride, map.x.stride}},
                           {"output", {map.shape.channels, map.shape.height, map.shape.width}},
                           {"weights", source.weights},
                           {"converted", array_of(form.converted)},
                           {"edges", array_of(form.edges)},
                           {"files", array_of(written)}}));
    return;
  }
  fmt::print(
      "{}: images of {}x{} give a map of {}x{} predictions, each of a window of {}x{} at stride {}x{}\n",
      form.graph.name(), input.height, input.width, map.shape.height, map.shape.width, own.height, own.width,
      map.y.stride, map.x.stride);
  fmt::print("converted: {}\n", few(form.converted));
  if (!form.edges.empty()) {
    fmt::print(
        "These layers pad their input or treat its edges apart, so on larger images a prediction is near "
        "that "
        "of its window\nalone, but not equal: {}\n",
        join(form.edges));
  }
  fmt::print("written: {}\n", join(written));
}

}  // namespace

int convert_command(const std::vector<std::string>& arguments) {
  CommandLine line(
      "convert --fully-convolutional RUN|NET.toml --output DIR [options]",
      "Turns the fully connected layers of a network into convolutions, so that it takes larger images and "
      "gives a map of\npredictions, one for each window of its own size. Of a run folder, its newest weights "
      "and its job are taken over:\nconvoy eval DIR, predict DIR and plan DIR/job.toml work as with a run.");
  line.positional("RUN|NET.toml", "run folder or network file");
  line.options().add_options()("fully-convolutional", po::bool_switch(), "the form to convert to")(
      "output", po::value<std::string>()->value_name("DIR"),
      "folder for network.toml, weights.safetensors and, of a run, job.toml")(
      "weights", po::value<std::string>()->default_value("")->value_name("FILE"),
      "weights to convert (default: of a run the newest checkpoint, of a network file none)")(
      "input", po::value<std::string>()->default_value("")->value_name("HxW"),
      "height and width of the images that the result takes (default: the network's own)")(
      "json", po::bool_switch(), "print one JSON object");
  if (!line.parse(arguments)) return 0;
  const std::string path = line.required("RUN|NET.toml");
  if (!line.flag("fully-convolutional"))
    fail(ExitCode::usage, "convert to what? --fully-convolutional is the one form known");
  if (!line.has("output") || line.text("output").empty())
    fail(ExitCode::usage, "--output is missing: the folder to write to");
  const fs::path folder = line.text("output");
  check_output(folder.string());

  const Source source = open_source(path, line.text("weights"));
  const Shape input = input_of(line.text("input"), source.graph.input());
  const FullyConvolutional form = fully_convolutional(source.graph, input);
  std::vector<TensorView> tensors;
  if (source.file) tensors = reshaped_weights(*source.file, source.weights, source.graph, form.graph);

  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) {
    fail(code_of_write(problem.value()), "--output: cannot make the folder {}: {}", folder.string(),
         problem.message());
  }
  std::vector<std::string> written;
  const auto next = [&](const char* name) {
    written.push_back((folder / name).string());
    return written.back();
  };
  // The weights first: they are what a full disk would not hold.
  if (source.file) write_safetensors(next("weights.safetensors"), tensors, metadata_of(*source.file));
  write_text(next("network.toml"), network_text(form, source.graph.input()));
  if (source.job) {
    Job job = *source.job;
    job.network = fs::absolute(folder / "network.toml").lexically_normal().string();
    write_text(next("job.toml"), job_to_toml(job));
  }
  tell(source, form, written, line.flag("json"));
  return 0;
}

}  // namespace convoy
