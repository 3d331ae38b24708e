#include "trainer/planner/plan_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "layers/core/bytes.h"
#include "layers/core/error.h"
#include "layers/core/text.h"

namespace convoy {
namespace {

/// Samples of the evaluation in a plan of training that has its peak there, else 0.
std::int64_t evaluated_at_peak(const Plan& plan) {
  const int step = plan.layout.peak_step;
  for (const Segment& segment : plan.program.segments) {
    if (plan.request.training && segment.kind == SegmentKind::evaluate && segment.first <= step &&
        step < segment.end)
      return segment.samples;
  }
  return 0;
}

/// What of the bytes of a refused plan is not its arena, where that is much, or where the arena alone would
/// fit; a sentence, or "".
std::string large_beside(const Plan& plan) {
  std::vector<std::string> parts;
  const auto add = [&](std::int64_t bytes, const char* what) {
    if (bytes > plan.projected_bytes() / 10 || (bytes > 0 && plan.arena_bytes() <= plan.request.limit_bytes))
      parts.push_back(fmt::format("{} for {}", format_bytes(bytes), what));
  };
  add(plan.request.overhead_bytes, "the device's context and libraries");
  add(plan.request.collective_bytes, "buffers of collectives");
  add(plan.request.loader_bytes_here(),
      "the data loader (fewer data.loader_threads or a smaller data.ahead take less)");
  if (parts.empty()) return "";
  return fmt::format("Among the {} are {}. ", format_bytes(plan.projected_bytes()), join(parts, " and "));
}

}  // namespace

std::string refusal_of(const Plan& plan, const Graph& graph) {
  const Step& peak = plan.program.steps[static_cast<std::size_t>(plan.layout.peak_step)];
  std::string advice = "That is the least it can come down to: use more ranks, or raise memory.limit";
  const bool may_shard = plan.request.ranks > 1 && plan.request.training && plan.request.momentum &&
                         plan.program.choices.shards == 1 && !plan.request.may_shard_optimizer;
  if (const std::int64_t samples = evaluated_at_peak(plan); samples > 1) {
    advice = fmt::format(
        "That is evaluation, {} at a time: lower train.evaluate_batch, put \"micro_batch\" into "
        "memory.allow, "
        "or raise memory.limit",
        samples);
  } else if (!plan.request.may_shrink && plan.micro_batch > 1) {
    advice = fmt::format(
        "Put \"micro_batch\" into memory.allow, set train.micro_batch to less than {}, or raise memory.limit",
        plan.micro_batch);
  } else if (plan.request.training && !plan.request.may_recompute) {
    advice = "Put \"recompute\" into memory.allow, use more ranks, or raise memory.limit";
  } else if (may_shard) {
    advice = "Put \"shard_optimizer\" into memory.allow, use more ranks, or raise memory.limit";
  } else if (plan.micro_batch > 1 && has_batch_norm(graph)) {
    advice =
        "Micro-batches are not made smaller for the sake of batch norm's statistics: lower "
        "memory.statistics_batch, put \"global_batch\" into memory.allow, or raise memory.limit";
  } else if (plan.half_would_fit) {
    advice = "Put \"half_precision\" into memory.allow, use more ranks, or raise memory.limit";
  }
  if (plan.smallest_limit_bytes > 0) {
    const std::int64_t least = plan.least_limit();
    advice +=
        fmt::format(". With what memory.allow allows, the least memory.limit that will do is {} bytes{}",
                    least, plan.request.reserve_bytes > 0 ? ", memory.reserve included" : "");
  }
  std::string before;
  for (const Refusal& refusal : plan.refusals) before += refusal.text() + ". ";
  return fmt::format(
      "{}\"{}\" does not fit: with {} at a time on a rank it needs {} ({} bytes), and the limit is {} "
      "({} bytes). {}The peak is at \"{}\". {}",
      before, graph.name(), counted(plan.micro_batch, "sample"), format_bytes(plan.projected_bytes()),
      plan.projected_bytes(), format_bytes(plan.request.limit_bytes), plan.request.limit_bytes,
      large_beside(plan), peak.name, advice);
}

void refuse_plan(const Plan& plan, const Graph& graph) {
  throw Error(ExitCode::does_not_fit, refusal_of(plan, graph));
}

boost::json::object plan_json(const Plan& plan, const Graph& graph) {
  boost::json::object ledger;
  for (int c = 0; c < kCategories; ++c) {
    ledger[name_of(static_cast<Category>(c))] = plan.ledger[static_cast<std::size_t>(c)];
  }
  boost::json::array recompute;
  for (const int layer : plan.program.choices.recompute)
    recompute.emplace_back(graph.layers()[static_cast<std::size_t>(layer)].name);
  boost::json::array actions;
  for (const PlanAction& action : plan.actions) {
    actions.push_back({{"action", action.name},
                       {"taken", action.taken},
                       {"saved_bytes", action.saved_bytes},
                       {"predicted_slowdown", action.slowdown},
                       {"reason", action.reason}});
  }
  boost::json::array alternatives;
  for (const PlanAlternative& one : plan.alternatives) {
    alternatives.push_back({{"alternative", one.text},
                            {"fits", one.fits},
                            {"projected_bytes", one.bytes},
                            {"predicted_slowdown", one.slowdown}});
  }
  boost::json::array refusals;
  for (const Refusal& refusal : plan.refusals) {
    refusals.push_back({{"rank", refusal.rank},
                        {"arena_bytes", refusal.arena_bytes},
                        {"limit_bytes", refusal.limit_bytes},
                        {"reason", refusal.reason}});
  }
  boost::json::array notes;
  for (const std::string& line : batch_lines(plan)) notes.emplace_back(line);
  const LeanPasses& lean = plan.request.lean;
  boost::json::array lean_passes;
  for (const std::string& name : lean.names) lean_passes.emplace_back(name);
  ledger["layout_loss"] = plan.arena_bytes() - plan.layout.lower_bound;
  ledger["collective"] = plan.request.collective_bytes;
  ledger["overhead"] = plan.request.overhead_bytes;
  ledger["loader"] = plan.request.loader_bytes_here();
  ledger["reserve"] = plan.request.reserve_bytes;
  const Step& peak = plan.program.steps[static_cast<std::size_t>(plan.layout.peak_step)];
  return {{"network", graph.name()},
          {"device", plan.request.device},
          {"training", plan.request.training},
          {"fits", plan.fits()},
          {"projected_bytes", plan.projected_bytes()},
          {"limit_bytes", plan.request.limit_bytes},
          {"arena_bytes", plan.arena_bytes()},
          {"lower_bound_bytes", plan.layout.lower_bound},
          {"ranks", plan.request.ranks},
          {"global_batch", plan.update_batch()},
          {"asked_global_batch", plan.asked_batch},
          {"learning_rate_factor", plan.learning_rate_factor()},
          {"micro_batch", plan.micro_batch},
          {"accumulation", plan.accumulation},
          {"evaluate_batch", plan.program.choices.evaluate_samples},
          {"precision", precision_name(plan.request)},
          {"recompute", std::move(recompute)},
          {"shard_optimizer", plan.program.choices.shards > 1},
          {"workspace_bytes", plan.workspace_bytes},
          {"lean_passes", std::move(lean_passes)},
          {"lean_saved_bytes", lean.saved_bytes},
          {"lean_predicted_slowdown", lean.slowdown},
          {"ledger", std::move(ledger)},
          {"loader_bytes", plan.request.loader_bytes},
          {"peak_step", peak.name},
          {"steps", plan.program.steps.size()},
          {"tensors", plan.program.tensors.size()},
          {"largest_batch", plan.largest_batch},
          {"actions", std::move(actions)},
          {"alternatives", std::move(alternatives)},
          {"refusals", std::move(refusals)},
          {"notes", std::move(notes)},
          {"smallest_limit_bytes", plan.least_limit()}};
}

std::string lean_line(const Plan& plan) {
  const LeanPasses& lean = plan.request.lean;
  if (lean.passes.empty()) return "";
  return fmt::format(
      "little scratch where it would make the peak: {}; saves {}, predicted {:.3f} x the time of a step",
      join(lean.names), format_bytes(lean.saved_bytes), lean.slowdown);
}

std::vector<std::string> batch_lines(const Plan& plan) {
  const PlanRequest& request = plan.request;
  std::vector<std::string> lines;
  const std::int64_t batch = plan.update_batch();
  if (batch < request.batch) {
    lines.push_back(
        fmt::format("train.batch = {} is more than there are training images: an update takes all {}",
                    request.batch, batch));
  }
  if (request.training && request.ranks > batch) {
    lines.push_back(fmt::format(
        "warning: {} share the {} of an update, which leaves {} without work; start at most {}, or {}",
        counted(request.ranks, "rank"), counted(batch, "sample"), counted(request.ranks - batch, "rank"),
        batch, batch == request.samples ? "train on more images" : "raise train.batch"));
  }
  return lines;
}

std::vector<std::string> action_lines(const Plan& plan) {
  static const std::map<std::string, const char*> kWords{
      {"half_precision", "half precision:"},        {"workspace", "workspaces of"},
      {"shard_optimizer", "optimizer sharded:"},    {"recompute", "backward recomputes"},
      {"micro_batch", "micro-batches of"},          {"global_batch", "A SMALLER GLOBAL BATCH,"},
      {"evaluate_batch", "evaluated in batches of"}};
  std::vector<std::string> lines;
  for (const Refusal& refusal : plan.refusals) lines.push_back(refusal.text());
  for (const PlanAction& action : plan.actions) {
    if (!action.taken) continue;
    lines.push_back(fmt::format("to fit, {} {}: saves {}", kWords.at(action.name), action.reason,
                                format_bytes(action.saved_bytes)));
    if (plan.request.training && action.name != "evaluate_batch")
      lines.back() += fmt::format(", predicted {:.2f} x the time of a {}", action.slowdown,
                                  action.name == "global_batch" ? "sample" : "step");
  }
  return lines;
}

std::string plan_text(const Plan& plan, const Graph& graph) {
  std::string text =
      fmt::format("{}{} on {}: {}, {} at a time on each of {}", plan.request.training ? "" : "evaluation of ",
                  graph.name(), plan.request.device, precision_name(plan.request),
                  counted(plan.micro_batch, "sample"), counted(plan.request.ranks, "rank"));
  if (plan.request.training) text += fmt::format(", {} an update", counted(plan.accumulation, "micro-batch"));
  if (plan.program.choices.shards > 1) text += ", optimizer sharded";
  text += "\n";
  text += fmt::format("bytes alive at the peak, \"{}\":\n",
                      plan.program.steps[static_cast<std::size_t>(plan.layout.peak_step)].name);
  for (int c = 0; c < kCategories; ++c) {
    const std::int64_t bytes = plan.ledger[static_cast<std::size_t>(c)];
    if (bytes > 0)
      text += fmt::format("  {:<22}{:>14}\n", name_of(static_cast<Category>(c)), format_bytes(bytes));
  }
  text += fmt::format("  {:<22}{:>14}   (lower bound {}, {:.3f} x)\n", "arena",
                      format_bytes(plan.arena_bytes()), format_bytes(plan.layout.lower_bound),
                      static_cast<double>(plan.arena_bytes()) /
                          static_cast<double>(std::max<std::int64_t>(plan.layout.lower_bound, 1)));
  const auto beside = [&](const char* what, std::int64_t bytes) {
    if (bytes > 0) text += fmt::format("  {:<22}{:>14}\n", what, format_bytes(bytes));
  };
  beside("collective buffers", plan.request.collective_bytes);
  beside("device overhead", plan.request.overhead_bytes);
  beside("data loader", plan.request.loader_bytes_here());
  if (plan.projected_bytes() != plan.arena_bytes()) beside("in all", plan.projected_bytes());
  beside("reserve", plan.request.reserve_bytes);
  text += fmt::format("  {:<22}{:>14}   {}\n", "limit", format_bytes(plan.request.limit_bytes),
                      plan.fits() ? "fits" : "DOES NOT FIT");
  if (plan.smallest_limit_bytes > 0)
    text += fmt::format("  {:<22}{:>14}   {} bytes, with what memory.allow allows{}\n", "smallest limit",
                        format_bytes(plan.least_limit()), plan.least_limit(),
                        plan.request.reserve_bytes > 0 ? ", memory.reserve included" : "");
  if (plan.largest_batch > 0)
    text += fmt::format("  {:<22}{:>14}   samples\n", "largest batch", plan.largest_batch);
  if (const std::string line = lean_line(plan); !line.empty()) text += "  " + line + "\n";
  for (const std::string& line : action_lines(plan)) text += "  " + line + "\n";
  for (const std::string& line : batch_lines(plan)) text += "  " + line + "\n";
  if (plan.request.loader_bytes > plan.request.loader_bytes_here())
    text +=
        fmt::format("  host memory of the data loader: up to {}\n", format_bytes(plan.request.loader_bytes));
  return text;
}

}  // namespace convoy
