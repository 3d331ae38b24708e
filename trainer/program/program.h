#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "layers/graph/backend.h"
#include "layers/graph/graph.h"
#include "trainer/program/buckets.h"

namespace convoy {

/// What the bytes of a tensor are for; the ledger of a Plan adds up by it.
enum class Category : std::uint8_t {
  weights,         ///< as kernels read them
  master_weights,  ///< fp32, where kernels read a half type
  gradients,
  optimizer,  ///< momentum
  state,      ///< running statistics and their sums of the iteration
  input,      ///< pixels, labels
  activations,
  saved,  ///< what a forward pass leaves for backward beside activations
  activation_gradients,
  parameter_gradients,  ///< of one micro-batch, on their way to the flat gradients
  layout_changes,
  workspace,
  metrics,
};
inline constexpr int kCategories = 13;
std::string name_of(Category category);

/// A block of bytes that lives from step `first` to step `last`, both included.
struct Tensor {
  std::string name;
  Category category = Category::activations;
  std::int64_t bytes = 0;
  Layout layout;
  int first = -1;
  int last = -1;
};

/// Bytes of a tensor from `offset` on.
struct Ref {
  int tensor = -1;
  std::int64_t offset = 0;
};

enum class StepKind : std::uint8_t {
  scale_pixels,  ///< 8-bit pixels to the network's input
  layer,         ///< a pass of a layer
  reorder,       ///< change of layout
  share,         ///< adds up fp64 sums over the ranks, and waits
  add,           ///< adds one gradient to another, or to the flat gradients
  reduce,        ///< starts the sum of a bucket over the ranks; only in the last pass of an iteration
  measure,       ///< waits for all buckets, then adds up the squares of this rank's share of the gradients
  decide,        ///< from these squares: whether there is an update, and the scale of its gradients
  update,        ///< waits for a bucket, then one optimizer step over it, or over this rank's slice of it
  gather,        ///< starts to collect from the ranks what they updated of a bucket
  follow,        ///< running statistics
};

/// One step. Which fields count depends on the kind.
struct Step {
  StepKind kind = StepKind::layer;
  std::string name;                             ///< "backward_weights conv2", for messages and profiles
  int layer = -1;                               ///< layer, scale_pixels
  std::shared_ptr<const LoweredLayer> lowered;  ///< layer
  std::size_t pass = 0;                         ///< layer
  std::vector<Ref> reads;
  std::vector<Ref> writes;
  int scratch = -1;           ///< tensor, or -1
  Layout from, to;            ///< reorder, add
  bool assign_first = false;  ///< add: the first micro-batch of an iteration overwrites
  int bucket = -1;            ///< reduce, update, gather: whole, though a rank updates only its slice
};

enum class SegmentKind : std::uint8_t { train, update, evaluate };

/// A run of steps that the trainer calls as a whole: the passes of one micro-batch, the update, or the
/// evaluation of some samples.
struct Segment {
  SegmentKind kind = SegmentKind::train;
  std::int64_t samples = 0;
  int first = 0;  ///< step
  int end = 0;    ///< one past the last step
  int pixels = -1;
  int labels = -1;
  int output = -1;  ///< tensor of the main loss's output (probabilities or scores)
  /// Tensor of SecondLabel; -1 where samples are not mixed.
  int second_labels = -1;
};

/// A trained parameter's place in the flat buffers of weights, gradients and momentum.
struct ParameterSlot {
  int layer = 0;
  int parameter = 0;
  Layout layout;                ///< as stored: in training fp32
  Layout half;                  ///< of its copy in half precision, at half the offset; id -1: there is none
  Layout gradient;              ///< of its gradient
  std::int64_t interleave = 0;  ///< of its copy: Backend::interleave
  std::int64_t offset = 0;  ///< bytes, a multiple of 128, in whole buffers of fp32; see Program::kept_offset
  std::int64_t bytes() const { return layout.bytes; }
};

/// A running statistic's place in the flat buffers of states and statistics (fp32, plain).
struct StateSlot {
  int layer = 0;
  int state = 0;
  std::int64_t offset = 0;
  std::int64_t elements = 0;
  float momentum = 0;
};

/// A pass of a layer that does with as little scratch as it can (Site::lean).
struct LeanPass {
  int layer = 0;
  PassKind pass = PassKind::forward;
  friend auto operator<=>(const LeanPass&, const LeanPass&) = default;
};

/// What may be chosen for a graph.
struct Choices {
  std::vector<std::int64_t>
      train_samples;        ///< sizes of micro-batches that will pass, the largest first; empty: no training
  bool accumulate = false;  ///< an iteration may have more than one micro-batch
  std::int64_t evaluate_samples = 0;  ///< 0: no evaluation
  DType precision = DType::f32;       ///< of activations and of the weights that kernels read
  bool momentum = true;               ///< the optimizer keeps one
  bool reduce = false;                ///< gradients of other ranks are added
  int shards = 1;                     ///< ranks that divide the optimizer's state; 1: each has all of it
  bool shared_statistics = false;     ///< batch norm's are those of all ranks
  bool second_labels = false;         ///< training samples are mixed (mixup), and have two labels
  bool scales_loss = false;           ///< a loss scale is kept (UpdateRule)
  bool clips = false;                 ///< the norm of the gradient has a bound (UpdateRule)
  std::int64_t workspace_bytes = kAnyWorkspace;  ///< Site::workspace_bytes
  std::vector<LeanPass> lean;                    ///< rising
  std::int64_t bucket_bytes = 4 << 20;
  /// Backward updates the parameters of a bucket as soon as it has their gradients, so that these live no
  /// longer (LOMO: Lv et al. 2023, "Full Parameter Fine-tuning for Large Language Models with Limited
  /// Resources"): the same values, to the bit. For one rank whose iterations are of one micro-batch, where
  /// nothing must be known of all gradients before the first is used.
  bool update_in_backward = false;
  std::vector<int>
      recompute;  ///< layers, rising, whose outputs backward makes again in place of keeping them

