#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/planner/arena_layout.h"
#include "trainer/planner/device_speed.h"
#include "trainer/planner/interconnect.h"
#include "trainer/program/program.h"

namespace convoy {

/// PlanRequest::workspace_bytes of a job that names none: Backend::usual_workspace.
inline constexpr std::int64_t kUsualWorkspace = -1;

/// Passes that do with little scratch, without any need, since theirs would make the peak; found by
/// find_lean_passes.
struct LeanPasses {
  std::vector<LeanPass> passes;    ///< rising
  std::vector<std::string> names;  ///< of their steps: "backward_weights 5b2"
  std::int64_t saved_bytes = 0;    ///< of the bytes alive at the peak of training as it is asked for
  double slowdown = 1;             ///< predicted, as a factor of the time of a step
};

/// What the planner is asked: a training or evaluation of a graph on devices of a kind.
struct PlanRequest {
  bool training = true;
  std::int64_t samples = 0;  ///< of the training set (the last batch of an epoch may be smaller)
  std::int64_t batch = 1;    ///< global
  int ranks = 1;
  std::int64_t micro_batch = 0;     ///< largest number of samples at a time on one rank; 0: all of its share
  std::int64_t evaluate_batch = 0;  ///< 0: as the micro-batch
  bool evaluate = true;
  bool momentum = true;
  std::int64_t bucket_bytes = 4 << 20;
  DType precision = DType::f32;                    ///< of activations, and of the weights that kernels read
  bool tf32 = false;                               ///< fp32 products are made from operands rounded to TF32
  std::int64_t limit_bytes = 0;                    ///< what the device may hold, less the reserve
  std::int64_t workspace_bytes = kUsualWorkspace;  ///< Site::workspace_bytes
  bool shared_statistics = false;                  ///< batch norm's are those of all ranks
  bool second_labels = false;                      ///< training samples are mixed, and have two labels
  std::vector<int> recompute;                      ///< layers, rising, whose outputs backward makes again
  bool shard_optimizer = false;                    ///< its state is divided among the ranks
  bool clips = false;                              ///< the norm of the gradient has a bound
  bool update_in_backward = false;                 ///< where it can be (see Choices)
  LeanPasses lean;                                 ///< search_plan finds its own

  // The device. What it holds beside the arena counts in the projection.
  std::string device = "cpu";
  DeviceSpeed speed;
  Interconnect links;
  std::int64_t overhead_bytes = 0;    ///< context, libraries, code of kernels
  std::int64_t collective_bytes = 0;  ///< buffers of the library that moves gradients
  std::int64_t loader_bytes = 0;      ///< host memory of the data loader
  std::int64_t evaluated_bytes = 0;   ///< of it what each image takes that is evaluated at a time
  int evaluated_views = 1;            ///< samples that such an image makes
  std::int64_t reserve_bytes = 0;     ///< left free; told, but not part of the projection

  // What search_plan may change.
  bool may_shrink = false;             ///< the micro-batch
  bool may_recompute = false;          ///< what is recomputed
  bool may_halve_precision = false;    ///< fp32 to the half type of the backend
  bool may_shrink_workspace = false;   ///< the cap of scratch
  bool may_shard_optimizer = false;    ///< where there are several ranks
  bool may_shrink_batch = false;       ///< the global batch, when nothing else makes it fit
  std::int64_t kept_batch = 0;         ///< smaller one that the run began with; 0: it began with `batch`
  std::vector<std::string> order;      ///< names of actions: where times are about equal the first is taken
  std::int64_t statistics_batch = 16;  ///< least micro-batch to shrink to where there is batch norm
  bool find_smallest = false;          ///< look for Plan::smallest_limit_bytes even where the job fits

  /// The loader's, where the device is the process that loads.
  std::int64_t loader_bytes_here() const { return device == "cpu" ? loader_bytes : 0; }
  /// What the device holds beside the arena.
  std::int64_t beside_bytes() const { return overhead_bytes + collective_bytes + loader_bytes_here(); }
  /// That the limit leaves for the arena; at least one byte.
  std::int64_t available_bytes() const { return std::max<std::int64_t>(limit_bytes - beside_bytes(), 1); }
};

/// Something that the planner may do to make a job fit.
struct PlanAction {
  std::string name;  ///< "half_precision", "workspace", "shard_optimizer", "recompute", "micro_batch", ...
  bool taken = false;
  std::int64_t saved_bytes = 0;
  double slowdown = 1;  ///< predicted, as a factor of the time of a step; "global_batch": of a sample
  std::string reason;
};

/// One way to run the job that search_plan laid out.
struct PlanAlternative {
  std::string text;        ///< "micro-batches of 16, recompute of the cheap layers"
  std::int64_t bytes = 0;  ///< projected, of a quick layout; where that could not fit, what none is below
  double slowdown = 1;     ///< predicted, as a factor of the time of a step as asked
  bool fits = false;
};

/// An arena that a rank could not have when it asked for it, so that all ranks planned again.
struct Refusal {
  int rank = 0;
  std::int64_t arena_bytes = 0;  ///< what it asked for
  std::int64_t limit_bytes = 0;  ///< what was planned within then
  std::string reason;            ///< in the device's words

