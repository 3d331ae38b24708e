#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "layers/core/dtype.h"
#include "layers/core/slice.h"
#include "layers/graph/kernel_trial.h"
#include "layers/graph/layer.h"
#include "layers/graph/metrics.h"
#include "layers/graph/update_state.h"

namespace convoy {

/// How a backend stores one tensor: an index into the backend's own table of layouts, opaque to everyone
/// else. Two tensors of equal id need no reorder between them.
struct Layout {
  int id = -1;
  std::int64_t bytes = 0;
  friend bool operator==(const Layout&, const Layout&) = default;
};

/// The parts of a layer's work that are steps of their own.
enum class PassKind : std::uint8_t {
  forward,
  moments,           ///< sums of the input that forward needs from all ranks; never repeated by a recompute
  statistics,        ///< folds the batch statistics into the iteration's sums; never repeated either
  gradient_moments,  ///< gradients of the parameters, and sums that backward needs from all ranks
  backward_data,     ///< gradients of the inputs
  backward_weights,  ///< gradients of the parameters
  backward,          ///< both at once
};

/// Whether a pass belongs to the way forward.
constexpr bool goes_forward(PassKind kind) {
  return kind == PassKind::forward || kind == PassKind::moments || kind == PassKind::statistics;
}

/// A cap of scratch that is none: as much as a kernel likes.
inline constexpr std::int64_t kAnyWorkspace = std::numeric_limits<std::int64_t>::max();

/// One layer at one place of a Program.
struct Site {
  const Layer* layer = nullptr;
  int layer_index = 0;
  std::vector<Shape> inputs;  ///< per sample
  Shape output;
  std::int64_t batch = 0;            ///< samples that pass at a time
  bool training = true;              ///< false: forward only, inference meaning
  std::vector<bool> input_gradient;  ///< for each input, whether backward must give its gradient
  bool relu_follows = false;         ///< a ReLU alone takes the output; see LayerSpec::relu
  DType type = DType::f32;           ///< of activations, their gradients, and weights of kind `weight`
  bool shared_statistics = false;    ///< training: batch norm's statistics are those of all ranks
  bool starts_metrics = true;        ///< the first loss of its segment: in the first pass sums start anew
  /// Most scratch of a pass for which an algorithm can be chosen. One that can do with no less takes more.
  std::int64_t workspace_bytes = kAnyWorkspace;
  bool second_labels = false;  ///< training: samples are mixed, and losses read Role::second_labels
  bool scaled_loss = false;    ///< training: the gradients of losses read Role::update_state
  /// Passes that do with as little scratch as they can, whatever workspace_bytes says; only backends without
  /// a usual cap look at it (Backend::usual_workspace).
  std::vector<PassKind> lean = {};

  std::int64_t scratch_cap(PassKind pass) const {
    return std::find(lean.begin(), lean.end(), pass) == lean.end() ? workspace_bytes : 0;
  }
};

/// What an operand of a pass is. `index` counts inputs, parameters or states of the layer.
enum class Role : std::uint8_t {
  input,
  output,
  parameter,
  input_gradient,
  output_gradient,
  parameter_gradient,
  saved,      ///< bytes that forward leaves for backward
  state,      ///< running statistics, fp32 and plain
  statistic,  ///< this iteration's sum of a state's batch statistics, fp32 and plain
  shared,     ///< fp64 sums that are added up over the ranks after the pass that writes them
  labels,     ///< int32, one a sample
  metrics,    ///< Metrics of the iteration
  /// SecondLabel, one a sample; where samples are mixed
  second_labels,
  update_state,  ///< UpdateState, for its loss scale; where losses are scaled
};

struct Operand {
  Role role = Role::input;
  int index = 0;
  Layout layout;
};

struct PassSpec {
  PassKind kind = PassKind::forward;
  std::vector<Operand> reads;
  std::vector<Operand> writes;
  std::int64_t scratch_bytes = 0;
  bool in_place = false;  ///< writes[0] may be the same memory as reads[0], of as many bytes
  bool pass_through =
      false;  ///< writes all equal reads[0]: no work, the gradient itself goes on (element-wise sum)
  /// Does what the pass before it does, but adds the gradients of parameters to what lies there already,
  /// unless StepContext::first_pass. A Program has one of the two.
  bool adds_gradients = false;
};

/// What a layer does of the ReLU that follows it (Site::relu_follows).
enum class ReluShare : std::uint8_t {
  nothing,
  forward,  ///< its output is the ReLU's; the ReLU's backward pass stays
  all,      ///< and its backward passes take the gradient of the ReLU's output
};

/// What the caps of scratch (Site::scratch_cap) have to do with how a layer runs.
enum class CapShare : std::uint8_t {
  decides,  ///< perhaps: under other caps it may run otherwise
  allows,   ///< it runs as it likes, and does so under all caps that are no less than what its passes take
  nothing,  ///< it runs so under all caps
};

struct LayerSpec {
  /// Forward, then moments (which run before it) and statistics, then those of backward in the order to run.
  std::vector<PassSpec> passes;
  std::int64_t saved_bytes = 0;
  ReluShare relu = ReluShare::nothing;
  CapShare cap = CapShare::decides;
};

/// What changes from one run of a step to the next.
struct StepContext {
  std::uint64_t seed = 0;
  std::int64_t iteration = 0;     ///< updates done before this one
  std::int64_t first_sample = 0;  ///< position in the global batch of the first sample of the micro-batch
  std::int64_t valid_samples =
      0;                    ///< samples of the micro-batch that count; the rest is padding (evaluation only)
  float sample_weight = 1;  ///< weight of one sample's loss: 1 / samples of the global batch
  bool first_pass = true;   ///< of the iteration: sums start anew
  float learning_rate = 0;
  bool keeps_metrics = false;  ///< the sums of the metrics go on in the first pass, too
};

/// A bound step: knows its memory, runs on its device. Where the device records work, what is played again
/// goes on with the iteration and learning_rate of the last Backend::set_step, and with all else of the
/// context that it was recorded with.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void run(const StepContext& context) = 0;
};