  /// Whether something of all gradients must be known before the first is used.
  bool measures() const { return scales_loss || clips; }
};

/// Training and evaluation written out as steps over tensors. What is costed is what is run.
///
/// With Choices::update_in_backward there are no flat gradients: a training segment has a tensor for each
/// bucket, and the bucket's `update` after the last pass that needs its parameters.
///
/// Where Choices::measures(), the update begins with `measure`, with several ranks `share`, and `decide`; its
/// other steps do nothing when UpdateState says so.
///
/// With Choices::shards the optimizer's state is divided (ZeRO-1: Rajbhandari et al. 2020, "ZeRO: Memory
/// Optimizations Toward Training Trillion Parameter Models", P_os): each bucket falls into equal slices, one
/// a rank, and a rank keeps the momentum of its own slices only, one after another. `reduce` is then a
/// reduce-scatter, `update` is over the rank's slice, and `gather` gives all ranks what kernels read. With
/// half types that is the half copy, and the fp32 master weights are divided like the momentum; parameters
/// that kernels read in fp32 all the same (biases, batch norm's) then lie in buckets of their own at the
/// end, which are not divided. The Program is the same on every rank: whose slice is whose is for slice_of.
struct Program {
  std::vector<Tensor> tensors;
  std::vector<Step> steps;
  std::vector<Segment> segments;
  std::vector<ParameterSlot> parameters;  ///< in the order in which backward gives their gradients
  std::vector<StateSlot> states;
  std::vector<Slice> buckets;       ///< of the flat gradients, in values
  std::int64_t flat_values = 0;     ///< of each whole flat buffer of parameters
  std::int64_t divided_values = 0;  ///< of these, from the start, those whose optimizer state is divided
  DType gradient_type = DType::f32;
  Choices choices;
  std::int64_t alignment = 64;
  /// Where the next pixels and labels come to lie while a segment still runs, throughout; -1: there is no
  /// such place (Backend::loads_ahead). Segments read their pixels there; of the labels they have their own
  /// copy.
  int next_pixels = -1, next_labels = -1, next_second_labels = -1;
  int half_weights = -1;  ///< tensor: what kernels read of the weights in training in half precision
  int weights = -1, gradients = -1, momentum = -1, state = -1, statistics = -1, metrics = -1;  ///< tensors
  int update_state = -1;  ///< tensor of UpdateState; -1 where nothing need be known of all gradients

  /// The optimizer's step over a bucket whose gradients begin at `gradients`.
  Step update_step(std::size_t bucket, const Ref& gradients) const;
  const Segment* find(SegmentKind kind, std::int64_t samples) const;
  std::int64_t flat_bytes() const { return flat_values * 4; }  ///< of a whole flat buffer in fp32
  /// Bytes in fp32 of what a rank keeps where it keeps only its slices of what is divided.
  std::int64_t kept_bytes() const { return kept_offset(flat_values * 4); }
  /// Where in such a buffer lies what is at `offset` of a whole one: the start of a bucket, or anything that
  /// is not divided.
  std::int64_t kept_offset(std::int64_t offset) const;
  bool divided(const Slice& bucket) const { return bucket.first < divided_values; }
  /// Whether the fp32 weights are master weights of which a rank keeps its slices.
  bool divides_weights() const { return choices.shards > 1 && half_weights >= 0; }
  /// What rank `rank` updates of a bucket, in values of whole buffers.
  Slice slice_of(const Slice& bucket, int rank) const;
  /// What rank `rank` measures of the gradients, in values of whole buffers: its slices, and what is not
  /// divided, which where ranks add up their squares is for rank 0 alone.
  std::vector<Slice> measured_by(int rank) const;
  /// Where in the flat gradients lies what is at `offset` in the weights.
  std::int64_t gradient_offset(std::int64_t offset) const { return offset / 4 * size_of(gradient_type); }
};

/// What a backend was asked to lower.
struct LoweredSite {
  Site site;
  std::vector<Layout> inputs;
};

/// How each layer of a segment runs: null for one without work of its own. It depends on the kind of segment,
/// its samples, the precision, shared_statistics, second_labels, scales_loss, the cap of the workspace and
/// the lean passes, on no other choice.
struct Lowering {
  std::vector<std::shared_ptr<const LoweredLayer>> layers;
  std::vector<bool> absorbed;      ///< by layer: the layer before it does its forward pass
  std::vector<LoweredSite> sites;  ///< of the layers that are not null
};

/// Lowerings of one graph by one backend, kept from one Program to the next.
using LoweringKey =
    std::tuple<SegmentKind, std::int64_t, DType, bool, bool, bool, std::int64_t, std::vector<LeanPass>>;
using Lowerings = std::map<LoweringKey, Lowering>;
inline LoweringKey lowering_key(SegmentKind kind, std::int64_t samples, const Choices& choices) {
  return {kind,
          samples,
          choices.precision,
          choices.shared_statistics,
          choices.second_labels,
          choices.scales_loss,
          choices.workspace_bytes,
          choices.lean};
}

/// Writes the Program of a graph out. A pure function of its arguments, the same on every rank; with `known`,
/// what is found there is not lowered anew.
Program build_program(const Graph& graph, const Choices& choices, Backend& backend,
                      Lowerings* known = nullptr);

/// A hash of everything in the Program that must agree between ranks.
std::uint64_t hash_of(const Program& program, const Backend& backend);

}  // namespace convoy
