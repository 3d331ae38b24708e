#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <optional>

#include "launch/class_report.h"
#include "launch/command.h"
#include "launch/options.h"
#include "launch/ranks.h"
#include "launch/run_reader.h"
#include "layers/core/text.h"
#include "trainer/checkpoint.h"
#include "trainer/class_identity.h"
#include "trainer/data/class_names.h"
#include "trainer/evaluate.h"
#include "trainer/preparation.h"
#include "trainer/session.h"

namespace convoy {
namespace po = boost::program_options;

namespace {

/// Opened before the evaluation, which may take long: a path that cannot be written is told at once.
std::unique_ptr<PartialFile> matrix_file(const std::string& path, std::size_t classes) {
  if (path.empty()) return nullptr;
  if (classes > kMostMatrixClasses) {
    fail(ExitCode::usage,
         "--confusion: a matrix of {} classes would have {} cells; {} classes are the most. --json has the "
         "accuracy of every class",
         classes, classes * classes, kMostMatrixClasses);
  }
  try {
    return std::make_unique<PartialFile>(path);
  } catch (const Error& problem) {
    fail(problem.code(), "--confusion: {}", problem.what());
  }
}

}  // namespace

int eval_command(const std::vector<std::string>& arguments) {
  CommandLine line(
      "eval RUN [options]",
      "Loss and accuracy on the test set of the run in folder RUN, in all and by class, and what "
      "is taken for what.\n"
      "mpirun shares the work out.");
  line.positional("RUN", "run folder");
  line.options().add_options()("checkpoint", po::value<std::string>()->default_value("")->value_name("FILE"),
                               "weights to take (default: the newest checkpoint)")(
      "set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
      "change a key of the job")("worst", po::value<std::int64_t>()->default_value(5)->value_name("N"),
                                 "classes recognised least, and most frequent confusions, to tell")(
      "confusion", po::value<std::string>()->default_value("")->value_name("FILE"),
      "write the confusion matrix as CSV: a row for each true class, a column for each predicted one")(
      "json", po::bool_switch(), "print one JSON object, with the accuracy of every class");
  if (!line.parse(arguments)) return 0;
  const std::string folder = line.required("RUN");
  const auto worst = static_cast<std::size_t>(line.number("worst", 0, kMostClasses));
  std::optional<JobInputs> inputs;
  const auto prepare = [&] {
    inputs = open_inputs(job_of_run(folder, line.texts("set")), Purposes::evaluate);
    return inputs->job.comm.timeout_seconds;
  };
  return run_on_ranks(line.flag("json"), prepare, [&](Communicator& comm) {
    const Augmentation preparation = evaluation_augmentation(inputs->job, inputs->graph.input());
    const std::int64_t samples = inputs->test->size() * preparation.views();
    const KernelSettings kernels = kernels_of_run(folder, inputs->job);
    Session session(std::move(*inputs), comm, false, samples, kernels);
    if (comm.rank() == 0) tell_actions(session.plan());
    const CheckpointStore store(folder + "/checkpoints", 1);
    const LoadedWeights weights =
        load_weights({&store, weights_of_run(folder, line.text("checkpoint"))}, session.executor());
    const Dataset& set = *session.inputs().test;
    check_class_names(weights.class_names, set.class_names(), weights.path);
    const std::unique_ptr<PartialFile> matrix =
        comm.rank() == 0 ? matrix_file(line.text("confusion"), set.class_names().size()) : nullptr;
    Confusion confusion(set.classes());
    const Evaluation result =
        evaluate(session.executor(), session.inputs().test, comm, preparation,
                 static_cast<int>(session.job().data.loader_threads), nullptr, &confusion);
    for (const std::string& note : set.take_notes()) fmt::print(stderr, "convoy: {}\n", note);
    if (comm.rank() != 0) return 0;
    const ClassReport report(confusion,
                             are_numbers(set.class_names()) ? weights.class_names : set.class_names());
    if (matrix != nullptr) {
      report.write_matrix(*matrix);
      matrix->commit();
    }
    if (line.flag("json")) {
      boost::json::object answer{
          {"checkpoint", weights.path},
          {"iteration", weights.iteration},
          {"loss", std::isfinite(result.loss) ? boost::json::value(result.loss) : nullptr},
          {"top1", result.top1},
          {"top5", result.top5},
          {"samples", result.samples},
          {"crops", preparation.views()},
          {"seconds", result.seconds}};
      report.add_to(answer, worst);
      fmt::print("{}\n", boost::json::serialize(answer));
    } else {
      fmt::print("{}: after {} updates: loss {}, top-1 {:.4f}, top-5 {:.4f} on {} test images{} ({:.1f} s)\n",
                 weights.path, weights.iteration, figure_text(result.loss), result.top1, result.top5,
                 result.samples, preparation.views() > 1 ? ", ten crops of each" : "", result.seconds);
      fmt::print("{}", report.text(worst));
    }
    return 0;
  });
}

}  // namespace convoy
