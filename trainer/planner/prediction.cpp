#include "trainer/planner/prediction.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "layers/core/text.h"

namespace convoy {
namespace {

/// "12.3 ms", "1.23 s".
std::string duration(double seconds) {
  return seconds < 1 ? fmt::format("{:.3g} ms", seconds * 1e3) : fmt::format("{:.3g} s", seconds);
}

double exposed_share(const ScalingPoint& point) { return point.step.exposed / point.step.total; }

std::string rate(double images_per_second) {
  return images_per_second < 100 ? fmt::format("{:.3g}", images_per_second)
                                 : fmt::format("{:.0f}", images_per_second);
}

boost::json::object row_json(const ScalingPoint& point) {
  return {{"global_batch", point.batch},
          {"step_seconds", point.step.total},
          {"images_per_second", point.images_per_second},
          {"efficiency", point.efficiency},
          {"exposed_share", exposed_share(point)}};
}

}  // namespace

Way way_of(const Plan& plan) {
  const Choices& choices = plan.program.choices;
  return {choices.precision, choices.workspace_bytes, choices.recompute, plan.micro_batch, choices.shards};
}

Prediction::Prediction(const Plan& plan, const CostModel& model, PredictionSource source)
    : links_(model.request().links), source_(std::move(source)) {
  const Way way = way_of(plan);
  const std::int64_t ranks = model.request().ranks;
  for (std::int64_t n = 1; n < ranks; n *= 2)
    rows_.push_back({same_share(model, way, n), same_batch(model, way, n)});
  here_ = same_share(model, way, ranks);
  rows_.push_back({here_, same_batch(model, way, ranks)});
  // The batch may not fall into equal shares.
  here_.batch = rows_.back().batch.batch;
  here_.images_per_second = static_cast<double>(here_.batch) / here_.step.total;
}

void Prediction::add_to(boost::json::object& plan) const {
  const StepCost& step = here_.step;
  plan["prediction"] = boost::json::object{{"speeds", source_.speeds},
                                           {"step_seconds", step.total},
                                           {"images_per_second", here_.images_per_second},
                                           {"efficiency", here_.efficiency},
                                           {"exposed_share", exposed_share(here_)},
                                           {"input_seconds", step.input},
                                           {"forward_seconds", step.forward},
                                           {"backward_seconds", step.backward},
                                           {"recompute_seconds", step.recompute},
                                           {"accumulate_seconds", step.accumulate},
                                           {"update_seconds", step.update},
                                           {"communication_seconds", step.communicate},
                                           {"exposed_seconds", step.exposed},
                                           {"hosts", links_.hosts(here_.ranks)},
                                           {"ranks_per_host", links_.ranks_on_host(here_.ranks)},
                                           {"inside_hosts", source_.inside},
                                           {"between_hosts", source_.between}};
  boost::json::array scaling;
  for (const Row& row : rows_) {
    boost::json::object entry = row_json(row.share);
    entry["ranks"] = row.share.ranks;
    entry["hosts"] = links_.hosts(row.share.ranks);
    entry["same_batch"] = row_json(row.batch);
    scaling.push_back(std::move(entry));
  }
  plan["scaling"] = std::move(scaling);
}

std::string Prediction::text() const {
  const StepCost& step = here_.step;
  std::string text = fmt::format(
      "predicted, with speeds {}: {} a step, {} images/s\n"
      "  forward {}, backward {}, recompute {}, sums of gradients {}, update {}\n",
      source_.speeds, duration(step.total), rate(here_.images_per_second), duration(step.forward),
      duration(step.backward), duration(step.recompute), duration(step.accumulate), duration(step.update));
  if (here_.ranks == 1) return text;
  const std::int64_t hosts = links_.hosts(here_.ranks);
  text += fmt::format("  communication {}, of which {} are not hidden ({:.1f}% of the step); {}{}{}\n",
                      duration(step.communicate), duration(step.exposed), 100 * exposed_share(here_),
                      hosts == 1 ? "one host"
                                 : fmt::format("{} of {}", counted(hosts, "host"),
                                               counted(links_.ranks_on_host(here_.ranks), "rank")),
                      source_.inside.empty() ? "" : ", inside by " + source_.inside,
                      source_.between.empty() ? "" : ", between them by " + source_.between);
  text += fmt::format("  {:>7} | {:^38} | {:^38}\n", "", "as much for each rank", "the same batch for all");
  text += fmt::format("  {:>7} | {:>9} {:>10} {:>10} {:>6} | {:>9} {:>10} {:>10} {:>6}\n", "ranks", "batch",
                      "step", "images/s", "", "batch", "step", "images/s", "");
  const auto half = [](const ScalingPoint& point) {
    return fmt::format("{:>9} {:>10} {:>10} {:>5.1f}%", point.batch, duration(point.step.total),
                       rate(point.images_per_second), 100 * point.efficiency);
  };
  for (const Row& row : rows_)
    text += fmt::format("  {:>7} | {} | {}\n", row.share.ranks, half(row.share), half(row.batch));
  return text;
}

}  // namespace convoy
