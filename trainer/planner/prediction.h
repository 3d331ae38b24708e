#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "trainer/planner/cost_model.h"

namespace convoy {

/// What is known of the devices that a prediction is for.
struct PredictionSource {
  std::string
      speeds;  ///< where the device's speeds come from: "measured on this machine", "of the device table"
  std::string inside;   ///< what joins the ranks of a host: "nvlink4", "measured"; "" for one rank
  std::string between;  ///< what joins hosts; "" where there is but one
};

/// The way in which a plan runs its training.
Way way_of(const Plan& plan);

/// How long a plan's step takes, and that of other numbers of ranks up to the plan's.
class Prediction {
 public:
  Prediction(const Plan& plan, const CostModel& model, PredictionSource source);

  /// `prediction{...}` and `scaling[...]`, to be added to the plan's JSON.
  void add_to(boost::json::object& plan) const;
  /// For people.
  std::string text() const;

  const ScalingPoint& here() const { return here_; }

 private:
  struct Row {
    ScalingPoint share, batch;
  };

  Interconnect links_;
  PredictionSource source_;
  ScalingPoint here_;
  std::vector<Row> rows_;  ///< 1, 2, 4 ... ranks, and the plan's
};

}  // namespace convoy
