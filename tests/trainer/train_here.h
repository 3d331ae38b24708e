#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/trainer/job_folder.h"
#include "trainer/trainer.h"

namespace convoy::test {

/// How a run in this process is made. Ranks are threads.
struct Here {
  std::string job;  ///< path of the job file
  std::string run;  ///< path of the run folder
  int ranks = 1;
  std::vector<std::string> sets = {};  ///< as with --set
  std::string resume = "auto";
  std::function<Worker(Communicator&)> worker = {};  ///< of each rank; empty: what the job asks for
};

/// Trains as `convoy train` does and gives rank 0's outcome.
TrainOutcome train_here(const Here& here);

/// Calls `body` on every rank with a Session of the job, weights and statistics at their first values.
void with_sessions(const Here& here, const std::function<void(Session&)>& body);

/// `iterations` updates on batches of the training set in order, without augmentation; for tests that look at
/// weights.
void take_steps(Session& session, std::int64_t iterations, double learning_rate);

/// A parameter's values by name, "conv1.weight".
std::vector<float> values_of(const Executor& executor, const std::string& name);

}  // namespace convoy::test
