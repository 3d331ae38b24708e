#pragma once

#include <atomic>
#include <boost/json/object.hpp>
#include <string>

#include "trainer/checkpoint.h"
#include "trainer/evaluate.h"
#include "trainer/progress.h"
#include "trainer/run_folder.h"
#include "trainer/session.h"

namespace convoy {

struct TrainOptions {
  std::string run_folder;
  std::string resume = "auto";              ///< "auto", "no", or a checkpoint's path
  std::string job_text;                     ///< the resolved job file, for the run folder
  const std::atomic<bool>* stop = nullptr;  ///< set by a signal: save at the next step and stop
  std::FILE* console = nullptr;             ///< of rank 0; null: silent
  bool terminal = false;                    ///< the console is a terminal
  std::string version;                      ///< of the program, for summary.json
};

/// How a training run ended.
struct TrainOutcome {
  ExitCode code = ExitCode::done;  ///< done or stopped
  boost::json::object summary;
};

/// Trains a job on all ranks of the session's communicator. Every rank takes every decision together: the
/// loss, the request to stop, and failures to save are exchanged each iteration. Error(diverged) when the
/// loss is not finite.
TrainOutcome train(Session& session, const TrainOptions& options);

}  // namespace convoy
