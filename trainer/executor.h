#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "comm/communicator.h"
#include "comm/device_collectives.h"
#include "layers/core/second_label.h"
#include "layers/device/device.h"
#include "trainer/planner/plan.h"
#include "trainer/repeated_work.h"

namespace convoy {

/// How the optimizer treats each kind of parameter.
struct OptimizerSettings {
  SgdSpec sgd;
  float weight_decay = 0;
  float bias_decay = 0;
  float norm_decay = 0;
  float bias_rate = 1;
  double clip_norm = 0;  ///< 0: not clipped
};

/// Seconds that the host spent, by what for: on a device that works beside it, seconds of putting work into
/// its queue.
struct StepTimes {
  double kernels = 0;   ///< layers and optimizer
  double reorders = 0;  ///< layout changes and sums of gradients
  double input = 0;     ///< pixels to the device and to floats
  double reduce = 0;    ///< starting and waiting for collectives
};

/// Binds a Plan to a device and runs its segments. It decides nothing; after construction it allocates
/// nothing on the device.
class Executor {
 public:
  /// `graph`, `backend`, `device` and `comm` must outlive the Executor, and so must `collectives`, by which
  /// gradients are added up and weights gathered; null: those through the host.
  Executor(Plan plan, const Graph& graph, Backend& backend, Device& device, Communicator& comm,
           const OptimizerSettings& optimizer, const PixelScale& pixels,
           DeviceCollectives* collectives = nullptr);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  const Plan& plan() const { return plan_; }
  const Graph& graph() const { return *graph_; }

  /// Copies `count` samples (H × W × C bytes each) and their labels to a segment's input; what the segment
  /// holds beyond them is filled with class 0 and does not count. `second` goes with Choices::second_labels,
  /// to segments of training. Where the backend loads ahead, the copies go on while the device works on what
  /// was loaded before; for the next run() of that segment alone.
  void load(const Segment& segment, const std::uint8_t* pixels, const std::int32_t* labels,
            std::int64_t count, const SecondLabel* second = nullptr);

  /// Runs a segment of micro-batches. In the `last_pass` of an iteration the reductions of its buckets start.
  /// A `repeat` of 0 or more says that every run of that number is of the same segment and pass, with the
  /// same context but for the iteration and the learning rate, on all ranks alike: it may be recorded.
  void run(const Segment& segment, const StepContext& context, bool last_pass, int repeat = -1);

  /// What a rank without samples for an iteration's first pass does first: its gradients and sums are zero
  /// (but those of metrics that go on).
  void clear_iteration(bool keeps_metrics = false);
  /// And in each pass in which it has none: it takes part in what the ranks do together.
  void run_without_samples(const StepContext& context, bool last_pass);

  /// Waits for the reductions, clips, and takes one optimizer step; with fp16, gradients that overflowed
  /// lower the loss scale instead. The device decides that, on every rank alike, and the host does not wait
  /// for it.
  void update(const StepContext& context);
  /// Whether there is a loss scale.
  bool scales_loss() const { return plan_.program.choices.scales_loss; }
  /// What the updates until now have left; waits for the device. Error(diverged), on every rank alike, after
  /// an overflow with a loss scale of 1. Where the host reaches the device's memory, update() throws it.
  UpdateState update_state() const;
  void set_update_state(const UpdateState& state);

  /// Sums since the iteration's (or evaluation's) first pass, of this rank. Waits for the device; reductions
  /// that it has started are under way then, so that other collectives may follow. After update() none are.
  Metrics metrics();
  void clear_metrics();

  /// The main loss's output of the segment that just ran: samples × positions (rows of a map, one after
  /// another) × classes, dense.
  std::vector<float> output(const Segment& segment) const;

  /// Values of a parameter or of its momentum in the canonical layout. Where the optimizer's state is divided
  /// among the ranks (Program), no rank has the whole of it. Then all of these calls are for all ranks
  /// together, in the same order, and `set` and `write` get the same values on each; or for one rank alone
  /// within lead(). Between iterations only: the values pass through the memory of the gradients.
  enum class Buffer : std::uint8_t { weights, gradients, momentum };
  std::vector<float> get(Buffer buffer, const ParameterSlot& slot) const;
  void set(Buffer buffer, const ParameterSlot& slot, std::span<const float> values);
  /// The same without memory of their own where the host can reach the device's: the values pass through that
  /// of activations, so only between iterations. What `read` gives lasts until the next call; `spare` takes
  /// it where there is no such memory.
  std::span<const float> read(Buffer buffer, const ParameterSlot& slot, std::vector<float>& spare) const;
  void write(Buffer buffer, const ParameterSlot& slot, const std::function<void(std::span<float>)>& fill);
  std::vector<float> get_state(const StateSlot& slot) const;
  void set_state(const StateSlot& slot, const std::vector<float>& values);
  bool has_momentum() const { return plan_.program.momentum >= 0; }

  /// Runs `work` on this rank, which may read and write parameters while every other rank is in
  /// follow_lead(). Without divided state the others have nothing to do, and neither call waits for the
  /// other.
  void lead(const std::function<void()>& work);
  /// Takes part in what rank `leader` reads and writes until its work is done, or has failed.
  void follow_lead(int leader);

  /// Gives what rank `root` has whole of weights, momentum and states to all ranks. What is divided among
  /// them they got when it was written.
  void broadcast_from(int root);

