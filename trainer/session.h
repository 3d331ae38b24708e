#pragma once

#include <memory>
#include <string>

#include "comm/communicator.h"
#include "layers/device/device.h"
#include "trainer/data/dataset.h"
#include "trainer/executor.h"
#include "trainer/job.h"
#include "trainer/kernels/kernel_plan.h"
#include "trainer/memory_truth.h"
#include "trainer/worker.h"

namespace convoy {

/// The graph of a job and its data sets, opened and checked against each other; before any rank talks to
/// another.
struct JobInputs {
  Job job;  ///< with measured keys filled in (measured_keys.h)
  Graph graph;
  std::shared_ptr<const Dataset> train;  ///< null when not asked for
  std::shared_ptr<const Dataset> test;
};

enum class Purposes : std::uint8_t { train, evaluate, graph_only };

/// Samples of one split that the job names: those of a synthetic set, or how many a folder must have; 0: any.
std::int64_t expected_samples(const Job& job, Split split);

/// Reads the network and opens what `purpose` needs. Error(usage) or Error(data).
JobInputs open_inputs(Job job, Purposes purpose);

/// Means and deviations of the job, one a channel.
PixelScale pixel_scale(const Job& job, Shape input);

/// What to ask the planner for a job. `ranks_here` share the device's memory.
PlanRequest plan_request(const Job& job, std::int64_t train_samples, int ranks, std::int64_t limit_bytes);

/// Training that is asked to evaluate more samples at a time than a rank has of `samples` evaluates what it
/// has.
void bound_evaluation(PlanRequest& request, std::int64_t samples);

/// Bytes that one rank may use: memory.limit, or the device's free memory divided by the ranks that share it,
/// less memory.reserve. Error(usage) for a limit that the device cannot have.
/// `given` is what messages call a limit that was given otherwise than by the key: "--memory-limit 4GiB".
std::int64_t memory_limit(const Job& job, const DeviceInfo& info, int ranks_here,
                          const std::string& given = "");

/// Compute threads of each of `ranks` ranks that divide this process's cores: `threads` of the job, or as
/// many as there are cores for each.
int thread_count(const Job& job, int ranks);

OptimizerSettings optimizer_settings(const Job& job);

/// Where the kernels come from that `convoy train` runs: measured and cached, unless the job says "default".
KernelSettings kernel_settings(const Job& job);

/// One rank's device, backend and executor for a job.
class Session {
 public:
  /// Plans together with the other ranks (the least limit counts, the plan's hash must agree) and takes the
  /// arena; where a rank cannot have it, all plan again within what is free there (plan_again.h).
  /// Error(does_not_fit) on every rank when the plan does not fit. `samples` is the number of samples of an
  /// epoch, or of the set that will be evaluated. `kept_batch`: see PlanRequest. `worker` is what make_worker
  /// gives for the job unless it holds a device.
  Session(JobInputs inputs, Communicator& comm, bool training, std::int64_t samples,
          const KernelSettings& kernels = {}, std::int64_t kept_batch = 0, Worker worker = {});

  /// The job as it is run: where the plan takes a smaller global batch, with that and its learning rate.
  const Job& job() const { return inputs_.job; }
  const Graph& graph() const { return inputs_.graph; }
  const JobInputs& inputs() const { return inputs_; }
  Communicator& comm() const { return *comm_; }
  Device& device() const { return *worker_.device; }
  Executor& executor() const { return *executor_; }
  const Plan& plan() const { return executor_->plan(); }
  const ChosenKernels& kernels() const { return kernels_; }
  /// When training has run.
  MemoryTruth memory() const { return memory_truth(plan(), device(), own_bytes_, worker_.sharers); }
  std::string device_line() const;

 private:
  /// Plans and takes the arena. False when a rank could not have it; then the request has a lower limit.
  bool prepare(PlanRequest& request, const KernelSettings& kernels, std::vector<Refusal>& refusals);
  Plan make_plan(const PlanRequest& request, const KernelSettings& kernels, bool first);

  JobInputs inputs_;
  Communicator* comm_;
  Worker worker_;
  bool on_processor_ = true;    ///< the backend follows from the choice of kernels
  std::int64_t own_bytes_ = 0;  ///< of the device, before the arena
  std::unique_ptr<Executor> executor_;
  ChosenKernels kernels_;
  int threads_ = 1;
};

}  // namespace convoy
