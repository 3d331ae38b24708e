#pragma once

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "trainer/program/program.h"

namespace convoy {

/// Writes one segment of micro-batches (training or evaluation) into a Program whose flat buffers stand
/// already.
class SegmentBuilder {
 public:
  /// Lowers the layers, unless `lowerings` has them so already. Needs nothing of the Program but its choices.
  SegmentBuilder(const Graph& graph, Backend& backend, Program& program, Lowerings& lowerings,
                 SegmentKind kind, std::int64_t samples);

  const std::vector<std::shared_ptr<const LoweredLayer>>& lowered() const { return lowered_; }

  void build();

 private:
  /// Where an activation's value or gradient lies: one tensor, and copies of it in other layouts.
  struct Value {
    int tensor = -1;
    Layout layout;
    bool owned = true;          ///< no other activation or gradient lies in the same tensor
    bool dropped = false;       ///< not kept for backward, which makes it again when it needs it
    std::map<int, int> copies;  ///< layout id → tensor
  };

  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  bool training() const { return segment_.kind == SegmentKind::train; }
  /// Auxiliary layers exist only in training.
  bool has(int layer) const { return training() || !graph_.auxiliary(layer); }
  /// Whether one layer of this segment takes an activation, once.
  bool read_once(int activation) const;

  /// Sites go to `sites`. What `lowerings` have of the layers under other caps of scratch is taken from there
  /// where it is the same under ours.
  void lower(std::vector<LoweredSite>& sites, const Lowerings& lowerings);
  Site site_of(int layer) const;
  /// Whether the layer is a ReLU that alone takes what the layer before it gives.
  bool follows_alone(int layer) const;
  ReluShare relu_share_of(int activation) const;
  /// Whether the layer's output is its input, in the same memory: nothing is left for its forward pass.
  bool is_identity(int layer) const { return lowered_[at(layer)] == nullptr || absorbed_[at(layer)]; }
  /// Whether a layer that gave the activation's memory its values reads them again in backward.
  bool giver_reads_again(int activation) const;

  int new_tensor(std::string name, Category category, const Layout& layout);
  Step& new_step(StepKind kind, std::string name, int layer);
  void add_scratch(Step& step, std::int64_t bytes);
  /// The tensor of `value` in `layout`, by a reorder when there is no copy yet.
  int in_layout(Value& value, const Layout& layout, int layer);
  Ref parameter_ref(int layer, int parameter, const Layout& layout);

  void input();
  void forward(int layer);
  /// The output of a layer without work of its own is its input.
  void share_value(int layer);
  void backward(int layer);
  /// Whether of a layer's two ways to give the gradients of its parameters, `adding` is the one that adds
  /// them where micro-batches add up, and can do so in the layout in which they are stored.
  bool takes_adding(int layer, const PassSpec& adding) const;
  void run_pass(int layer, std::size_t pass, bool again = false);
  void run_passes(int layer, PassKind kind, bool again = false);
  /// Adds a tensor of sums up over the ranks.
  void share(int layer, int tensor);

  /// After the forward passes: forgets what Choices::recompute names, where no other value lies in its
  /// memory.
  void drop_recomputed();
  /// In backward: makes a dropped activation again, and first what it is made from.
  void ensure(int activation);
  Ref read(int layer, const Operand& operand);
  Ref write(int layer, const PassSpec& pass, const Operand& operand, const std::vector<Ref>& reads,
            std::vector<std::pair<int, Value>>& given);
  Ref write_parameter_gradient(int layer, const PassSpec& pass, const Operand& operand);
  /// Where the gradient of a parameter belongs.
  Ref gradient_ref(const ParameterSlot& place);
  bool may_overwrite_input(int layer, const PassSpec& pass) const;
  bool may_overwrite_gradient(int layer, const PassSpec& pass) const;
  void give_gradient(int layer, int activation, Value value);
  void add_gradient(int layer, int from, const Layout& from_layout, int to, const Layout& to_layout);
  void after_pass(int layer);
  const ParameterSlot& slot(int layer, int parameter) const;

  const Graph& graph_;
  Backend& backend_;
  Program& program_;
  Segment segment_;
  std::vector<bool> wants_gradient_;  ///< by activation: it depends on a parameter
  std::vector<std::shared_ptr<const LoweredLayer>> lowered_;
  std::vector<bool> absorbed_;  ///< by layer: the layer before it does its forward pass
  std::vector<Value> values_;
  std::vector<Value> gradients_;
  std::vector<int> saved_;                  ///< by layer
  std::vector<std::array<int, 2>> shared_;  ///< by layer: sums of forward and of backward
  std::map<std::pair<int, int>, std::map<int, int>>
      parameter_copies_;  ///< (layer, parameter) → layout → tensor
  /// Gradients of the present pass that wait to be added to the flat ones: (temporary, layer, parameter).
  struct Waiting {
    int tensor;
    int layer;
    int parameter;
  };
  std::vector<Waiting> waiting_;
  std::size_t next_bucket_ = 0;
  std::vector<int>
      bucket_gradients_;  ///< with Choices::update_in_backward: tensors, -1 before the first write
};

}  // namespace convoy
