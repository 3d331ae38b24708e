#include <fmt/format.h>

#include <boost/json.hpp>

#include "launch/command.h"
#include "launch/network_text.h"
#include "launch/options.h"
#include "layers/core/text.h"
#include "layers/device/cpu/cpu_device.h"
#include "trainer/timing.h"

namespace convoy {
namespace {

namespace po = boost::program_options;

boost::json::object pass_json(const PassTime& pass) {
  return {{"milliseconds", pass.seconds * 1e3},
          {"gflops", pass.gflops()},
          {"gigabytes_per_second", pass.gigabytes()}};
}

boost::json::array kernels_json(const ChosenKernels& kernels) {
  boost::json::array problems;
  for (const auto& [problem, trial] : kernels.table.trials) {
    boost::json::object milliseconds;
    for (const auto& [way, seconds] : trial.seconds) milliseconds[way] = seconds * 1e3;
    problems.push_back({{"problem", problem},
                        {"usual", trial.usual},
                        {"chosen", trial.chosen},
                        {"milliseconds", std::move(milliseconds)}});
  }
  return problems;
}

boost::json::object time_json(const TimedTraining& training, const TrainingTime& time) {
  boost::json::array layers;
  for (const LayerTime& one : time.layers) {
    const Layer& layer = training.graph().layers()[static_cast<std::size_t>(one.layer)];
    layers.push_back({{"name", layer.name},
                      {"type", type_of(layer.op)},
                      {"forward", pass_json(one.forward)},
                      {"backward", pass_json(one.backward)},
                      {"layout_milliseconds", one.layout_seconds * 1e3},
                      {"kernels", one.kernels}});
  }
  return {{"network", training.graph().name()},
          {"batch", training.settings().batch},
          {"precision", precision_name(training.executor().plan().request)},
          {"threads", training.settings().threads},
          {"library", training.library()},
          {"step_milliseconds", time.step_seconds * 1e3},
          {"images_per_second", static_cast<double>(training.settings().batch) / time.step_seconds},
          {"update_milliseconds", time.update_seconds * 1e3},
          {"input_milliseconds", time.input_seconds * 1e3},
          {"layers", std::move(layers)},
          {"kernel_problems", kernels_json(training.kernels())}};
}

/// "12.3", or "" for nothing.
std::string number_or_blank(double value, int digits) {
  return value <= 0 ? "" : fmt::format("{:.{}f}", value, digits);
}

std::string pass_text(const PassTime& pass) {
  return fmt::format("{:>9} {:>7} {:>6}", number_or_blank(pass.seconds * 1e3, 3),
                     number_or_blank(pass.gflops(), 1), number_or_blank(pass.gigabytes(), 1));
}

void print_table(const TimedTraining& training, const TrainingTime& time) {
  std::size_t width = 10;
  for (const Layer& layer : training.graph().layers()) width = std::max(width, layer.name.size());
  fmt::print("{:<{}} {:<15} {:^24} {:^24} {:>7} {:>6}\n", "", width, "", "forward", "backward", "layout",
             "share");
  fmt::print("{:<{}} {:<15} {:>9} {:>7} {:>6} {:>9} {:>7} {:>6} {:>7} {:>6}  {}\n", "layer", width, "type",
             "ms", "GFLOP/s", "GB/s", "ms", "GFLOP/s", "GB/s", "ms", "%", "kernels");
  double forward = 0;
  double backward = 0;
  double layout = 0;
  double whole = time.update_seconds + time.input_seconds;
  for (const LayerTime& one : time.layers)
    whole += one.forward.seconds + one.backward.seconds + one.layout_seconds;
  for (const LayerTime& one : time.layers) {
    const Layer& layer = training.graph().layers()[static_cast<std::size_t>(one.layer)];
    const double all = one.forward.seconds + one.backward.seconds + one.layout_seconds;
    fmt::print("{:<{}} {:<15} {} {} {:>7} {:>6.1f}  {}\n", layer.name, width, type_of(layer.op),
               pass_text(one.forward), pass_text(one.backward), number_or_blank(one.layout_seconds * 1e3, 3),
               100 * all / whole, one.kernels.empty() ? "in the layer before it" : one.kernels);
    forward += one.forward.seconds;
    backward += one.backward.seconds;
    layout += one.layout_seconds;
  }
  const auto& settings = training.settings();
  fmt::print(
      "\n{}, batch {}, {}, {}: {:.2f} ms a step (median), {:.1f} images/s\nforward {:.2f} ms, "
      "backward {:.2f} "
      "ms, changes of layout {:.2f} ms, update {:.2f} ms, pixels to numbers {:.2f} ms (means)\n",
      training.graph().name(), settings.batch, precision_name(training.executor().plan().request),
      settings.device == "cpu" ? counted(settings.threads, "thread") : training.device_name(),
      time.step_seconds * 1e3, static_cast<double>(settings.batch) / time.step_seconds, forward * 1e3,
      backward * 1e3, layout * 1e3, time.update_seconds * 1e3, time.input_seconds * 1e3);
  const ChosenKernels& kernels = training.kernels();
  if (!kernels.line().empty()) fmt::print("\n{}\n", kernels.line());
  for (const std::string& line : kernels.details()) fmt::print("{}\n", line);
}

}  // namespace

int time_command(const std::vector<std::string>& arguments) {
  CommandLine line(
      "time NET.toml [options]",
      "Trains a network on made-up images and tells where the time of a step goes, layer by layer.");
  line.positional("NET.toml", "network file");
  line.options().add_options()("batch", po::value<std::int64_t>()->default_value(64)->value_name("N"),
                               "images at a time")(
      "steps", po::value<std::int64_t>()->default_value(10)->value_name("N"),
      "steps to measure, after three to warm up")(
      "threads", po::value<std::int64_t>()->default_value(0)->value_name("N"),
      "compute threads; 0: all cores")(
      "precision", po::value<std::string>()->default_value("fp32")->value_name("fp32|tf32|bf16|fp16"),
      "number format of activations and of the weights that kernels read")(
      "device", po::value<std::string>()->default_value("cpu")->value_name("cpu|cuda"), "what to train on")(
      "kernels", po::value<std::string>()->default_value("measured")->value_name("measured|default"),
      "choice among kernels, as the key of the job file")("json", po::bool_switch(), "print one JSON object");
  if (!line.parse(arguments)) return 0;
  const std::string path = line.required("NET.toml");
  TimedTraining::Settings settings;
  settings.batch = line.number("batch", 1, 1 << 20);
  const auto steps = static_cast<int>(line.number("steps", 1, 1 << 20));
  settings.threads = static_cast<int>(line.number("threads", 0, 4096));
  if (settings.threads == 0) settings.threads = usable_cores();
  const std::string precision = line.text("precision");
  settings.device = line.text("device");
  if (settings.device != "cpu" && settings.device != "cuda")
    fail(ExitCode::usage, "--device {}: expected cpu or cuda", settings.device);
  const bool on_gpu = settings.device == "cuda";
  settings.tf32 = precision == "tf32";
  if (precision != "fp32" && precision != "bf16" && !(on_gpu && (precision == "fp16" || settings.tf32)))
    fail(ExitCode::usage, "--precision {}: expected fp32 or bf16{}", precision,
         on_gpu ? " or tf32 or fp16" : "");
  settings.precision = settings.tf32 ? DType::f32 : dtype_of(precision);
  const std::string kernels = line.text("kernels");
  if (kernels != "measured" && kernels != "default")
    fail(ExitCode::usage, "--kernels {}: expected measured or default", kernels);
  if (kernels == "measured") settings.kernels = measured_kernels();
  TimedTraining training(read_network(path), settings);
  for (const std::string& warning : training.kernels().warnings) fmt::print(stderr, "{}\n", warning);
  const TrainingTime time = time_training(training, 3, steps);
  if (line.flag("json")) {
    fmt::print("{}\n", boost::json::serialize(time_json(training, time)));
  } else {
    print_table(training, time);
  }
  return 0;
}

}  // namespace convoy