/// A Site as a backend will run it.
class LoweredLayer {
 public:
  virtual ~LoweredLayer() = default;
  const LayerSpec& spec() const { return spec_; }
  /// Binds pass `pass` of spec() to memory: `reads` and `writes` in the order of the spec, scratch of
  /// scratch_bytes.
  virtual std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads,
                                       std::span<void* const> writes, void* scratch) const = 0;
  /// The kernel library's name of the implementation of a pass, for reports.
  virtual std::string implementation(std::size_t pass) const = 0;

 protected:
  LayerSpec spec_;
};

/// Stochastic gradient descent with momentum over a slice of the flat buffers:
///   g = gradient · gradient_scale + decay · w;  v = momentum · v + g;
///   w -= rate · (nesterov ? g + momentum · v : v)
/// as PyTorch's torch.optim.SGD does it (Sutskever et al. 2013).
struct SgdSpec {
  float momentum = 0.9F;
  bool nesterov = false;
  DType half = DType::f32;      ///< element type of the copy that kernels read; fp32: there is none
  DType gradient = DType::f32;  ///< of the flat gradients: Backend::gradient_type
};

/// A run of fp32 values of the flat buffers with one decay and one multiple of the learning rate.
struct SgdRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
  float decay = 0;
  float rate = 1;
  std::int64_t interleave = 0;  ///< of the half copy, see Backend::interleave
};

/// Pixels of 8 bits to the network's input: (pixel - mean[c]) / deviation[c].
struct PixelScale {
  std::vector<float> mean;
  std::vector<float> deviation;
};

