#include "trainer/planner/inference_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "layers/core/bytes.h"

namespace convoy {
namespace {

class InferenceSearch {
 public:
  InferenceSearch(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings)
      : graph_(graph),
        request_(request),
        backend_(backend),
        lowerings_(lowerings),
        asked_(make_plan(graph, request, backend, &lowerings)) {}

  Plan run() {
    Plan plan = choose();
    if (request_.find_smallest) {
      plan.smallest_limit_bytes = least().projected_bytes();
      if (plan.fits()) plan.largest_batch = largest_from(plan);
    }
    return plan;
  }

 private:
  Plan choose() {
    if (asked_.fits()) {
      Plan plan = asked_;
      plan.actions.push_back({"evaluate_batch", false, 0, 1, "not needed"});
      return plan;
    }
    for (const PlanRequest& way : ways()) {
      const std::int64_t most = asked_.micro_batch;
      std::int64_t size = plan(way, most).fits() ? most : 0;
      if (size == 0 && request_.may_shrink) size = largest_between(way, 0, most);
      if (size > 0) return taken(plan(way, size));
    }
    Plan plan = least();
    plan.smallest_limit_bytes = plan.projected_bytes();
    plan.half_would_fit = would_fit_in_half(plan);
    return plan;
  }

  /// The request, and what else may be done, in this order.
  std::vector<PlanRequest> ways() const {
    std::vector<PlanRequest> all{request_};
    PlanRequest way = request_;
    if (request_.may_shrink_workspace && request_.workspace_bytes > 0) {
      way.workspace_bytes = 0;
      all.push_back(way);
    }
    if (request_.may_halve_precision && request_.precision == DType::f32 && asked_.half_type != DType::f32) {
      way.precision = asked_.half_type;
      all.push_back(way);
    }
    return all;
  }

  Plan plan(PlanRequest way, std::int64_t size) const {
    const std::int64_t before = way.evaluate_batch > 0 ? way.evaluate_batch : asked_.micro_batch;
    set_evaluate_batch(way, before, size);
    way.samples = std::max(way.samples, size * way.ranks);
    return make_plan(graph_, way, backend_, &lowerings_);
  }

  std::int64_t largest_from(const Plan& fitting) const {
    std::int64_t good = fitting.micro_batch;
    while (good < kMostInferenceBatch) {
      const std::int64_t next = std::min(2 * good, kMostInferenceBatch);
      if (!plan(fitting.request, next).fits()) return largest_between(fitting.request, good, next);
      good = next;
    }
    return good;
  }

  /// The most samples at a time that fit, where `good` do or are none, and `bad` do not.
  std::int64_t largest_between(const PlanRequest& way, std::int64_t good, std::int64_t bad) const {
    while (bad - good > 1) {
      const std::int64_t middle = good + (bad - good) / 2;
      (plan(way, middle).fits() ? good : bad) = middle;
    }
    return good;
  }

  /// With all that is allowed done to the utmost.
  Plan least() const {
    const std::int64_t size = request_.may_shrink ? 1 : asked_.micro_batch;
    Plan least = plan(request_, size);
    for (const PlanRequest& way : ways()) {
      Plan one = plan(way, size);
      if (one.projected_bytes() < least.projected_bytes()) least = std::move(one);
    }
    return least;
  }

  /// Whether it is worth advising half precision for a plan that does not fit.
  bool would_fit_in_half(const Plan& refused) const {
    if (request_.may_halve_precision || request_.precision != DType::f32 || asked_.half_type == DType::f32)
      return false;
    PlanRequest way = refused.request;
    way.precision = asked_.half_type;
    return make_plan(graph_, way, backend_, &lowerings_).fits();
  }

  /// With what was done, one upon the other.
  Plan taken(Plan plan) const {
    const PlanRequest& way = plan.request;
    PlanRequest now = request_;
    std::int64_t bytes = asked_.arena_bytes();
    const auto change = [&](const char* name, bool taking, std::int64_t size, const std::string& what) {
      if (!taking) return;
      const std::int64_t left = this->plan(now, size).arena_bytes();
      plan.actions.push_back({name, true, bytes - left, 1, what});
      bytes = left;
    };
    const std::int64_t asked = asked_.micro_batch;
    now.precision = way.precision;
    change("half_precision", way.precision != request_.precision, asked,
           fmt::format("{} in place of {}", name_of(way.precision), name_of(request_.precision)));
    now.workspace_bytes = way.workspace_bytes;
    change("workspace", way.workspace_bytes != request_.workspace_bytes, asked,
           fmt::format("{} in place of {}", workspace_text(way.workspace_bytes),
                       workspace_text(request_.workspace_bytes)));
    change("evaluate_batch", plan.micro_batch != asked, plan.micro_batch,
           fmt::format("{} in place of {}", plan.micro_batch, asked));
    return plan;
  }

  const Graph& graph_;
  const PlanRequest& request_;
  Backend& backend_;
  Lowerings& lowerings_;
  Plan asked_;
};

}  // namespace

void set_evaluate_batch(PlanRequest& request, std::int64_t before, std::int64_t size) {
  const auto images = [&](std::int64_t samples) {
    return std::max<std::int64_t>(samples / request.evaluated_views, 1);
  };
  request.loader_bytes += (images(size) - images(before)) * request.evaluated_bytes;
  request.evaluate_batch = size;
}

Plan plan_inference(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings) {
  return InferenceSearch(graph, request, backend, lowerings).run();
}

}  // namespace convoy
