#include "layers/graph/fully_convolutional.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "layers/core/index.h"
#include "layers/graph/refuse.h"

namespace convoy {
namespace {

/// Whether each value of the output depends on the values at its own place alone, and on nothing of the
/// place.
bool takes_values_alone(const LayerOp& op) {
  const auto* prelu = std::get_if<Prelu>(&op);
  return std::holds_alternative<Nonlinearity>(op) || std::holds_alternative<Clip>(op) ||
         std::holds_alternative<Dropout>(op) || std::holds_alternative<Elementwise>(op) ||
         (prelu != nullptr && prelu->shared);
}

Convolution convolution_of(const FullyConnected& from, Shape image) {
  Convolution op;
  op.outputs = from.outputs;
  op.kernel_y = image.height;
  op.kernel_x = image.width;
  op.bias = from.bias;
  op.weight_init = from.weight_init;
  op.bias_init = from.bias_init;
  return op;
}

Pooling pool_over_windows(Pooling op, Shape image) {
  op.global = false;
  op.kernel_y = image.height;
  op.kernel_x = image.width;
  return op;
}

/// Whether windows hang over the end of the input.
bool hangs_over(const Pooling& op, Shape in, Shape out) {
  if (op.global) return false;
  return (out.height - 1) * op.stride_y + op.kernel_y > in.height ||
         (out.width - 1) * op.stride_x + op.kernel_x > in.width;
}

bool has_edges(const Graph& graph, const Layer& layer) {
  if (std::holds_alternative<Deconvolution>(layer.op) || std::holds_alternative<Upsample>(layer.op))
    return true;
  if (const auto* op = std::get_if<Convolution>(&layer.op))
    return op->padding_top > 0 || op->padding_left > 0 || op->padding_bottom > 0 || op->padding_right > 0;
  if (const auto* op = std::get_if<Pooling>(&layer.op)) {
    return op->padding_y > 0 || op->padding_x > 0 ||
           hangs_over(*op, graph.input_shapes(layer)[0], graph.output_shape(layer));
  }
  const auto* op = std::get_if<Lrn>(&layer.op);
  return op != nullptr && op->region == Lrn::Region::within && op->size > 1;
}

class Converter {
 public:
  explicit Converter(const Graph& graph) : graph_(graph) {
    names_.resize(graph.activations().size());
    images_.resize(graph.activations().size());
    names_[0] = "input";
    images_[0] = graph.input();
    for (const Layer& layer : graph.layers()) convert(layer);
  }

  std::vector<Graph::Entry> entries;
  std::vector<std::string> converted;

 private:
  void convert(const Layer& layer) {
    const int input = layer.inputs[0];
    images_[index(layer.output)] = image_of_output(layer);
    names_[index(layer.output)] = layer.name;
    if (std::holds_alternative<Flatten>(layer.op)) {
      names_[index(layer.output)] = names_[index(input)];
      return;
    }
    Graph::Entry entry{layer.name, form_of(layer), {}, layer.mark};
    for (const int i : layer.inputs) entry.from.push_back(names_[index(i)]);
    entries.push_back(std::move(entry));
  }

  LayerOp form_of(const Layer& layer) {
    const Shape image = images_[index(layer.inputs[0])];
    if (const auto* op = std::get_if<FullyConnected>(&layer.op)) {
      converted.push_back(layer.name);
      return convolution_of(*op, image);
    }
    if (const auto* op = std::get_if<Pooling>(&layer.op); op != nullptr && op->global) {
      converted.push_back(layer.name);
      return pool_over_windows(*op, image);
    }
    LayerOp op = layer.op;
    std::visit(
        [&](auto& of_type) {
          using Type = std::decay_t<decltype(of_type)>;
          if constexpr (std::is_base_of_v<Loss, Type>) of_type.map = true;
          // Of another size "same" could put the odd pixel elsewhere, and the windows with it.
          if constexpr (std::is_same_v<Type, Convolution>) of_type.same = false;
          if constexpr (std::is_same_v<Type, LocallyConnected>)
            refuse(layer, "has weights of its own for each position, so the network takes no larger images");
          if constexpr (std::is_same_v<Type, Crop> || std::is_same_v<Type, Upsample>) {
            if (of_type.size)
              refuse(layer, "gives its output a fixed size, so the network takes no larger images");
          }
        },
        op);
    return op;
  }

  /// The image whose values a layer gives: that from before a flatten layer, whose order of values a
  /// convolution's weights share.
  Shape image_of_output(const Layer& layer) const {
    const Shape first = images_[index(layer.inputs[0])];
    if (std::holds_alternative<Flatten>(layer.op)) return first;
    if (std::holds_alternative<FullyConnected>(layer.op)) return graph_.output_shape(layer);
    const auto flattened = [&](int i) { return images_[index(i)] != graph_.activations()[index(i)].shape; };
    if (std::none_of(layer.inputs.begin(), layer.inputs.end(), flattened)) return graph_.output_shape(layer);
    if (!takes_values_alone(layer.op) || std::any_of(layer.inputs.begin(), layer.inputs.end(),
                                                     [&](int i) { return images_[index(i)] != first; })) {
      refuse(layer, fmt::format("takes a flattened image of {}x{}x{} and does not treat each value alike, so "
                                "it has no convolutional form",
                                first.channels, first.height, first.width));
    }
    return first;
  }

  const Graph& graph_;
  std::vector<std::string> names_;  ///< by activation of the original
  std::vector<Shape> images_;       ///< likewise
};

Graph build(const Graph& graph, Shape input, std::vector<Graph::Entry> entries) {
  try {
    return Graph(graph.name(), input, std::move(entries));
  } catch (const Error& problem) {
    fail(problem.code(), "on images of {}x{} the convolutional form does not fit together: {}", input.height,
         input.width, problem.what());
  }
}

}  // namespace

FullyConvolutional fully_convolutional(const Graph& graph, Shape input) {
  const Shape own = graph.input();
  if (input.channels != own.channels || input.height < own.height || input.width < own.width) {
    fail(ExitCode::usage,
         "images of {}x{} (height x width) are smaller than those that the network \"{}\" was made for, "
         "{}x{}; its windows would not fit in",
         input.height, input.width, graph.name(), own.height, own.width);
  }
  Converter converter(graph);
  if (converter.converted.empty()) {
    fail(ExitCode::usage,
         "the network \"{}\" has no fully connected layer and no global pool: it is convolutional already; "
         "to give it larger images, change its \"input\"",
         graph.name());
  }
  FullyConvolutional result{
      build(graph, input, std::move(converter.entries)), std::move(converter.converted), {}};
  for (int i = 0; i < static_cast<int>(graph.layers().size()); ++i) {
    const Layer& layer = graph.layers()[index(i)];
    if (!graph.auxiliary(i) && has_edges(graph, layer)) result.edges.push_back(layer.name);
  }
  return result;
}

}  // namespace convoy
