#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "layers/core/second_label.h"
#include "layers/graph/backend.h"
#include "layers/graph/graph.h"
#include "tests/layers/cpu/bench_device.h"
#include "tests/layers/cpu/guarded_buffer.h"

namespace convoy {

/// The text of a network of one layer.
std::string network_of(const std::string& row, Shape input);

/// How a LayerBench sets its layer up.
struct BenchSettings {
  bool training = true;
  bool in_place = false;       ///< where a pass allows it, writes[0] lies in the memory of reads[0]
  bool input_gradient = true;  ///< backward gives the gradients of the inputs
  bool blocked_input =
      false;  ///< inputs come in the layout that a convolution of their shape gives, not the plain one
  bool relu_follows = false;       ///< the layer is asked to apply a ReLU that follows it
  DType type = DType::f32;         ///< of activations and weights; the values seen from outside are fp32
  bool shared_statistics = false;  ///< batch norm as on several ranks, of which this is the only one
  std::int64_t workspace_bytes = kAnyWorkspace;  ///< most scratch for a choice of algorithms
  std::vector<PassKind> lean{};                  ///< passes with as little as they can do with
  bool second_labels = false;                    ///< of a loss: samples are mixed
  double loss_scale = 0;                         ///< of a loss: multiplies its gradient; 0: it has none
  std::string way{};                             ///< chosen for the layer's kernels; empty: the usual one
};

/// One layer alone: forward and backward by the Backend of make_bench_device, its values seen from outside as
/// plain N×C×H×W. Every operand of every pass has memory of its own, poisoned before each run and fenced, so
/// that a pass which reads or writes more than it declares is found.
class LayerBench {
 public:
  /// `row` is a row of a network file; a layer with several inputs names "input" several times in `from`.
  LayerBench(const std::string& row, Shape input, std::int64_t batch, const BenchSettings& settings = {})
      : LayerBench(network_of(row, input), batch, settings) {}
  /// The last layer of a network; those before it only give the shapes of its inputs.
  LayerBench(const std::string& network, std::int64_t batch, const BenchSettings& settings = {});

  // What goes in; zeros until the test sets it.
  std::vector<std::vector<float>> inputs;      ///< by input, batch × its C × H × W
  std::vector<std::vector<float>> parameters;  ///< canonical
  std::vector<std::vector<float>> states;
  std::vector<float> output_gradient;
  std::vector<std::int32_t> labels;
  std::vector<SecondLabel> second_labels;  ///< where BenchSettings has them
  UpdateState update_state;                ///< of which losses may read the loss scale
  StepContext context;

  // What comes out.
  std::vector<float> output;
  std::vector<std::vector<float>> input_gradients;
  std::vector<std::vector<float>> parameter_gradients;
  std::vector<std::vector<float>> statistics;
  Metrics metrics;

  void forward();
  void backward();
  /// Running statistics follow those of the batch.
  void follow(std::size_t state);

  const Graph& graph() const { return graph_; }
  const Layer& layer() const { return graph_.layers().back(); }
  const Site& site() const { return site_; }
  const LoweredLayer& lowered() const { return *lowered_; }
  Backend& backend() { return *device_.backend; }
  Shape output_shape() const { return site_.output; }
  bool is_loss() const;
  bool fences_stand() const;
  /// "forward: jit:avx512_core; backward_data: ..."
  std::string implementations() const;

 private:
  /// An operand's memory, and the kernel that fills it from (or empties it to) the plain values.
  struct Port {
    Operand operand;
    std::shared_ptr<GuardedBuffer> memory;
    std::shared_ptr<GuardedBuffer> plain;  ///< activations that pass between layouts
    std::unique_ptr<Kernel> change;        ///< plain → memory for reads, memory → plain for writes
    std::shared_ptr<GuardedBuffer> scratch;
  };
  struct Pass {
    PassKind kind = PassKind::forward;
    std::vector<Port> reads, writes;
    std::shared_ptr<GuardedBuffer> scratch;
    std::unique_ptr<Kernel> kernel;
  };

  std::shared_ptr<GuardedBuffer> buffer(std::int64_t bytes) const;
  /// Between N × C × H × W and how plain activations lie.
  std::vector<float> lying(const Operand& operand, const std::vector<float>& values, bool to_canonical) const;
  Layout incoming_layout(Shape shape, const BenchSettings& settings);
  Port make_port(const Operand& operand, bool read);
  Pass make_pass(std::size_t index, const BenchSettings& settings);
  std::vector<float>& values(const Operand& operand);
  Shape shape_of(const Operand& operand) const;
  void fill(Port& port);
  void empty(Port& port);
  void run(Pass& pass);

  BenchDevice device_;
  Graph graph_;
  Site site_;
  std::shared_ptr<const LoweredLayer> lowered_;
  std::shared_ptr<GuardedBuffer> saved_;
  std::map<int, std::shared_ptr<GuardedBuffer>> shared_;  ///< by index of the operand
  std::vector<Pass> passes_;
};

/// The name of a pass for messages.
std::string name_of(PassKind kind);

}  // namespace convoy