  /// Waits for the device's work.
  void synchronize() const { device_->synchronize(); }
  /// From now on every step of run() and update() waits for the device, so that step_seconds() are the
  /// device's too.
  void wait_after_steps(bool wait) { waits_ = wait; }
  /// From now on what is run alike in each iteration is recorded at its second run and played from then on,
  /// where device and collectives can do so. The same bits.
  void record_repeats(bool record);
  /// Whether it is.
  bool records() const { return records_; }

  const StepTimes& times() const { return times_; }
  /// Seconds by step of the Program, for profiles.
  const std::vector<double>& step_seconds() const { return step_seconds_; }

 private:
  void* at(const Ref& ref) const;
  void bind(std::size_t step, Backend& backend, const PixelScale& pixels);
  std::unique_ptr<Kernel> make_update(const Step& step, Backend& backend) const;
  UpdateRule update_rule() const { return {scales_loss(), optimizer_.clip_norm}; }
  /// Where the update's state lies; null where nothing need be known of all gradients.
  UpdateState* state_place() const;
  const ParameterSpec& spec_of(const ParameterSlot& slot) const;
  int tensor_of(Buffer buffer) const;
  /// Bytes from the start of the buffer's tensor to what this rank has whole of it.
  std::int64_t whole_from(Buffer buffer) const;
  bool is_divided(Buffer buffer, const ParameterSlot& slot) const;
  /// Where a parameter that is not divided lies.
  void* place_of(Buffer buffer, const ParameterSlot& slot) const;
  /// A parameter from the device, divided or not, to its canonical layout.
  void fetch(Buffer buffer, const ParameterSlot& slot, float* values) const;
  /// Memory that the host can reach for all of a divided parameter as it is stored: `spare`, or what nobody
  /// needs of the device's.
  float* whole_of(const ParameterSlot& slot, std::vector<float>& spare) const;
  /// Puts a divided parameter together at `whole`, or only gives this rank's part of it where that is null.
  void collect(Buffer buffer, const ParameterSlot& slot, float* whole) const;
  /// The other way round. Rank `from` has it at `whole`; -1: every rank has.
  void distribute(Buffer buffer, const ParameterSlot& slot, int from, const float* whole);
  /// What the leader tells the others to do.
  enum Task : std::int64_t { kEnd, kCollect, kGiveOut };
  void tell_followers(Task task, Buffer buffer, const ParameterSlot* slot) const;
  /// Memory for a parameter's values on their way, between iterations.
  std::span<float> staging(Buffer buffer, const ParameterSlot& slot, std::vector<float>& spare) const;
  /// Makes the half-precision copy of a range of the flat weights, which lie at `weights` in fp32.
  void copy_half(const void* weights, std::int64_t offset, std::int64_t bytes);
  /// The same of values in host memory, a piece of a divided parameter.
  void copy_half_piece(std::span<const float> values, std::int64_t offset);
  void load_ahead(const Segment& segment, const std::uint8_t* pixels, const std::int32_t* labels,
                  std::int64_t count, const SecondLabel* second);
  /// Of a segment whose input was loaded ahead, its first step. Returns the next one.
  int take_input(const Segment& segment, const StepContext& context);
  void run_steps(int first, const Segment& segment, const StepContext& context, bool last_pass);
  void run_update(const StepContext& context);
  void run_update_step(const Step& step, std::size_t number, const StepContext& context);
  /// The device's work to come waits for all collectives.
  void join_collectives();
  void share(const Step& step);
  void start_reduce(const Step& step);
  void start_gather(const Step& step);
  void start_statistics();
  /// Until the sum of a bucket (their number stands for the statistics) is in place.
  void wait_for(std::size_t bucket);
  /// How a parameter lies in a buffer.
  const Layout& layout_of(Buffer buffer, const ParameterSlot& slot) const;
  double& account(StepKind kind);

  static constexpr std::int64_t kPiece = 4 << 20;  ///< bytes that pass from rank to rank at a time

  Plan plan_;
  const Graph* graph_;
  Backend* backend_;
  Device* device_;
  Communicator* comm_;
  OptimizerSettings optimizer_;
  Arena arena_;
  std::vector<std::unique_ptr<Kernel>> kernels_;  ///< by step; null for reductions
  std::unique_ptr<DeviceCollectives> own_collectives_;
  DeviceCollectives* collectives_;  ///< slots by bucket, the statistics last
  /// Host memory from which inputs are copied ahead, in turn.
  struct NextPart {
    void* host = nullptr;               ///< pinned, as large as the tensor
    std::unique_ptr<DeviceMark> there;  ///< of the copy to the device
  };
  struct NextInput {
    NextPart pixels, labels, second_labels;
  };
  /// Host memory of a part, once what was copied from there before is on the device.
  void* free_part(NextPart& part, int tensor);
  void send_ahead(NextPart& part, int tensor, std::int64_t bytes);
  std::array<NextInput, 2> next_inputs_;
  std::size_t input_turn_ = 0;
  std::unique_ptr<DeviceMark> input_taken_;  ///< when the device has no more need of the places of the next
  RepeatedWork repeats_;
  bool records_ = false;
  bool leading_ = false;
  bool waits_ = false;
  StepTimes times_;
  std::vector<double> step_seconds_;
};

}  // namespace convoy
