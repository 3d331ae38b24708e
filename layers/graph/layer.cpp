#include "layers/graph/layer.h"

#include <functional>
#include <map>

#include "layers/graph/toml_table.h"

namespace convoy {
namespace {

using Reader = std::function<LayerOp(TomlTable&)>;

const std::map<std::string, Reader>& readers() {
  static const std::map<std::string, Reader> table{
      {"average_pool", Pooling::read_average},
      {"batch_norm", BatchNorm::read},
      {"clip", Clip::read},
      {"concat", Concat::read},
      {"convolution", Convolution::read},
      {"crop", Crop::read},
      {"deconvolution", Deconvolution::read},
      {"dropout", Dropout::read},
      {"elu", Nonlinearity::read_elu},
      {"flatten", Flatten::read},
      {"fully_connected", FullyConnected::read},
      {"hinge", Hinge::read},
      {"l2_pool", Pooling::read_l2},
      {"locally_connected", LocallyConnected::read},
      {"lrn", Lrn::read},
      {"max_pool", Pooling::read_max},
      {"maximum", Elementwise::read_maximum},
      {"pad_channels", PadChannels::read},
      {"prelu", Prelu::read},
      {"product", Elementwise::read_product},
      {"relu", Nonlinearity::read_relu},
      {"scale", Scale::read},
      {"sigmoid", Nonlinearity::read_sigmoid},
      {"sigmoid_cross_entropy", SigmoidCrossEntropy::read},
      {"slice", ChannelSlice::read},
      {"softmax", Softmax::read},
      {"softmax_loss", SoftmaxLoss::read},
      {"squared_error", SquaredError::read},
      {"sum", Elementwise::read_sum},
      {"tanh", Nonlinearity::read_tanh},
      {"upsample", Upsample::read},
  };
  return table;
}

}  // namespace

std::int64_t Layer::parameter_elements() const {
  std::int64_t count = 0;
  for (const ParameterSpec& parameter : parameters) count += parameter.elements();
  return count;
}

std::string_view type_of(const LayerOp& op) {
  return std::visit([](const auto& layer) { return layer.type(); }, op);
}

void settle(LayerOp& op, std::span<const Shape> inputs) {
  std::visit([&](auto& layer) { layer.settle(inputs); }, op);
}

Shape output_shape(const LayerOp& op, std::span<const Shape> inputs) {
  return std::visit([&](const auto& layer) { return layer.output(inputs); }, op);
}

std::vector<ParameterSpec> parameters_of(const LayerOp& op, std::span<const Shape> inputs) {
  return std::visit([&](const auto& layer) { return layer.parameters(inputs); }, op);
}

std::vector<StateSpec> states_of(const LayerOp& op, std::span<const Shape> inputs) {
  return std::visit([&](const auto& layer) { return layer.states(inputs); }, op);
}

std::int64_t macs_of(const LayerOp& op, std::span<const Shape> inputs) {
  return std::visit([&](const auto& layer) { return layer.macs(inputs); }, op);
}

BackwardNeeds needs_of(const LayerOp& op) {
  return std::visit([](const auto& layer) { return layer.needs(); }, op);
}

Window window_y_of(const LayerOp& op) {
  return std::visit([](const auto& layer) { return layer.window_y(); }, op);
}

Window window_x_of(const LayerOp& op) {
  return std::visit([](const auto& layer) { return layer.window_x(); }, op);
}

std::pair<std::size_t, std::size_t> input_count_of(const LayerOp& op) {
  return std::visit(
      [](const auto& layer) {
        return std::pair{layer.least_inputs(), layer.most_inputs()};
      },
      op);
}

const Loss* loss_of(const LayerOp& op) {
  return std::visit([](const auto& layer) { return layer.loss(); }, op);
}

bool is_loss(const LayerOp& op) { return loss_of(op) != nullptr; }

bool only_training(const LayerOp& op) {
  return std::visit([](const auto& layer) { return layer.only_training(); }, op);
}

const std::vector<std::string>& layer_type_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, reader] : readers()) all.push_back(name);
    return all;
  }();
  return names;
}

LayerOp read_layer_op(const std::string& type, TomlTable& table) { return readers().at(type)(table); }

void write_layer_op(const LayerOp& op, TomlRow& row) {
  std::visit([&](const auto& layer) { layer.write(row); }, op);
}

}  // namespace convoy
