#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "trainer/checkpoint.h"
#include "trainer/evaluate.h"
#include "trainer/session.h"

namespace convoy {

/// Where a training run stands.
struct RunFigures {
  Position position;
  std::int64_t of_iterations = 0;  ///< updates that the job asks for
  std::int64_t per_epoch = 1;      ///< updates of an epoch
  double train_seconds = 0;        ///< by this process
  double data_wait = 0;            ///< seconds of them
  std::int64_t allocations_after_first =
      -1;                                ///< of the device, until its first update was done; -1: none was
  std::optional<Evaluation> evaluation;  ///< the last
};

/// What summary.json tells of a run, and `convoy train --json`.
boost::json::object run_summary(const Session& session, const RunFigures& run, const std::string& version);

}  // namespace convoy
