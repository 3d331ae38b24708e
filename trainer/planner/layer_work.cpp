#include "trainer/planner/layer_work.h"

#include <algorithm>

#include "layers/core/index.h"
#include "trainer/planner/recompute_sets.h"

namespace convoy {
namespace {

double elements(const Shape& shape) { return static_cast<double>(shape.elements()); }

/// Whether Winograd's algorithm serves: 3×3, stride 1, enough channels to fill blocks.
bool has_window(const LayerOp& op, const Shape& input) {
  const auto* c = std::get_if<Convolution>(&op);
  return c != nullptr && c->kernel_y == 3 && c->kernel_x == 3 && c->stride_y == 1 && c->stride_x == 1 &&
         c->dilation_y == 1 && c->dilation_x == 1 && c->groups == 1 && input.channels >= 32 &&
         c->outputs >= 32;
}

class Works {
 public:
  explicit Works(const Graph& graph) : graph_(graph) {
    wants_gradient_.assign(graph.activations().size(), false);
    for (const Layer& layer : graph.layers()) {
      wants_gradient_[index(layer.output)] =
          !layer.parameters.empty() || std::any_of(layer.inputs.begin(), layer.inputs.end(),
                                                   [&](int input) { return wants_gradient_[index(input)]; });
    }
  }

  LayerWork of(int number) const {
    const Layer& layer = graph_.layers()[index(number)];
    LayerWork work;
    work.forward = forward(layer);
    if (takes_relu_of(layer)) {
      work.forward = {};
      if (std::holds_alternative<BatchNorm>(giver(layer).op)) return work;
    }
    if (is_costly(layer.op)) {
      work.backward_weights = work.forward;
      work.backward_weights.kernels = layer.parameters.size() > 1 ? 2 : 1;
      if (wants_gradient_[index(layer.inputs[0])]) work.backward_data = work.forward;
    } else {
      work.backward_data = backward(layer);
    }
    add_sums(layer, work.backward_data);
    return work;
  }

 private:
  const Layer& giver(const Layer& layer) const {
    return graph_.layers()[index(graph_.activations()[index(layer.inputs[0])].producer)];
  }

  /// A ReLU whose forward pass the layer before it does.
  bool takes_relu_of(const Layer& layer) const {
    const auto* function = std::get_if<Nonlinearity>(&layer.op);
    if (function == nullptr || function->kind != Nonlinearity::Kind::relu || function->alpha != 0)
      return false;
    const Activation& input = graph_.activations()[index(layer.inputs[0])];
    if (input.producer < 0 || input.consumers.size() != 1) return false;
    const LayerOp& before = giver(layer).op;
    return std::holds_alternative<Convolution>(before) || std::holds_alternative<FullyConnected>(before) ||
           std::holds_alternative<BatchNorm>(before);
  }

  double inputs(const Layer& layer) const {
    double values = 0;
    for (const Shape& shape : graph_.input_shapes(layer)) values += elements(shape);
    return values;
  }
  double output(const Layer& layer) const { return elements(graph_.output_shape(layer)); }

  PassWork forward(const Layer& layer) const {
    const std::vector<Shape> shapes = graph_.input_shapes(layer);
    PassWork pass;
    pass.kernels = 1;
    pass.flops = 2 * static_cast<double>(macs_of(layer.op, shapes));
    pass.window = has_window(layer.op, shapes[0]);
    pass.parameters = static_cast<double>(layer.parameter_elements());
    pass.values = inputs(layer) + output(layer);
    if (std::holds_alternative<ChannelSlice>(layer.op) || std::holds_alternative<Crop>(layer.op))
      pass.values = 2 * output(layer);
    if (std::holds_alternative<BatchNorm>(layer.op)) {  // the statistics first
      pass.values += inputs(layer);
      pass.kernels = 2;
    }
    return pass;
  }

  /// Of layers without weights, and those whose parameters are few.
  PassWork backward(const Layer& layer) const {
    double given = 0;
    for (const int input : layer.inputs) {
      if (wants_gradient_[index(input)]) given += elements(graph_.activations()[index(input)].shape);
    }
    PassWork pass;
    if (given == 0 && layer.parameters.empty()) return pass;
    const auto* sum = std::get_if<Elementwise>(&layer.op);
    if (sum != nullptr && sum->kind == Elementwise::Kind::sum) return pass;
    const BackwardNeeds needs = needs_of(layer.op);
    pass.kernels = layer.parameters.empty() ? 1 : 2;
    pass.values =
        output(layer) + given + (needs.inputs ? inputs(layer) : 0) + (needs.output ? output(layer) : 0);
    // Sums of gradients over the batch first.
    if (!layer.parameters.empty()) pass.values += output(layer) + inputs(layer);
    return pass;
  }

  /// Gradients of the output come from all that take it.
  void add_sums(const Layer& layer, PassWork& pass) const {
    const auto takers = static_cast<int>(graph_.activations()[index(layer.output)].consumers.size());
    if (takers < 2 || !wants_gradient_[index(layer.output)]) return;
    pass.values += 3 * (takers - 1) * output(layer);
    pass.kernels += takers - 1;
  }

  const Graph& graph_;
  std::vector<bool> wants_gradient_;  ///< by activation
};

}  // namespace

double PassWork::seconds(double samples, DType type, const DeviceSpeed& speed) const {
  if (kernels == 0) return 0;
  const double bytes = static_cast<double>(size_of(type)) * (values * samples + parameters);
  return std::max(flops * samples / speed.flops_of(type, window), bytes / speed.rate_of(bytes)) +
         speed.launch_seconds * kernels;
}

std::vector<LayerWork> layer_works(const Graph& graph) {
  const Works works(graph);
  std::vector<LayerWork> all;
  for (int i = 0; i < static_cast<int>(graph.layers().size()); ++i) all.push_back(works.of(i));
  return all;
}

}  // namespace convoy
