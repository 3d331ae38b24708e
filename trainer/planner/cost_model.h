#pragma once

#include <map>
#include <vector>

#include "trainer/planner/layer_work.h"
#include "trainer/planner/overlap.h"
#include "trainer/planner/plan.h"

namespace convoy {

/// One way to run the training that a PlanRequest asks for.
struct Way {
  DType precision = DType::f32;
  std::int64_t workspace_bytes = kAnyWorkspace;
  std::vector<int> recompute;    ///< layers, rising
  std::int64_t micro_batch = 0;  ///< samples at a time on a rank
  int shards = 1;                ///< ranks among which the optimizer is divided; 1: each does all of it
};

/// Seconds of one full training step on the busiest rank, by what they are spent on.
struct StepCost {
  double input = 0;    ///< pixels to numbers
  double forward = 0;  ///< of all micro-batches, as all that follows
  double backward = 0;
  double recompute = 0;    ///< forward passes made again
  double accumulate = 0;   ///< gradients of micro-batches added up
  double update = 0;       ///< of the optimizer
  double communicate = 0;  ///< that the communication takes, hidden or not
  double exposed = 0;      ///< of it, what the step is longer for
  double total = 0;
};

/// Seconds a sample of all passes of each layer in training, 0 where nobody knows; by type.
using MeasuredLayers = std::map<DType, std::vector<double>>;

/// Predicts the time of a training step on the devices of a PlanRequest (speed, links). Each pass of each
/// layer takes its arithmetic or its memory traffic, whichever is longer (layer_work.h), unless it was
/// measured; passes that do with less scratch take longer; the gradients' all-reduce goes on beside backward
/// bucket by bucket (overlap.h, interconnect.h). Made once for a graph, it answers for many ways. What it
/// leaves out: ranks that wait for the slowest, reading of data, kernels that communication slows down.
class CostModel {
 public:
  /// `graph` must outlive it.
  CostModel(const Graph& graph, const PlanRequest& request, MeasuredLayers measured = {});

  /// On the ranks that the request asks for, with the busiest one's share of a full batch.
  StepCost cost(const Way& way) const;
  /// On other ranks, each with `share` samples.
  StepCost cost(const Way& way, std::int64_t ranks, std::int64_t share) const;
  double seconds(const Way& way) const { return cost(way).total; }
  /// What a pass of a layer takes longer for `samples` in the precision of the request, when it is lean.
  double lean_seconds(const LeanPass& pass, std::int64_t samples) const;

  const PlanRequest& request() const { return request_; }

 private:
  struct Bucket {
    int layer = 0;          ///< whose backward passes finish it
    double parameters = 0;  ///< values
  };
  struct Passes {
    double forward = 0, backward = 0;
  };

  void cut_buckets(std::int64_t element_size);
  /// Of one layer for a micro-batch.
  Passes passes(std::size_t layer, std::int64_t samples, const Way& way) const;
  /// By which factor a pass is slower for the sake of less scratch.
  double slowdown(std::size_t layer, PassKind pass, const Way& way) const;
  const PassWork& work_of(std::size_t layer, PassKind pass) const;
  /// Of all layers for one micro-batch, and what it adds to a step `times` over: recompute is part of
  /// backward. `finished`, unless null: when each layer's backward passes end, from the end of forward.
  Passes all_passes(const Way& way, std::int64_t samples, std::vector<double>* finished, StepCost& step,
                    double times) const;
  /// Of each bucket all but when it is ready.
  std::vector<BucketCost> bucket_costs(const Way& way, std::int64_t ranks) const;
  std::int64_t gradient_size(const Way& way) const;
  /// What all ranks wait for beside gradients.
  double waits(std::int64_t ranks, std::int64_t parts) const;
  double update_seconds(double parameters, const Way& way) const;

  const Graph& graph_;
  PlanRequest request_;
  MeasuredLayers measured_;
  std::vector<LayerWork> works_;
  std::map<std::int64_t, std::vector<Bucket>> buckets_;  ///< by the size of a gradient's element
  double parameters_ = 0;
};

/// One row of a table of numbers of ranks.
struct ScalingPoint {
  std::int64_t ranks = 1;
  std::int64_t batch = 1;  ///< global
  StepCost step;
  double images_per_second = 0;
  double efficiency = 1;  ///< images/s a rank, over those of one rank alone with the same micro-batches
};

/// So many ranks with the share of the batch that a rank has in the request: the batch grows with the ranks
/// (weak scaling). Against one rank that does a share of that size alone.
ScalingPoint same_share(const CostModel& model, const Way& way, std::int64_t ranks);
/// So many ranks that divide the batch of the request (strong scaling). Against one rank that does the whole
/// batch, in micro-batches of the same size.
ScalingPoint same_batch(const CostModel& model, const Way& way, std::int64_t ranks);

}  // namespace convoy
