#pragma once

#include <string>
#include <variant>
#include <vector>

#include "layers/core/error.h"
#include "layers/graph/batch_norm.h"
#include "layers/graph/channel_slice.h"
#include "layers/graph/clip.h"
#include "layers/graph/concat.h"
#include "layers/graph/convolution.h"
#include "layers/graph/crop.h"
#include "layers/graph/deconvolution.h"
#include "layers/graph/dropout.h"
#include "layers/graph/elementwise.h"
#include "layers/graph/flatten.h"
#include "layers/graph/fully_connected.h"
#include "layers/graph/hinge.h"
#include "layers/graph/locally_connected.h"
#include "layers/graph/lrn.h"
#include "layers/graph/nonlinearity.h"
#include "layers/graph/pad_channels.h"
#include "layers/graph/pooling.h"
#include "layers/graph/prelu.h"
#include "layers/graph/scale.h"
#include "layers/graph/sigmoid_cross_entropy.h"
#include "layers/graph/softmax.h"
#include "layers/graph/softmax_loss.h"
#include "layers/graph/squared_error.h"
#include "layers/graph/upsample.h"

namespace convoy {

/// The one list of layer types. A backend that misses one does not compile.
using LayerOp =
    std::variant<Convolution, Deconvolution, LocallyConnected, FullyConnected, Pooling, Crop, Upsample,
                 Nonlinearity, Prelu, Clip, Lrn, BatchNorm, Scale, Dropout, Elementwise, Concat, ChannelSlice,
                 Flatten, PadChannels, Softmax, SoftmaxLoss, SquaredError, Hinge, SigmoidCrossEntropy>;

/// One layer of a Graph: what it computes, from which activations, into which.
struct Layer {
  std::string name;
  LayerOp op;
  std::vector<int> inputs;  ///< indices into Graph::activations
  int output = -1;
  SourceMark mark;
  std::vector<ParameterSpec> parameters;
  std::vector<StateSpec> states;

  std::int64_t parameter_elements() const;  ///< trained values
};

std::string_view type_of(const LayerOp& op);
/// Finds what depends on the size of the inputs; a Graph does it once.
void settle(LayerOp& op, std::span<const Shape> inputs);
Shape output_shape(const LayerOp& op, std::span<const Shape> inputs);
std::vector<ParameterSpec> parameters_of(const LayerOp& op, std::span<const Shape> inputs);
std::vector<StateSpec> states_of(const LayerOp& op, std::span<const Shape> inputs);
std::int64_t macs_of(const LayerOp& op, std::span<const Shape> inputs);
BackwardNeeds needs_of(const LayerOp& op);
Window window_y_of(const LayerOp& op);
Window window_x_of(const LayerOp& op);
std::pair<std::size_t, std::size_t> input_count_of(const LayerOp& op);  ///< least and most
const Loss* loss_of(const LayerOp& op);  ///< null for layers that are no losses
bool is_loss(const LayerOp& op);
bool only_training(const LayerOp& op);

/// The words that `type` may be in a network file.
const std::vector<std::string>& layer_type_names();

/// Reads the layer of type `type`, one of layer_type_names(), from its table.
LayerOp read_layer_op(const std::string& type, TomlTable& table);

/// Writes the keys of a layer by which read_layer_op gives an equal one.
void write_layer_op(const LayerOp& op, TomlRow& row);

}  // namespace convoy
