#include "trainer/run_summary.h"

#include <sys/resource.h>

#include <algorithm>

namespace convoy {

boost::json::object run_summary(const Session& session, const RunFigures& run, const std::string& version) {
  const Executor& executor = session.executor();
  const Plan& plan = session.plan();
  const std::int64_t iteration = run.position.iteration;
  const std::int64_t batch = session.job().train.batch;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const StepTimes& times = executor.times();
  const double samples = static_cast<double>(iteration / run.per_epoch * session.inputs().train->size() +
                                             iteration % run.per_epoch * batch);
  boost::json::object seconds{{"kernels", times.kernels},   {"reorders", times.reorders},
                              {"input", times.input},       {"reduce", times.reduce},
                              {"data_wait", run.data_wait}, {"training", run.train_seconds}};
  boost::json::object summary{
      {"version", version},
      {"network", session.graph().name()},
      {"parameters", session.graph().parameters()},
      {"ranks", session.comm().size()},
      {"global_batch", plan.update_batch()},
      {"asked_global_batch", plan.asked_batch},
      {"learning_rate_factor", plan.learning_rate_factor()},
      {"shard_optimizer", plan.program.choices.shards > 1},
      {"iterations", iteration},
      {"of_iterations", run.of_iterations},
      {"complete", iteration == run.of_iterations},
      {"epochs", static_cast<double>(iteration) / static_cast<double>(run.per_epoch)},
      {"training_seconds", run.position.seconds},
      {"images_per_second", samples / std::max(run.position.seconds, 1e-9)},
      {"projected_bytes", plan.projected_bytes()},
      {"measured_peak_bytes",
       session.device().peak_bytes() + plan.request.collective_bytes + plan.request.loader_bytes_here()},
      {"loader_bytes", plan.request.loader_bytes},
      {"memory", session.memory().json()},
      {"planned_again", plan.refusals.size()},
      {"process_peak_bytes", static_cast<std::int64_t>(usage.ru_maxrss) * 1024},
      {"device_allocations_after_first_step",
       run.allocations_after_first < 0 ? 0 : session.device().allocations() - run.allocations_after_first},
      {"seconds", std::move(seconds)}};
  if (!session.device().host_addressable()) summary["cuda_graphs"] = executor.records();
  if (executor.scales_loss()) {
    const UpdateState state = executor.update_state();
    summary["loss_scale"] = state.loss_scale;
    summary["skipped_updates"] = state.skipped_updates;
  }
  if (run.evaluation) {
    summary["loss"] = run.evaluation->loss;
    summary["top1"] = run.evaluation->top1;
    summary["top5"] = run.evaluation->top5;
    summary["test_samples"] = run.evaluation->samples;
  }
  return summary;
}

}  // namespace convoy
