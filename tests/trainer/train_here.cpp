#include "tests/trainer/train_here.h"

#include <mutex>

#include "launch/job/read_job.h"
#include "launch/job/write_job.h"
#include "trainer/data/loader.h"
#include "trainer/parameters.h"
#include "trainer/passes.h"
#include "trainer/resume.h"

namespace convoy::test {

TrainOutcome train_here(const Here& here) {
  TrainOutcome outcome;
  run_ranks(here.ranks, [&](Communicator& comm) {
    JobInputs inputs = open_inputs(read_job(here.job, here.sets), Purposes::train);
    TrainOptions options;
    options.run_folder = here.run;
    options.resume = here.resume;
    options.job_text = job_to_toml(inputs.job);
    options.version = "test";
    const std::int64_t samples = inputs.train->size();
    const std::int64_t batch = kept_batch(inputs.job, here.run, here.resume, comm);
    Session session(std::move(inputs), comm, true, samples, {}, batch,
                    here.worker ? here.worker(comm) : Worker{});
    TrainOutcome own = train(session, options);
    if (comm.rank() == 0) outcome = std::move(own);
  });
  return outcome;
}

void with_sessions(const Here& here, const std::function<void(Session&)>& body) {
  run_ranks(here.ranks, [&](Communicator& comm) {
    JobInputs inputs = open_inputs(read_job(here.job, here.sets), Purposes::train);
    const std::int64_t samples = inputs.train->size();
    Session session(std::move(inputs), comm, true, samples, {}, 0,
                    here.worker ? here.worker(comm) : Worker{});
    initialise(session.executor(), static_cast<std::uint64_t>(session.job().seed));
    body(session);
  });
}

void take_steps(Session& session, std::int64_t iterations, double learning_rate) {
  Executor& executor = session.executor();
  LoaderOptions options;
  options.batch = session.job().train.batch;
  options.rank = session.comm().rank();
  options.ranks = session.comm().size();
  options.shuffle = false;
  Loader loader(session.inputs().train, session.graph().input(), options);
  for (std::int64_t i = 0; i < iterations; ++i) {
    const Batch* batch = loader.next();
    StepContext context;
    context.iteration = i;
    context.sample_weight = 1 / static_cast<float>(batch->global_samples);
    context.learning_rate = static_cast<float>(learning_rate);
    run_passes(executor, *batch, context);
    executor.update(context);
  }
}

std::vector<float> values_of(const Executor& executor, const std::string& name) {
  for (HostTensor& tensor : export_tensors(executor, true)) {
    if (tensor.name == name) return std::move(tensor.values);
  }
  fail(ExitCode::internal, "no tensor {}", name);
}

}  // namespace convoy::test
