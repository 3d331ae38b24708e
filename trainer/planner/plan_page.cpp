#include "trainer/planner/plan_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "layers/core/bytes.h"
#include "layers/core/text.h"
#include "trainer/planner/markup.h"
#include "trainer/planner/plan_map.h"
#include "trainer/planner/plan_report.h"
#include "trainer/planner/plan_style.h"

namespace convoy {
namespace {

using namespace plan_style;

class Page {
 public:
  Page(const Plan& plan, const Graph& graph)
      : plan_(plan), graph_(graph), peak_(plan.layout.peak_step), bytes_{} {
    std::copy(plan.ledger.begin(), plan.ledger.end(), bytes_.begin());
    bytes_[kLoss] = plan.arena_bytes() - plan.layout.lower_bound;
    bytes_[kCollective] = plan.request.collective_bytes;
    bytes_[kOverhead] = plan.request.overhead_bytes + plan.request.loader_bytes_here();
  }

  std::string write() {
    head();
    if (!plan_.fits()) {
      text_ += fmt::format("<p class=\"refusal\">{}</p>\n", escaped(refusal_of(plan_, graph_)));
    }
    ledger();
    text_ += "<h2>The arena, step by step</h2>\n" + plan_map(plan_);
    segments();
    actions();
    alternatives();
    at_the_peak();
    return text_ + "</body>\n</html>\n";
  }

 private:
  static constexpr const char* kSpoken[] = {"weights, as kernels read them",
                                            "fp32 copy that the update works on",
                                            "gradients",
                                            "momentum of the optimizer",
                                            "running statistics",
                                            "pixels and labels",
                                            "outputs of layers",
                                            "what else forward leaves for backward",
                                            "gradients of outputs",
                                            "gradients of one micro-batch",
                                            "copies in another layout or type",
                                            "scratch of kernels",
                                            "sums of the losses"};

  std::string name(std::size_t kind) const {
    if (kind == kLoss) return "in nobody's use";
    if (kind == kCollective) return "buffers of collectives";
    if (kind == kOverhead) {
      return plan_.request.loader_bytes_here() > 0 ? "the data loader"
                                                   : "context, libraries and kernels of the device";
    }
    return kind < std::size(kSpoken) ? kSpoken[kind] : name_of(static_cast<Category>(kind));
  }

  void head() {
    std::string colours;
    for (std::size_t i = 0; i < kColours.size(); ++i)
      colours += fmt::format(".c{} {{ fill: {}; background: {}; }}\n", i, kColours[i], kColours[i]);
    const std::string title = escaped(graph_.name());
    const PlanRequest& request = plan_.request;
    text_ = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>{0}: memory plan</title>\n"
        "<style>{1}{2}</style>\n</head>\n<body>\n<h1>{0} <small>{3} on {4}</small></h1>\n",
        title, kStyle, colours, request.training ? "training" : "evaluation", escaped(request.device));
    std::string facts = fmt::format("{} at a time on each of {}", counted(plan_.micro_batch, "sample"),
                                    counted(request.ranks, "rank"));
    if (request.training)
      facts += fmt::format(", {} an update of {}", counted(plan_.accumulation, "micro-batch"),
                           counted(request.batch, "sample"));
    const std::string verdict =
        fmt::format("<strong class=\"{}\">{} {} the limit of {}</strong>", plan_.fits() ? "good" : "bad",
                    format_bytes(plan_.projected_bytes()), plan_.fits() ? "within" : "above",
                    format_bytes(request.limit_bytes));
    const double ratio = static_cast<double>(plan_.arena_bytes()) /
                         static_cast<double>(std::max<std::int64_t>(plan_.layout.lower_bound, 1));
    text_ += fmt::format(
        "<p class=\"soft\">{}, {}; {} in {} steps, laid out in {:.3f} times the most bytes alive at "
        "once</p>\n<p>{}{}</p>\n",
        facts, precision_name(request),
        counted(static_cast<std::int64_t>(plan_.program.tensors.size()), "tensor"),
        plan_.program.steps.size(), ratio, verdict,
        plan_.smallest_limit_bytes > 0
            ? fmt::format("; the least it could come down to: {}", format_bytes(plan_.least_limit()))
            : "");
    if (plan_.largest_batch > 0)
      text_ += fmt::format("<p>Largest batch on a rank that fits: {}</p>\n", plan_.largest_batch);
    for (const std::string& line : batch_lines(plan_)) text_ += fmt::format("<p>{}</p>\n", escaped(line));
  }