  /// "rank 2 could not have its arena of 1.20 GiB (...); planned again within 900.00 MiB"
  std::string text() const;
};

/// A Program, an offset in one arena for each of its tensors, and what that takes. The arena has just these
/// bytes.
struct Plan {
  PlanRequest request;
  Program program;
  ArenaLayout layout;                              ///< offsets by tensor
  std::array<std::int64_t, kCategories> ledger{};  ///< bytes alive at the peak step, by category
  std::int64_t asked_batch = 0;                    ///< global; search_plan may have taken a smaller one
  std::int64_t micro_batch = 0;                    ///< largest number of samples that pass at a time; of an
                                                   ///< evaluation alone its batch on one rank
  std::int64_t accumulation = 1;                   ///< micro-batches of a full batch on the busiest rank
  std::vector<PlanAction> actions;                 ///< what search_plan considered
  std::vector<PlanAlternative> alternatives;       ///< in the order in which they were tried
  std::vector<Refusal> refusals;                   ///< of the plans before this one
  std::int64_t smallest_limit_bytes = 0;           ///< least that it could come down to; 0: not looked for
  std::int64_t largest_batch = 0;    ///< of an evaluation on one rank within the limit; 0: not looked for
  std::int64_t workspace_bytes = 0;  ///< most that a kernel may have, or has where there is no cap
  DType half_type = DType::f32;      ///< what half precision would be here; fp32: there is none
  bool half_would_fit = false;       ///< does not fit, and in half precision, which is not allowed, would

  std::int64_t arena_bytes() const { return layout.bytes; }
  /// All that the job takes on the device.
  std::int64_t projected_bytes() const { return layout.bytes + request.beside_bytes(); }
  bool fits() const { return projected_bytes() <= request.limit_bytes; }
  /// The least memory.limit that will do, as far as it was looked for.
  std::int64_t least_limit() const {
    return (smallest_limit_bytes > 0 ? smallest_limit_bytes : projected_bytes()) + request.reserve_bytes;
  }
  /// Samples of a full update over all ranks: the global batch, or the training set where that has fewer.
  std::int64_t update_batch() const {
    return request.training && request.samples > 0 ? std::min(request.batch, request.samples) : request.batch;
  }
  /// What the learning rate is multiplied by: with a smaller global batch it falls as that does (Goyal et al.
  /// 2017, "Accurate, Large Minibatch SGD", linear scaling).
  double learning_rate_factor() const {
    return static_cast<double>(request.batch) / static_cast<double>(asked_batch);
  }
};

/// The name of what a request computes with: that of its precision, or "tf32".
std::string_view precision_name(const PlanRequest& request);

/// "64.00 MiB", "any size".
std::string workspace_text(std::int64_t bytes);

/// The request's cap of scratch, or the backend's usual one.
std::int64_t workspace_of(const PlanRequest& request, const Backend& backend);

/// The half type to train with by this backend: fp16, where it has none bf16, fp32 where it has neither.
DType half_type_of(const Backend& backend);

/// Sizes of the micro-batches into which `samples` of one rank fall: as few as possible of at most
/// `micro_batch`, sizes that differ by one at most.
std::vector<std::int64_t> split_micro_batches(std::int64_t samples, std::int64_t micro_batch);

/// The same for one rank's `samples` of a batch of `global`, as the plan runs it. Where batch norm's
/// statistics are shared all ranks have as many micro-batches, of which the last may be empty. At least one.
std::vector<std::int64_t> micro_batches_of(const PlanRequest& request, std::int64_t micro_batch,
                                           std::int64_t global, std::int64_t samples);

/// Whether there is batch norm, whose statistics are those of a micro-batch.
bool has_batch_norm(const Graph& graph);

/// Samples of a full batch on the busiest rank.
std::int64_t share_of(const PlanRequest& request);

/// Samples of it that pass at a time as the job asks for it.
std::int64_t asked_micro_batch(const PlanRequest& request);

/// Lays the job out as it is asked for. Does not fail when it does not fit: ask fits().
Plan make_plan(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings* known = nullptr,
               const LayoutOptions& layout = {});

}  // namespace convoy
