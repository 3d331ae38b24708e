#pragma once

#include <memory>
#include <string>
#include <vector>

#include "trainer/executor.h"
#include "trainer/kernels/kernel_plan.h"
#include "trainer/worker.h"

namespace convoy {

/// Training of a network on made-up images on this machine's processor or its first GPU, one rank, for
/// measuring.
class TimedTraining {
 public:
  struct Settings {
    std::int64_t batch = 64;
    DType precision = DType::f32;
    bool tf32 = false;  ///< fp32 from operands rounded to TF32
    int threads = 1;
    std::string device = "cpu";  ///< or cuda
    KernelSettings kernels = {};
  };

  /// Error(usage) when the network has no loss, Error(does_not_fit) when memory does not hold it.
  TimedTraining(Graph graph, const Settings& settings);

  /// One iteration: forward, backward, update; put into the device's queue.
  void step();
  Executor& executor() { return *executor_; }
  /// Whether the device works beside the host.
  bool works_beside() const { return !worker_.device->host_addressable(); }
  std::string library() const { return library_; }
  std::string device_name() const { return worker_.device->info().name; }

  const Graph& graph() const { return graph_; }
  const Executor& executor() const { return *executor_; }
  const Settings& settings() const { return settings_; }
  const ChosenKernels& kernels() const { return kernels_; }

 private:
  Graph graph_;
  Settings settings_;
  std::unique_ptr<Communicator> comm_;
  Worker worker_;
  std::string library_;  ///< of kernels, and its version
  std::unique_ptr<Executor> executor_;
  ChosenKernels kernels_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::int32_t> labels_;
  StepContext context_;
};

/// One direction of one layer, in one iteration.
struct PassTime {
  double seconds = 0;
  double macs = 0;
  double bytes = 0;  ///< of all that its steps read and write
  double gflops() const { return seconds > 0 ? 2e-9 * macs / seconds : 0; }
  double gigabytes() const { return seconds > 0 ? 1e-9 * bytes / seconds : 0; }
};

struct LayerTime {
  int layer = 0;
  PassTime forward;
  PassTime backward;
  double layout_seconds = 0;  ///< changes of layout and sums of gradients at this layer
  std::string kernels;        ///< the kernel library's names, forward first
};

struct TrainingTime {
  std::vector<LayerTime> layers;
  double update_seconds = 0;
  double input_seconds = 0;  ///< pixels to numbers
  double step_seconds = 0;   ///< of a whole iteration, the median
};

/// Runs `warm_up` iterations, then `steps`, and gives the time of one.
TrainingTime time_training(TimedTraining& training, int warm_up, int steps);

}  // namespace convoy