  void ledger() {
    const std::int64_t projected = plan_.projected_bytes();
    const std::int64_t limit = plan_.request.limit_bytes;
    const bool far = projected > 0 && limit / 5 > projected;
    const double all = static_cast<double>(far ? projected : std::max(projected, limit));
    constexpr double kWide = 1190;
    text_ +=
        "<h2>What takes the memory at the peak</h2>\n<svg class=\"bar\" viewBox=\"0 0 1190 46\" role=\"img\" "
        "aria-label=\"Bytes by category\">\n";
    double at = 0;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      const double width = kWide * static_cast<double>(bytes_[i]) / all;
      if (width > 0.05) {
        text_ += fmt::format(
            "<rect class=\"c{}\" x=\"{:.2f}\" y=\"4\" width=\"{:.2f}\" height=\"26\"><title>{}: "
            "{}</title></rect>\n",
            i, at, width, escaped(name(i)), format_bytes(bytes_[i]));
      }
      at += width;
    }
    text_ +=
        fmt::format("<rect class=\"free\" x=\"0.5\" y=\"4\" width=\"{:.2f}\" height=\"26\"/>\n", kWide - 1);
    if (!far) {
      const double place = std::min(kWide * static_cast<double>(limit) / all, kWide - 1);
      text_ += fmt::format(
          "<line class=\"limit\" x1=\"{0:.2f}\" y1=\"0\" x2=\"{0:.2f}\" y2=\"34\"/>\n<text "
          "class=\"limit-text\" x=\"{1:.2f}\" y=\"45\" text-anchor=\"{2}\">limit {3}</text>\n",
          place, place, place > kWide / 2 ? "end" : "start", format_bytes(limit));
    }
    text_ += "</svg>\n";
    if (far)
      text_ += fmt::format("<p class=\"soft\">The limit, {}, is {:.0f} times as much.</p>\n",
                           format_bytes(limit), static_cast<double>(limit) / static_cast<double>(projected));
    text_ +=
        "<table>\n<tr><th></th><th>bytes of</th><th class=\"n\">at the peak</th><th "
        "class=\"n\">share</th></tr>\n";
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      if (bytes_[i] == 0 && !occurs(i)) continue;
      text_ += fmt::format(
          "<tr><td><span class=\"swatch c{}\"></span></td><td>{}</td><td class=\"n\">{}</td><td "
          "class=\"n\">{:.1f}%</td></tr>\n",
          i, escaped(name(i)), format_bytes(bytes_[i]),
          100 * static_cast<double>(bytes_[i]) / static_cast<double>(std::max<std::int64_t>(projected, 1)));
    }
    text_ +=
        fmt::format("<tr><td></td><td>in all</td><td class=\"n\"><strong>{}</strong></td><td></td></tr>\n",
                    format_bytes(projected));
    if (plan_.request.reserve_bytes > 0)
      text_ += fmt::format(
          "<tr><td></td><td>reserve, already taken off the limit</td><td class=\"n\">{}</td><td></td></tr>\n",
          format_bytes(plan_.request.reserve_bytes));
    text_ += "</table>\n";
  }

  /// In the map, even where none is alive at the peak.
  bool occurs(std::size_t category) const {
    const auto& tensors = plan_.program.tensors;
    return std::any_of(tensors.begin(), tensors.end(), [&](const Tensor& tensor) {
      return static_cast<std::size_t>(tensor.category) == category && tensor.bytes > 0;
    });
  }

  void segments() {
    text_ +=
        "<p class=\"soft\">Across: steps. Up: addresses; a rectangle is a tensor, from its first step to its "
        "last.";
    int number = 0;
    for (const Segment& segment : plan_.program.segments) {
      const char* kind = segment.kind == SegmentKind::train      ? "training"
                         : segment.kind == SegmentKind::evaluate ? "evaluation"
                                                                 : "update";
      text_ += fmt::format(" <strong>{}</strong> {}{}: steps {} to {}.", ++number, kind,
                           segment.samples > 0 ? " of " + counted(segment.samples, "sample") : "",
                           segment.first, segment.end - 1);
    }
    text_ += "</p>\n";
  }

  void actions() {
    text_ += "<h2>What was done to make it fit</h2>\n";
    for (const Refusal& refusal : plan_.refusals)
      text_ += fmt::format("<p>{}.</p>\n", escaped(refusal.text()));
    if (const std::string line = lean_line(plan_); !line.empty())
      text_ += fmt::format("<p>Without any need: {}.</p>\n", escaped(line));
    text_ +=
        "<table>\n<tr><th>action</th><th></th><th class=\"n\">saves</th><th class=\"n\">time of a step, "
        "predicted</th><th>what, or why not</th></tr>\n";
    for (const PlanAction& action : plan_.actions) {
      text_ += fmt::format(
          "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>\n",
          escaped(action.name), action.taken ? "done" : "not done",
          action.taken ? format_bytes(action.saved_bytes) : "",
          action.taken ? fmt::format("{:.2f} x", action.slowdown) : "", escaped(action.reason));
    }
    if (plan_.actions.empty())
      text_ += "<tr><td colspan=\"5\">nothing that memory.allow allows is enough</td></tr>\n";
    text_ += "</table>\n";
  }

  void alternatives() {
    if (plan_.alternatives.empty()) return;
    constexpr std::size_t kMost = 60;
    text_ +=
        "<h2>What was tried</h2>\n<table>\n<tr><th>way to run it</th><th class=\"n\">projection</th><th "
        "class=\"n\">time of a step, predicted</th><th></th></tr>\n";
    for (std::size_t i = 0; i < std::min(kMost, plan_.alternatives.size()); ++i) {
      const PlanAlternative& one = plan_.alternatives[i];
      text_ += fmt::format(
          "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.2f} x</td><td "
          "class=\"{}\">{}</td></tr>\n",
          escaped(one.text), format_bytes(one.bytes), one.slowdown, one.fits ? "good" : "soft",
          one.fits ? "fits" : "does not fit");
    }
    if (plan_.alternatives.size() > kMost)
      text_ += fmt::format("<tr><td class=\"soft\" colspan=\"4\">and {} more</td></tr>\n",
                           plan_.alternatives.size() - kMost);
    text_ += "</table>\n";
  }

  void at_the_peak() {
    std::vector<const Tensor*> alive;
    for (const Tensor& tensor : plan_.program.tensors) {
      if (tensor.bytes > 0 && tensor.first <= peak_ && peak_ <= tensor.last) alive.push_back(&tensor);
    }
    std::stable_sort(alive.begin(), alive.end(),
                     [](const Tensor* a, const Tensor* b) { return a->bytes > b->bytes; });
    constexpr std::size_t kMost = 16;
    text_ += fmt::format(
        "<h2>What makes the peak</h2>\n<p>Step {}, <strong>{}</strong>: {} alive, the largest first.</p>\n"
        "<table>\n<tr><th></th><th>tensor</th><th class=\"n\">bytes</th><th>steps</th></tr>\n",
        peak_, escaped(plan_.program.steps[static_cast<std::size_t>(peak_)].name),
        counted(static_cast<std::int64_t>(alive.size()), "tensor"));
    std::int64_t rest = 0;
    for (std::size_t i = 0; i < alive.size(); ++i) {
      const Tensor& tensor = *alive[i];
      if (i >= kMost) {
        rest += tensor.bytes;
        continue;
      }
      text_ += fmt::format(
          "<tr><td><span class=\"swatch c{}\"></span></td><td>{}</td><td class=\"n\">{}</td><td>{} to "
          "{}</td></tr>\n",
          static_cast<std::size_t>(tensor.category), escaped(tensor.name), format_bytes(tensor.bytes),
          tensor.first, tensor.last);
    }
    if (rest > 0)
      text_ +=
          fmt::format("<tr><td></td><td class=\"soft\">{} more</td><td class=\"n\">{}</td><td></td></tr>\n",
                      alive.size() - kMost, format_bytes(rest));
    text_ += "</table>\n";
  }

  const Plan& plan_;
  const Graph& graph_;
  int peak_;
  std::array<std::int64_t, kColours.size()> bytes_;
  std::string text_;
};

}  // namespace

std::string plan_page(const Plan& plan, const Graph& graph) { return Page(plan, graph).write(); }

}  // namespace convoy