/// What a kind of device can do, and how many bytes each thing takes there. The Program is built from its
/// answers.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string name() const = 0;
  /// Whether kernels can compute with activations and weights of `type` here.
  virtual bool supports(DType type) const = 0;
  /// Smallest alignment of a tensor's offset in the arena; a power of two.
  virtual std::int64_t alignment() const = 0;
  /// The cap of scratch (Site::workspace_bytes) of a job that names none. kAnyWorkspace: kernels take what
  /// they like, and single passes may be lean (Site::lean).
  virtual std::int64_t usual_workspace() const { return kAnyWorkspace; }
  /// Whether the next pixels and labels are copied to the device while it still works on the ones before: a
  /// Program then has places for them that live throughout.
  virtual bool loads_ahead() const { return false; }
  /// Whether fp32 products can be made from operands rounded to TF32 (8 bits of exponent, 10 of mantissa).
  virtual bool has_tf32() const { return false; }
  /// The type of the flat gradients when activations have type `precision`.
  virtual DType gradient_type(DType) const { return DType::f32; }
  /// The text of a layout, the same on every rank ("fp32 nChw16c 64x96x55x55").
  virtual std::string describe(const Layout& layout) const = 0;

  /// Chooses how a layer runs when its inputs come in the given layouts.
  virtual std::shared_ptr<const LoweredLayer> lower(const Site& site, std::span<const Layout> inputs) = 0;

  /// A text that tells the problems apart for which one of several kernels can be chosen; sites of the same
  /// text share a choice. "" where there is nothing to choose.
  virtual std::string kernel_problem(const Site&) { return {}; }
  /// Times the ways in which a layer can run when its inputs come in the given layouts, all passes of
  /// training. nullopt when time or memory did not suffice, or other work disturbed the times.
  virtual std::optional<KernelTrial> try_kernels(const Site&, std::span<const Layout>, KernelTimer&) {
    return std::nullopt;
  }

  /// Backends whose layouts and sizes do not depend on the choice: kernels that are bound from now on run as
  /// `choices` say.
  virtual void choose_kernels(KernelChoices) {}
  /// What such a backend's times depend on beside the problem; "" where it has nothing to choose.
  virtual std::string kernel_conditions() const { return {}; }
  /// And what measures them for some seconds, in at most so many bytes of its device; may be null.
  virtual std::unique_ptr<KernelTimer> make_timer(double, std::int64_t) { return nullptr; }
  /// Of the site's work, the share that a trial times.
  virtual double trial_share(const Site&) { return 1; }

  /// Layout in which the network's input is made from pixels for `batch` samples.
  virtual Layout input_layout(Shape shape, std::int64_t batch, DType type) = 0;
  /// The fp32 layout in which the master copy of a parameter lies whose forward pass wants `used`: `used`
  /// itself for fp32, its twin for half types.
  virtual Layout master_layout(const Layout& used) = 0;
  /// How the values of a parameter's copy in half precision, lying as `half`, follow each other: 0: as those
  /// of its master copy do. n: kernels want rows of n values in pairs; of each 2 n values of the master copy,
  /// the first n and the other n alternate in the half copy (value i becomes 2 i, value n + i becomes 2 i +
  /// 1). At most half of kInterleaved.
  virtual std::int64_t interleave(const Layout&) const { return 0; }
  /// Values from whose multiples on a parameter with an interleaved copy begins and may be divided.
  static constexpr std::int64_t kInterleaved = 128;
  /// The layout in the flat gradients of a parameter whose master copy lies as `master`, of
  /// gradient_type(precision).
  virtual Layout gradient_layout(const Layout& master, DType) { return master; }
  /// A parameter from host memory, dense in its canonical layout, to `stored` on the device, and back. For
  /// start-up and checkpoints; both wait for the device.
  virtual void store_parameter(const ParameterSpec& parameter, const Layout& layout, const float* host,
                               void* stored) = 0;
  virtual void load_parameter(const ParameterSpec& parameter, const Layout& layout, const void* stored,
                              float* host) = 0;
  /// The same with `stored` in host memory, lying there as it would on the device.
  virtual void pack_parameter(const ParameterSpec& parameter, const Layout& layout, const float* host,
                              void* stored) {
    store_parameter(parameter, layout, host, stored);
  }
  virtual void unpack_parameter(const ParameterSpec& parameter, const Layout& layout, const void* stored,
                                float* host) {
    load_parameter(parameter, layout, stored, host);
  }

  /// Before kernels run with a context: makes known to the device what kernels read there. Needed only before
  /// recorded work is played again.
  virtual void set_step(const StepContext&) {}

  virtual std::int64_t reorder_scratch(const Layout& from, const Layout& to, bool add) = 0;
  /// Copies `from` to `to`, changing the layout; with `add`, adds to it unless the step is in an iteration's
  /// first pass and `assign_first` is set.
  virtual std::unique_ptr<Kernel> reorder(const Layout& from, const Layout& to, bool add, bool assign_first,
                                          const void* source, void* target, void* scratch) = 0;

  /// uint8 batch × H × W × C pixels to the input layout of `type`.
  virtual std::unique_ptr<Kernel> scale_pixels(Shape shape, std::int64_t batch, DType type,
                                               const PixelScale& scale, const void* pixels, void* input) = 0;
  /// `momentum` may be null when spec.momentum is 0, `half`, the weights' copy in spec.half, when that is
  /// fp32, and `state` where nothing need be known of all gradients: their scale is then 1.
  virtual std::unique_ptr<Kernel> sgd(const SgdSpec& spec, std::vector<SgdRange> ranges, void* weights,
                                      const void* gradients, void* momentum, void* half,
                                      const UpdateState* state) = 0;
  /// `count` fp32 values to another type, as sgd writes the copy. For start-up; waits for the device.
  virtual void copy_half(DType type, std::int64_t count, std::int64_t interleave, const void* weights,
                         void* half) = 0;
  /// running = (1 - momentum) · running + momentum · statistic, for `count` values, unless `state`, which may
  /// be null, skips the update.
  virtual std::unique_ptr<Kernel> follow(std::int64_t count, float momentum, void* running,
                                         const void* statistic, const UpdateState* state) = 0;

  /// Scratch of sum_of_squares over so many values.
  virtual std::int64_t squares_scratch(std::int64_t count) = 0;
  /// Sum of the squares of the values in `ranges` of `values`, which are of type `type`, in fp64: the same
  /// bits in every run. It is finite exactly when all of them are, since squares of fp32 values are far from
  /// fp64's bounds.
  virtual std::unique_ptr<Kernel> sum_of_squares(DType type, std::vector<Slice> ranges, const void* values,
                                                 double* sum, void* scratch) = 0;
  /// decide_update, on the device.
  virtual std::unique_ptr<Kernel> decide_update(const UpdateRule& rule, const double* squares,
                                                UpdateState* state) = 0;
};

}  // namespace convoy
