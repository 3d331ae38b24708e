#include "trainer/program/segment_builder.h"

#include <fmt/format.h>

#include <algorithm>

namespace convoy {
namespace {

bool reads_in_backward(const LayerSpec& spec, Role role) {
  return std::any_of(spec.passes.begin(), spec.passes.end(), [&](const PassSpec& pass) {
    return !goes_forward(pass.kind) && std::any_of(pass.reads.begin(), pass.reads.end(),
                                                   [&](const Operand& o) { return o.role == role; });
  });
}

}  // namespace

const ParameterSlot& SegmentBuilder::slot(int layer, int parameter) const {
  return *std::find_if(program_.parameters.begin(), program_.parameters.end(),
                       [&](const ParameterSlot& s) { return s.layer == layer && s.parameter == parameter; });
}

Ref SegmentBuilder::parameter_ref(int layer, int parameter, const Layout& layout) {
  const ParameterSlot& place = slot(layer, parameter);
  const bool half = place.half.id >= 0 && backend_.master_layout(layout).id != layout.id;
  if (!half && place.offset < program_.divided_values * 4 && program_.divides_weights()) {
    fail(ExitCode::internal, "layer \"{}\": a pass reads master weights, of which a rank has a part",
         graph_.layers()[at(layer)].name);
  }
  const Ref master{program_.weights,
                   program_.divides_weights() ? program_.kept_offset(place.offset) : place.offset};
  if (place.layout.id == layout.id) return master;
  const Ref stored = half ? Ref{program_.half_weights, place.offset / 2} : master;
  if (half && place.half.id == layout.id) return stored;
  std::map<int, int>& copies = parameter_copies_[{layer, parameter}];
  if (const auto copy = copies.find(layout.id); copy != copies.end()) return {copy->second, 0};
  const Layer& owner = graph_.layers()[at(layer)];
  const std::string name = owner.name + "." + owner.parameters[at(parameter)].name;
  const int copy = new_tensor(name + " in another layout", Category::layout_changes, layout);
  Step& step = new_step(StepKind::reorder, "reorder " + name, layer);
  step.reads = {stored};
  step.writes = {{copy, 0}};
  step.from = half ? place.half : place.layout;
  step.to = layout;
  add_scratch(step, backend_.reorder_scratch(step.from, step.to, false));
  copies.emplace(layout.id, copy);
  return {copy, 0};
}

Ref SegmentBuilder::read(int index, const Operand& operand) {
  const Layer& layer = graph_.layers()[at(index)];
  const auto state_ref = [&](int buffer) {
    for (const StateSlot& s : program_.states) {
      if (s.layer == index && s.state == operand.index) return Ref{buffer, s.offset};
    }
    return Ref{};
  };
  switch (operand.role) {
    case Role::input:
      ensure(layer.inputs[at(operand.index)]);
      return {in_layout(values_[at(layer.inputs[at(operand.index)])], operand.layout, index), 0};
    case Role::output:
      ensure(layer.output);
      return {in_layout(values_[at(layer.output)], operand.layout, index), 0};
    case Role::output_gradient:
      return {in_layout(gradients_[at(layer.output)], operand.layout, index), 0};
    case Role::parameter:
      return parameter_ref(index, operand.index, operand.layout);
    case Role::saved:
      ensure(layer.output);
      return {saved_[at(index)], 0};
    case Role::shared:
      return {shared_[at(index)][at(operand.index)], 0};
    case Role::state:
      return state_ref(program_.state);
    case Role::labels:
      return {segment_.labels, 0};
    case Role::second_labels:
      return {segment_.second_labels, 0};
    case Role::update_state:
      return {program_.update_state, 0};
    default:
      fail(ExitCode::internal, "layer \"{}\": a pass reads what it can only write", layer.name);
  }
}

bool SegmentBuilder::may_overwrite_input(int index, const PassSpec& pass) const {
  const Layer& layer = graph_.layers()[at(index)];
  const Value& value = values_[at(layer.inputs[0])];
  if (!pass.in_place || pass.reads[0].layout.bytes != pass.writes[0].layout.bytes) return false;
  if (value.layout.id != pass.reads[0].layout.id || !value.copies.empty()) return false;
  if (!read_once(layer.inputs[0]) || !value.owned) return false;
  if (!training()) return true;
  if (reads_in_backward(lowered_[at(index)]->spec(), Role::input)) return false;
  return !giver_reads_again(layer.inputs[0]);
}

bool SegmentBuilder::giver_reads_again(int activation) const {
  const int giver = graph_.activations()[at(activation)].producer;
  if (giver < 0) return false;
  if (lowered_[at(giver)] != nullptr && reads_in_backward(lowered_[at(giver)]->spec(), Role::output))
    return true;
  return is_identity(giver) && giver_reads_again(graph_.layers()[at(giver)].inputs[0]);
}

bool SegmentBuilder::may_overwrite_gradient(int index, const PassSpec& pass) const {
  const Layer& layer = graph_.layers()[at(index)];
  if (!pass.in_place || pass.reads[0].layout.bytes != pass.writes[0].layout.bytes) return false;
  if (pass.reads[0].role == Role::output) return true;  // the loss: its own output, read by nobody after
  const Value& gradient = gradients_[at(layer.output)];
  return gradient.owned && gradient.layout.id == pass.reads[0].layout.id && gradient.copies.empty();
}

Ref SegmentBuilder::write(int index, const PassSpec& pass, const Operand& operand,
                          const std::vector<Ref>& reads, std::vector<std::pair<int, Value>>& given) {
  const Layer& layer = graph_.layers()[at(index)];
  switch (operand.role) {
    case Role::output: {
      Value& value = values_[at(layer.output)];
      value.layout = operand.layout;
      value.tensor = may_overwrite_input(index, pass)
                         ? reads[0].tensor
                         : new_tensor(layer.name, Category::activations, operand.layout);
      return {value.tensor, 0};
    }
    case Role::saved:
      saved_[at(index)] = new_tensor("saved by " + layer.name, Category::saved, operand.layout);
      return {saved_[at(index)], 0};
    case Role::shared:
      return {shared_[at(index)][at(operand.index)] =
                  new_tensor((operand.index == 0 ? "sums of " : "gradient sums of ") + layer.name,
                             Category::saved, operand.layout),
              0};
    case Role::statistic:
      for (const StateSlot& s : program_.states) {
        if (s.layer == index && s.state == operand.index) return {program_.statistics, s.offset};
      }
      break;
    case Role::metrics:
      return {program_.metrics, 0};
    case Role::parameter_gradient:
      return write_parameter_gradient(index, pass, operand);
    case Role::input_gradient: {
      const int activation = layer.inputs[at(operand.index)];
      Value value{reads[0].tensor, operand.layout, true, false, {}};
      if (pass.pass_through) {
        value.owned = gradients_[at(layer.output)].owned && pass.writes.size() == 1;
      } else if (!(&operand == &pass.writes[0] && may_overwrite_gradient(index, pass))) {
        value.tensor = new_tensor("gradient of " + graph_.activations()[at(activation)].name,
                                  Category::activation_gradients, operand.layout);
      }
      given.emplace_back(activation, value);
      return {value.tensor, 0};
    }
    default:
      break;
  }
  fail(ExitCode::internal, "layer \"{}\": a pass writes what it can only read", layer.name);
}

Ref SegmentBuilder::write_parameter_gradient(int index, const PassSpec& pass, const Operand& operand) {
  const ParameterSlot& place = slot(index, operand.index);
  if ((!program_.choices.accumulate || pass.adds_gradients) && place.gradient.id == operand.layout.id)
    return gradient_ref(place);
  const Layer& layer = graph_.layers()[at(index)];
  const std::string name = "gradient of " + layer.name + "." + layer.parameters[at(operand.index)].name;
  const int tensor = new_tensor(name, Category::parameter_gradients, operand.layout);
  waiting_.push_back({tensor, index, operand.index});
  return {tensor, 0};
}

}  // namespace convoy
