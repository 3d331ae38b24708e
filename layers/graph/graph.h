#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "layers/core/shape.h"
#include "layers/graph/layer.h"

namespace convoy {

/// A named value that flows between layers, with its shape per sample. Activation 0 is the network's input.
struct Activation {
  std::string name;  ///< name of the layer that gives it, or "input"
  Shape shape;
  int producer = -1;           ///< layer, or -1 for the input
  std::vector<int> consumers;  ///< layers
};

/// Layers joined by activations. It knows no device and no batch size. Layers stand in an order in which each
/// comes after those that it takes from.
class Graph {
 public:
  /// What is needed to add one layer.
  struct Entry {
    std::string name;
    LayerOp op;
    std::vector<std::string> from;  ///< names of layers, or "input"
    SourceMark mark;
  };

  /// Sorts the entries, infers the shapes and checks them. Errors are Error(usage) with the mark and name of
  /// the layer: a name used twice, an input that no layer gives, a cycle, a shape that cannot be, no main
  /// loss among the losses or two, a layer that takes from a loss, a layer beside the losses whose output
  /// nobody takes.
  Graph(std::string name, Shape input, std::vector<Entry> entries);

  const std::string& name() const { return name_; }
  const std::vector<Layer>& layers() const { return layers_; }
  const std::vector<Activation>& activations() const { return activations_; }
  Shape input() const { return activations_[0].shape; }
  std::vector<Shape> input_shapes(const Layer& layer) const;
  Shape output_shape(const Layer& layer) const {
    return activations_[static_cast<std::size_t>(layer.output)].shape;
  }

  /// The index of the main loss, -1 for a network without losses, and the number of classes it tells apart.
  int loss_layer() const { return loss_; }
  std::int64_t classes() const;

  /// Whether a layer leads only to auxiliary losses, so that it exists only in training.
  bool auxiliary(int layer) const { return auxiliary_[static_cast<std::size_t>(layer)]; }

  // Without auxiliary layers:
  std::int64_t parameters() const;           ///< trained values
  std::int64_t macs() const;                 ///< multiply-accumulates of one sample's forward pass
  std::int64_t activation_elements() const;  ///< values of all activations of one sample, input included

  std::int64_t parameters_training() const;  ///< trained values, with those of auxiliary layers

 private:
  void add(Entry entry);
  void find_main_loss();
  void find_auxiliary();
  void check_losses() const;

  std::string name_;
  std::vector<Layer> layers_;
  std::vector<Activation> activations_;
  std::vector<bool> auxiliary_;  ///< by layer
  int loss_ = -1;
};

/// Reads a network file. Errors are Error(usage) with file, line, column and key.
Graph read_network(const std::string& path);
Graph parse_network(std::string_view text, const std::string& file_name);

/// The network as a file, blocks written out: one layer a line, each with its name. Reading it gives a graph
/// of the same layers.
std::string network_to_toml(const Graph& graph);

}  // namespace convoy
