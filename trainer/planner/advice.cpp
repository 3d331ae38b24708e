#include "trainer/planner/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "layers/core/bytes.h"
#include "layers/core/clock.h"
#include "layers/core/error.h"
#include "layers/core/text.h"
#include "trainer/planner/lean_passes.h"
#include "trainer/planner/recompute_sets.h"

namespace convoy {
namespace {

/// A layer is early when the layers before it have made the image smaller by this factor at most.
constexpr std::int64_t kEarly = 4;

/// A network that could be in the place of the one that is planned.
struct Candidate {
  Advice advice;
  Graph graph;
  double promise = 0;  ///< bytes, roughly
};

class Adviser {
 public:
  Adviser(const Graph& graph, const PlanRequest& basis, Backend& backend, const AdviceOptions& options)
      : graph_(graph), basis_(basis), backend_(backend), options_(options) {
    bytes_ = projected(graph_, basis_, &lowerings_);
  }

  std::vector<Advice> run() {
    std::vector<Candidate> strides;
    std::vector<Candidate> shorter;
    for (std::size_t i = 0; i < graph_.layers().size(); ++i) {
      add(with_stride(i), strides);
      add(without(i), shorter);
    }
    std::vector<Advice> all;
    for (std::vector<Candidate>* candidates : {&strides, &shorter}) try_best(*candidates, all);
    more_ranks(all);
    return all;
  }

 private:
  std::int64_t projected(const Graph& graph, PlanRequest request, Lowerings* known) {
    Lowerings own;
    Lowerings& lowerings = known == nullptr ? own : *known;
    request.workspace_bytes = workspace_of(request, backend_);
    request.lean = find_lean_passes(graph, request, backend_, lowerings);
    return make_plan(graph, request, backend_, &lowerings, {.effort = 0}).projected_bytes();
  }

  /// The layers as entries, of which `change` may alter one, or take it out by giving false.
  template <class Change>
  std::optional<Graph> changed(Change change) const {
    std::vector<Graph::Entry> entries;
    std::vector<std::string> names;  // by activation, what gives it
    for (const Activation& activation : graph_.activations()) names.push_back(activation.name);
    for (std::size_t i = 0; i < graph_.layers().size(); ++i) {
      const Layer& layer = graph_.layers()[i];
      Graph::Entry entry{layer.name, layer.op, {}, layer.mark};
      for (const int input : layer.inputs) entry.from.push_back(names[static_cast<std::size_t>(input)]);
      if (change(i, entry)) {
        entries.push_back(std::move(entry));
      } else {
        names[static_cast<std::size_t>(layer.output)] = entry.from[0];
      }
    }
    try {
      Graph made(graph_.name(), graph_.input(), std::move(entries));
      if (made.loss_layer() < 0 || made.classes() != graph_.classes()) return std::nullopt;
      return made;
    } catch (const Error&) {  // shapes that do not go together
      return std::nullopt;
    }
  }

  std::optional<Candidate> with_stride(std::size_t index) const {
    const Layer& layer = graph_.layers()[index];
    const Shape input = graph_.input_shapes(layer)[0];
    if (input.height * kEarly < graph_.input().height || graph_.auxiliary(static_cast<int>(index)))
      return std::nullopt;
    std::int64_t before = 0;
    const auto widen = [&](std::int64_t& y, std::int64_t& x) {
      before = std::max(y, x);
      y = x = before + 1;
    };
    std::optional<Graph> made = changed([&](std::size_t i, Graph::Entry& entry) {
      if (i != index) return true;
      if (auto* convolution = std::get_if<Convolution>(&entry.op))
        widen(convolution->stride_y, convolution->stride_x);
      if (auto* pooling = std::get_if<Pooling>(&entry.op); pooling != nullptr && !pooling->global)
        widen(pooling->stride_y, pooling->stride_x);
      return true;
    });
    if (before == 0 || !made) return std::nullopt;
    Advice advice{Advice::Kind::stride, layer.name,
                  fmt::format("stride {} in place of {}", before + 1, before)};
    return Candidate{std::move(advice), std::move(*made)};
  }

  /// Convolutions, fully connected layers and the like, and local response normalization.
  std::optional<Candidate> without(std::size_t index) const {
    const Layer& layer = graph_.layers()[index];
    if (!is_costly(layer.op) && !std::holds_alternative<Lrn>(layer.op)) return std::nullopt;
    if (graph_.auxiliary(static_cast<int>(index))) return std::nullopt;
    std::optional<Graph> made = changed([&](std::size_t i, Graph::Entry&) { return i != index; });
    if (!made) return std::nullopt;
    return Candidate{{Advice::Kind::leave_out, layer.name, "leave it out"}, std::move(*made)};
  }

