#pragma once

#include <boost/json/array.hpp>
#include <functional>
#include <string>
#include <vector>

#include "trainer/planner/plan.h"

namespace convoy {

/// A change that the planner does not make, because it is of the network or of the machines, and what it
/// would save.
struct Advice {
  enum class Kind : std::uint8_t { stride, leave_out, devices };
  Kind kind = Kind::stride;
  std::string layer;             ///< "" for devices
  std::string change;            ///< "stride 5 in place of 4", "leave it out", "4 ranks in place of 2"
  std::int64_t saved_bytes = 0;  ///< on each rank
  std::int64_t projected_bytes = 0;
  bool fits = false;
};

struct AdviceOptions {
  std::size_t most = 4;       ///< layers that are tried for each kind of change, those that promise the most
  double budget_seconds = 1;  ///< no further one is tried after it
  /// PlanRequest::collective_bytes for other numbers of ranks.
  std::function<std::int64_t(int)> collective_bytes;
};

/// What would help a job whose plan does not fit, or was changed to fit: a larger stride of an early layer, a
/// layer less, more ranks. Each is tried: the changed network is built and laid out, as the job was asked for
/// where the plan fits, and with all that the plan does where it does not. The most saving first, by kind;
/// empty for plans that need no help. Changes that give no legal network, other classes or no saving are not
/// told.
std::vector<Advice> advise(const Graph& graph, const PlanRequest& asked, const Plan& plan, Backend& backend,
                           const AdviceOptions& options);

/// `advice[]` of the plan's JSON.
boost::json::array advice_json(const std::vector<Advice>& advice);
/// Lines for people; "" where there is none.
std::string advice_text(const std::vector<Advice>& advice);

}  // namespace convoy
