#include "trainer/planner/search_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace convoy {
namespace {

constexpr double kAboutEqual = 1.02;

}  // namespace

SearchSpace::SearchSpace(const Graph& graph, const PlanRequest& request, const Plan& asked,
                         const CostModel& costs)
    : request_(request),
      costs_(costs),
      half_type_(asked.half_type),
      asked_size_(asked.micro_batch),
      asked_workspace_(asked.workspace_bytes) {
  share_ = share_of(request);
  keeps_statistics_ = has_batch_norm(graph);
  const std::int64_t together = request.shared_statistics ? request.ranks : 1;
  const std::int64_t floor = (request.statistics_batch + together - 1) / together;
  least_ = std::min(asked_size_, keeps_statistics_ ? std::max<std::int64_t>(floor, 1) : 1);
  sets_ = {{"nothing", request.recompute}};
  if (request.may_recompute) {
    sets_ = recompute_sets(graph);
    sets_[0].layers = request.recompute;
  }
  precisions_ = {request.precision};
  if (request.may_halve_precision && request.precision == DType::f32 && half_type_ != DType::f32)
    precisions_.push_back(half_type_);
  workspaces_ = {request.workspace_bytes};
  if (request.may_shrink_workspace) {
    // Without a cap, less than the most that a kernel takes.
    for (const std::int64_t less : {asked_workspace_ / 4, asked_workspace_ / 16, std::int64_t{0}}) {
      if (less < std::min(asked_workspace_, workspaces_.back())) workspaces_.push_back(less);
    }
  }
  shardings_ = {request.shard_optimizer};
  if (request.may_shard_optimizer && offers("shard_optimizer")) shardings_.push_back(true);
  for (const DType precision : precisions_) {
    for (const std::int64_t bytes : workspaces_) {
      for (const bool sharded : shardings_) {
        for (std::size_t set = 0; set < sets_.size(); ++set) {
          Choice& choice = choices_.emplace_back(Choice{precision, bytes, sharded, set, {}});
          choice.cost = cost(choice, asked_size_);
        }
      }
    }
  }
  std::stable_sort(choices_.begin(), choices_.end(),
                   [](const Choice& a, const Choice& b) { return a.cost < b.cost; });
}

bool SearchSpace::offers(const std::string& action) const {
  if (action == "half_precision") return request_.precision == DType::f32 && half_type_ != DType::f32;
  if (action == "shard_optimizer") return request_.ranks > 1 && !request_.shard_optimizer;
  return action != "workspace" || asked_workspace_ > 0;
}

double SearchSpace::seconds(const Choice& choice, std::int64_t micro_batch) const {
  const Way way{choice.precision, choice.workspace_bytes, sets_[choice.set].layers, micro_batch,
                choice.sharded ? request_.ranks : 1};
  return costs_.cost(way, request_.ranks, share_of(request_)).total;
}

SearchCost SearchSpace::cost(const Choice& choice, std::int64_t micro_batch) const {
  SearchCost its{0, 0, seconds(choice, micro_batch)};
  its.level = static_cast<std::int64_t>(std::floor(std::log(its.seconds) / std::log(kAboutEqual)));
  const auto count = [&](const char* word, bool does) {
    const auto place = std::find(request_.order.begin(), request_.order.end(), word) - request_.order.begin();
    if (does && place < std::min<std::ptrdiff_t>(std::ssize(request_.order), 32)) its.words |= 1U << place;
  };
  count("half_precision", choice.precision != request_.precision);
  count("workspace", choice.workspace_bytes != request_.workspace_bytes);
  count("shard_optimizer", choice.sharded != request_.shard_optimizer);
  count("recompute", choice.set != 0);
  count("micro_batch", micro_batch < asked_size_);
  return its;
}

PlanRequest SearchSpace::request_for(const Choice& choice, std::int64_t micro_batch) const {
  PlanRequest request = request_;
  request.precision = choice.precision;
  request.workspace_bytes = choice.workspace_bytes;
  request.recompute = sets_[choice.set].layers;
  request.shard_optimizer = choice.sharded;
  if (micro_batch < asked_size_) request.micro_batch = micro_batch;
  return request;
}

std::string SearchSpace::text_of(const Choice& choice, std::int64_t micro_batch) const {
  std::string text = fmt::format("micro-batches of {}", micro_batch);
  if (precisions_.size() > 1) text += fmt::format(", {}", name_of(choice.precision));
  if (workspaces_.size() > 1)
    text += fmt::format(", workspaces of {}", workspace_text(choice.workspace_bytes));
  if (choice.sharded != request_.shard_optimizer) text += ", optimizer sharded";
  return fmt::format("{}, recompute of {}", text, sets_[choice.set].name);
}

std::int64_t SearchSpace::most_parts() const {
  return request_.may_shrink ? std::max<std::int64_t>(share_ / least_, 1) : fewest_parts();
}

}  // namespace convoy
