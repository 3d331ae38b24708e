#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>
#include <optional>

#include "launch/command.h"
#include "launch/job/read_job.h"
#include "launch/job/write_job.h"
#include "launch/options.h"
#include "launch/ranks.h"
#include "launch/run_reader.h"
#include "layers/core/error.h"
#include "trainer/resume.h"
#include "trainer/trainer.h"

namespace convoy {
namespace po = boost::program_options;
namespace {

void check_resume(const std::string& word) {
  std::error_code ignored;
  if (word == "auto" || word == "no" || std::filesystem::is_regular_file(word, ignored)) return;
  if (std::filesystem::is_directory(word, ignored)) {
    fail(ExitCode::usage,
         "--resume {}: is a folder; to continue the run in it give --run-dir {} --resume auto, or name one "
         "of its "
         "checkpoints",
         word, word);
  }
  fail(ExitCode::usage, "--resume {}: no such file; give auto, no, or the path of a checkpoint", word);
}

}  // namespace

int train_command(const std::vector<std::string>& arguments) {
  CommandLine line(
      "train JOB.toml [options]",
      "Trains the network of a job file. Start it with mpirun -n N for N data-parallel workers.");
  line.positional("JOB.toml", "job file");
  line.options().add_options()("set",
                               po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
                               "change a key of the job, as in --set train.batch=128; may be repeated")(
      "run-dir", po::value<std::string>()->value_name("DIR"),
      "folder of the run (default: runs/NAME of the job file)")(
      "resume", po::value<std::string>()->default_value("auto")->value_name("auto|no|PATH"),
      "continue from the newest checkpoint of the run folder, never, or from a file")(
      "json", po::bool_switch(), "print one JSON object on standard output; progress goes to standard error")(
      "print-config", po::bool_switch(), "print the job with every key, and stop");
  line.details(job_help());
  if (!line.parse(arguments)) return 0;
  const std::string path = line.required("JOB.toml");
  if (line.flag("print-config")) {
    fmt::print("{}", job_to_toml(read_job(path, line.texts("set"))));
    return 0;
  }
  const bool json = line.flag("json");
  TrainOptions options;
  options.run_folder =
      line.has("run-dir") ? line.text("run-dir") : "runs/" + std::filesystem::path(path).stem().string();
  options.resume = line.text("resume");
  check_resume(options.resume);
  options.console = json ? stderr : stdout;
  options.terminal = reaches_terminal(options.console);
  options.version = kVersion;
  options.stop = &stop_requested();

  std::optional<JobInputs> inputs;
  const auto prepare = [&] {
    catch_stop_signals();
    inputs = open_inputs(read_job(path, line.texts("set")), Purposes::train);
    options.job_text = job_to_toml(inputs->job);
    return inputs->job.comm.timeout_seconds;
  };
  return run_on_ranks(json, prepare, [&](Communicator& comm) {
    const std::int64_t samples = inputs->train->size();
    const KernelSettings kernels = kernels_to_train(options.run_folder, options.resume, inputs->job);
    const std::int64_t batch = kept_batch(inputs->job, options.run_folder, options.resume, comm);
    Session session(std::move(*inputs), comm, true, samples, kernels, batch);
    const TrainOutcome outcome = train(session, options);
    if (comm.rank() == 0 && json) fmt::print("{}\n", boost::json::serialize(outcome.summary));
    if (comm.rank() == 0 && !json && outcome.code == ExitCode::done) {
      const boost::json::object& s = outcome.summary;
      fmt::print(
          "top-1 {:.4f}, top-5 {:.4f} on {} test images; {:.0f} images/s, {:.1f} s of training; run folder "
          "{}\n",
          s.at("top1").as_double(), s.at("top5").as_double(), s.at("test_samples").as_int64(),
          s.at("images_per_second").as_double(), s.at("training_seconds").as_double(), options.run_folder);
    }
    return static_cast<int>(outcome.code);
  });
}

}  // namespace convoy
