#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <optional>

#include "launch/command.h"
#include "launch/options.h"
#include "launch/ranks.h"
#include "launch/run_reader.h"
#include "trainer/checkpoint.h"
#include "trainer/evaluate.h"
#include "trainer/preparation.h"
#include "trainer/session.h"

namespace convoy {
namespace po = boost::program_options;

int eval_command(const std::vector<std::string>& arguments) {
  CommandLine line("eval RUN [options]",
                   "Loss and accuracy on the test set of the run in folder RUN. mpirun shares the work out.");
  line.positional("RUN", "run folder");
  line.options().add_options()("checkpoint", po::value<std::string>()->default_value("")->value_name("FILE"),
                               "weights to take (default: the newest checkpoint)")(
      "set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
      "change a key of the job")("json", po::bool_switch(), "print one JSON object");
  if (!line.parse(arguments)) return 0;
  const std::string folder = line.required("RUN");
  std::optional<JobInputs> inputs;
  const auto prepare = [&] {
    inputs = open_inputs(job_of_run(folder, line.texts("set")), Purposes::evaluate);
    return inputs->job.comm.timeout_seconds;
  };
  return run_on_ranks(prepare, [&](Communicator& comm) {
    const Augmentation preparation = evaluation_augmentation(inputs->job, inputs->graph.input());
    const std::int64_t samples = inputs->test->size() * preparation.views();
    const KernelSettings kernels = kernels_of_run(folder, inputs->job);
    Session session(std::move(*inputs), comm, false, samples, kernels);
    if (comm.rank() == 0) tell_actions(session.plan());
    const CheckpointStore store(folder + "/checkpoints", 1);
    const LoadedWeights weights =
        load_weights({&store, weights_of_run(folder, line.text("checkpoint"))}, session.executor());
    const Evaluation result = evaluate(session.executor(), session.inputs().test, comm, preparation,
                                       static_cast<int>(session.job().data.loader_threads));
    for (const std::string& note : session.inputs().test->take_notes())
      fmt::print(stderr, "convoy: {}\n", note);
    if (comm.rank() != 0) return 0;
    if (line.flag("json")) {
      fmt::print("{}\n", boost::json::serialize(boost::json::object{
                             {"checkpoint", weights.path},
                             {"iteration", weights.iteration},
                             {"loss", std::isfinite(result.loss) ? boost::json::value(result.loss) : nullptr},
                             {"top1", result.top1},
                             {"top5", result.top5},
                             {"samples", result.samples},
                             {"crops", preparation.views()},
                             {"seconds", result.seconds}}));
    } else {
      fmt::print(
          "{}: after {} updates: loss {:.4f}, top-1 {:.4f}, top-5 {:.4f} on {} test images{} ({:.1f} s)\n",
          weights.path, weights.iteration, result.loss, result.top1, result.top5, result.samples,
          preparation.views() > 1 ? ", ten crops of each" : "", result.seconds);
    }
    return 0;
  });
}

}  // namespace convoy