  void add(std::optional<Candidate> candidate, std::vector<Candidate>& to) const {
    if (!candidate) return;
    const auto count = [&](const Graph& graph) {
      const auto samples = static_cast<double>(
          std::min(share_of(basis_), basis_.micro_batch > 0 ? basis_.micro_batch : basis_.batch));
      return static_cast<double>(size_of(basis_.precision)) * samples *
                 static_cast<double>(graph.activation_elements()) +
             12 * static_cast<double>(graph.parameters_training());
    };
    candidate->promise = count(graph_) - count(candidate->graph);
    if (candidate->promise > 0) to.push_back(std::move(*candidate));
  }

  /// What backward makes again, by the layers' names, for a network with other layers.
  PlanRequest request_for(const Graph& graph) const {
    PlanRequest request = basis_;
    request.recompute.clear();
    for (std::size_t i = 0; i < graph.layers().size(); ++i) {
      for (const int again : basis_.recompute) {
        if (graph_.layers()[static_cast<std::size_t>(again)].name == graph.layers()[i].name)
          request.recompute.push_back(static_cast<int>(i));
      }
    }
    return request;
  }

  bool finish(Advice& advice, std::int64_t bytes) const {
    advice.projected_bytes = bytes;
    advice.saved_bytes = bytes_ - bytes;
    advice.fits = bytes <= basis_.limit_bytes;
    return advice.saved_bytes > 0;
  }

  bool late() const { return seconds_since(start_) > options_.budget_seconds; }

  void try_best(std::vector<Candidate>& candidates, std::vector<Advice>& all) {
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.promise > b.promise; });
    std::vector<Advice> tried;
    for (std::size_t i = 0; i < std::min(options_.most, candidates.size()) && (i == 0 || !late()); ++i) {
      Candidate& candidate = candidates[i];
      if (finish(candidate.advice, projected(candidate.graph, request_for(candidate.graph), nullptr)))
        tried.push_back(std::move(candidate.advice));
    }
    std::stable_sort(tried.begin(), tried.end(),
                     [](const Advice& a, const Advice& b) { return a.saved_bytes > b.saved_bytes; });
    all.insert(all.end(), tried.begin(), tried.end());
  }

  void more_ranks(std::vector<Advice>& all) {
    for (const int factor : {2, 4}) {
      PlanRequest request = basis_;
      request.ranks *= factor;
      if (request.ranks > request.batch) return;
      if (options_.collective_bytes) request.collective_bytes = options_.collective_bytes(request.ranks);
      Advice advice{Advice::Kind::devices, "",
                    fmt::format("{} in place of {}, each with memory of its own",
                                counted(request.ranks, "rank"), basis_.ranks)};
      if (finish(advice, projected(graph_, request, &lowerings_))) all.push_back(std::move(advice));
    }
  }

  const Graph& graph_;
  PlanRequest basis_;
  Backend& backend_;
  const AdviceOptions& options_;
  Lowerings lowerings_;
  Clock::time_point start_ = Clock::now();
  std::int64_t bytes_ = 0;
};

const char* word_of(Advice::Kind kind) {
  switch (kind) {
    case Advice::Kind::stride:
      return "stride";
    case Advice::Kind::leave_out:
      return "leave_out";
    case Advice::Kind::devices:
      return "devices";
  }
  return "?";
}

}  // namespace

std::vector<Advice> advise(const Graph& graph, const PlanRequest& asked, const Plan& plan, Backend& backend,
                           const AdviceOptions& options) {
  const bool changed = std::any_of(plan.actions.begin(), plan.actions.end(),
                                   [](const PlanAction& action) { return action.taken; });
  if (!asked.training || (plan.fits() && !changed)) return {};
  return Adviser(graph, plan.fits() ? asked : plan.request, backend, options).run();
}

boost::json::array advice_json(const std::vector<Advice>& advice) {
  boost::json::array rows;
  for (const Advice& one : advice) {
    rows.push_back({{"kind", word_of(one.kind)},
                    {"layer", one.layer},
                    {"change", one.change},
                    {"saved_bytes", one.saved_bytes},
                    {"projected_bytes", one.projected_bytes},
                    {"fits", one.fits}});
  }
  return rows;
}

std::string advice_text(const std::vector<Advice>& advice) {
  if (advice.empty()) return "";
  std::string text = "what would help besides, but is yours to decide:\n";
  for (const Advice& one : advice) {
    const std::string what =
        one.layer.empty() ? one.change : fmt::format("layer {}: {}", one.layer, one.change);
    text += fmt::format("  {}: saves {}{}\n", what, format_bytes(one.saved_bytes),
                        one.fits ? ", and then it fits" : "");
  }
  return text;
}

}  // namespace convoy
