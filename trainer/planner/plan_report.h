#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "trainer/planner/plan.h"

namespace convoy {

/// Why a plan does not fit, with the figures, the peak and what would help.
std::string refusal_of(const Plan& plan, const Graph& graph);
/// Error(does_not_fit) that says it.
[[noreturn]] void refuse_plan(const Plan& plan, const Graph& graph);

/// The plan as `convoy plan --json` prints it.
boost::json::object plan_json(const Plan& plan, const Graph& graph);

/// A line for people about the lean passes; "" where there are none.
std::string lean_line(const Plan& plan);

/// Lines for people about a batch of more than the training set has, and about ranks that get no part of it.
std::vector<std::string> batch_lines(const Plan& plan);

/// Lines for people about what was done to make a plan fit; empty when nothing was.
std::vector<std::string> action_lines(const Plan& plan);

/// The plan as a table for people.
std::string plan_text(const Plan& plan, const Graph& graph);

}  // namespace convoy
