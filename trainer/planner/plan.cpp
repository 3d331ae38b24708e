#include "trainer/planner/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

#include "layers/core/bytes.h"
#include "layers/core/error.h"
#include "trainer/planner/arena_bound.h"

namespace convoy {
namespace {

/// All sizes of micro-batches that any rank will meet in an epoch, the largest first.
std::vector<std::int64_t> train_sizes(const PlanRequest& request, std::int64_t micro_batch,
                                      std::int64_t& accumulation) {
  std::set<std::int64_t, std::greater<>> sizes;
  const auto add = [&](std::int64_t global) {
    for (const std::int64_t share : {global / request.ranks, (global + request.ranks - 1) / request.ranks}) {
      const std::vector<std::int64_t> split = micro_batches_of(request, micro_batch, global, share);
      sizes.insert(split.begin(), split.end());
      accumulation = std::max<std::int64_t>(accumulation, static_cast<std::int64_t>(split.size()));
    }
  };
  if (request.samples >= request.batch) add(request.batch);
  if (const std::int64_t rest = request.samples % request.batch; rest != 0) add(rest);
  sizes.erase(0);
  return {sizes.begin(), sizes.end()};
}

}  // namespace

std::vector<std::int64_t> split_micro_batches(std::int64_t samples, std::int64_t micro_batch) {
  if (samples == 0) return {};
  const std::int64_t parts = (samples + micro_batch - 1) / micro_batch;
  std::vector<std::int64_t> sizes;
  for (std::int64_t i = 0; i < parts; ++i) sizes.push_back(samples * (i + 1) / parts - samples * i / parts);
  return sizes;
}

std::vector<std::int64_t> micro_batches_of(const PlanRequest& request, std::int64_t micro_batch,
                                           std::int64_t global, std::int64_t samples) {
  if (!request.shared_statistics) {
    return samples == 0 ? std::vector<std::int64_t>{0} : split_micro_batches(samples, micro_batch);
  }
  const std::int64_t busiest = (global + request.ranks - 1) / request.ranks;
  const std::int64_t parts = (busiest + micro_batch - 1) / micro_batch;
  std::vector<std::int64_t> sizes;
  for (std::int64_t i = 0; i < parts; ++i) sizes.push_back((samples + parts - 1 - i) / parts);
  return sizes;
}

bool has_batch_norm(const Graph& graph) {
  return std::any_of(graph.layers().begin(), graph.layers().end(),
                     [](const Layer& layer) { return std::holds_alternative<BatchNorm>(layer.op); });
}

std::int64_t share_of(const PlanRequest& request) {
  return (std::min(request.batch, std::max<std::int64_t>(request.samples, 1)) + request.ranks - 1) /
         request.ranks;
}

std::int64_t asked_micro_batch(const PlanRequest& request) {
  const std::int64_t share = share_of(request);
  return request.micro_batch > 0 ? std::min(request.micro_batch, share) : share;
}

std::string_view precision_name(const PlanRequest& request) {
  return request.tf32 && request.precision == DType::f32 ? "tf32" : name_of(request.precision);
}

std::string workspace_text(std::int64_t bytes) {
  return bytes == kAnyWorkspace ? "any size" : format_bytes(bytes);
}

std::int64_t workspace_of(const PlanRequest& request, const Backend& backend) {
  return request.workspace_bytes == kUsualWorkspace ? backend.usual_workspace() : request.workspace_bytes;
}

DType half_type_of(const Backend& backend) {
  for (const DType type : {DType::f16, DType::bf16}) {
    if (backend.supports(type)) return type;
  }
  return DType::f32;
}

namespace {

/// How much of a training a Program is written for.
enum class Extent { whole, largest_micro_batch };

/// A plan without its layout.
Plan write_plan(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings* known,
                Extent extent = Extent::whole) {
  if (request.training && graph.loss_layer() < 0) {
    fail(ExitCode::usage,
         "\"{}\" has no loss, so it cannot be trained; end it with one, as {{ type = \"softmax_loss\" }}",
         graph.name());
  }
  Plan plan;
  plan.request = request;
  plan.request.workspace_bytes = workspace_of(request, backend);
  plan.asked_batch = request.batch;
  const std::int64_t most = asked_micro_batch(request);
  plan.half_type = half_type_of(backend);
  if (!backend.supports(request.precision) || (request.tf32 && !backend.has_tf32())) {
    std::string fast{name_of(DType::f32)};
    if (backend.has_tf32()) fast += " or tf32";
    for (const DType type : {DType::f16, DType::bf16}) {
      if (backend.supports(type)) fast += fmt::format(" or {}", name_of(type));
    }
    fail(ExitCode::usage, "train.precision = \"{}\": the device \"{}\" has no fast kernels for it; use {}",
         precision_name(request), backend.name(), fast);
  }
  Choices choices;
  choices.precision = request.precision;
  choices.workspace_bytes = plan.request.workspace_bytes;
  choices.lean = request.lean.passes;
  if (request.training) {
    choices.train_samples = train_sizes(request, most, plan.accumulation);
    choices.accumulate = plan.accumulation > 1;
    choices.momentum = request.momentum;
    choices.reduce = request.ranks > 1;
    choices.shards = request.shard_optimizer ? request.ranks : 1;
    choices.shared_statistics = request.shared_statistics && request.ranks > 1;
    choices.second_labels = request.second_labels;
    choices.scales_loss = request.precision == DType::f16;
    choices.clips = request.clips;
    choices.bucket_bytes = request.bucket_bytes;
    choices.recompute = request.recompute;
    choices.update_in_backward =
        request.update_in_backward && request.ranks == 1 && !choices.accumulate && !choices.measures();
    plan.micro_batch = choices.train_samples.front();
  } else {
    const std::int64_t all = (std::max<std::int64_t>(request.samples, 1) + request.ranks - 1) / request.ranks;
    plan.micro_batch = request.evaluate_batch > 0 ? std::min(request.evaluate_batch, all) : most;
  }
  if (!request.training) {
    choices.evaluate_samples = plan.micro_batch;
  } else if (request.evaluate) {
    choices.evaluate_samples = request.evaluate_batch > 0 ? request.evaluate_batch : plan.micro_batch;
  }
  if (request.training && extent == Extent::largest_micro_batch) {
    choices.train_samples.resize(1);
    choices.evaluate_samples = 0;
  }
  plan.workspace_bytes = choices.workspace_bytes == kAnyWorkspace ? 0 : choices.workspace_bytes;
  plan.program = build_program(graph, choices, backend, known);
  return plan;
}

}  // namespace

Program program_of(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings* known) {
  return write_plan(graph, request, backend, known).program;
}

std::vector<std::int64_t> bytes_alive(const Program& program) {
  std::vector<std::int64_t> alive(program.steps.size() + 1);  // at first by how much they change at a step
  for (const Tensor& tensor : program.tensors) {
    const std::int64_t bytes = round_up(tensor.bytes, program.alignment);
    if (bytes == 0) continue;
    alive[static_cast<std::size_t>(tensor.first)] += bytes;
    alive[static_cast<std::size_t>(tensor.last) + 1] -= bytes;
  }
  alive.pop_back();
  std::partial_sum(alive.begin(), alive.end(), alive.begin());
  return alive;
}

std::int64_t arena_lower_bound(const Graph& graph, const PlanRequest& request, Backend& backend,
                               Lowerings* known) {
  const Plan plan = write_plan(graph, request, backend, known, Extent::largest_micro_batch);
  const std::vector<std::int64_t> alive = bytes_alive(plan.program);
  return alive.empty() ? 0 : *std::max_element(alive.begin(), alive.end());
}

Plan make_plan(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings* known,
               const LayoutOptions& layout) {
  Plan plan = write_plan(graph, request, backend, known);
  std::vector<Block> blocks;
  for (const Tensor& tensor : plan.program.tensors)
    blocks.push_back({tensor.first, tensor.last, tensor.bytes});
  plan.layout = lay_out(blocks, plan.program.alignment, layout);
  check_layout(blocks, plan.layout, plan.program.alignment);
  for (const Tensor& tensor : plan.program.tensors) {
    if (tensor.category == Category::workspace && plan.program.choices.workspace_bytes == kAnyWorkspace)
      plan.workspace_bytes = std::max(plan.workspace_bytes, tensor.bytes);
    if (tensor.first <= plan.layout.peak_step && plan.layout.peak_step <= tensor.last) {
      plan.ledger[static_cast<std::size_t>(tensor.category)] +=
          round_up(tensor.bytes, plan.program.alignment);
    }
  }
  return plan;
}

std::string Refusal::text() const {
  return fmt::format("rank {} could not have its arena of {} ({}); planned again within {}", rank,
                     format_bytes(arena_bytes), reason, format_bytes(limit_bytes));
}

}  // namespace convoy
