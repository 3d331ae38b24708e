#include "trainer/program/segment_builder.h"

#include <fmt/format.h>

#include <algorithm>

namespace convoy {
namespace {

std::string word_of(PassKind kind) {
  switch (kind) {
    case PassKind::forward:
      return "forward";
    case PassKind::statistics:
      return "statistics";
    case PassKind::backward_data:
      return "backward_data";
    case PassKind::backward_weights:
      return "backward_weights";
    case PassKind::backward:
      return "backward";
  }
  return "?";
}

bool reads_in_backward(const LayerSpec& spec, Role role) {
  return std::any_of(spec.passes.begin(), spec.passes.end(), [&](const PassSpec& pass) {
    return pass.kind != PassKind::forward && std::any_of(pass.reads.begin(), pass.reads.end(),
                                                         [&](const Operand& o) { return o.role == role; });
  });
}

}  // namespace

SegmentBuilder::SegmentBuilder(const Graph& graph, Backend& backend, Program& program, SegmentKind kind,
                               std::int64_t samples)
    : graph_(graph), backend_(backend), program_(program) {
  segment_.kind = kind;
  segment_.samples = samples;
  wants_gradient_.assign(graph.activations().size(), false);
  for (const Layer& layer : graph.layers()) {
    wants_gradient_[at(layer.output)] =
        !layer.parameters.empty() || std::any_of(layer.inputs.begin(), layer.inputs.end(),
                                                 [&](int input) { return wants_gradient_[at(input)]; });
  }
}

Site SegmentBuilder::site_of(int index) const {
  const Layer& layer = graph_.layers()[at(index)];
  Site site{
      &layer, index, graph_.input_shapes(layer), graph_.output_shape(layer), segment_.samples, training(),
      {},     false, program_.choices.precision};
  for (const int input : layer.inputs)
    site.input_gradient.push_back(training() && wants_gradient_[at(input)]);
  const std::vector<int>& consumers = graph_.activations()[at(layer.output)].consumers;
  site.relu_follows = consumers.size() == 1 && follows_alone(consumers[0]);
  for (int before = 0; before < index; ++before) {
    if (has(before) && is_loss(graph_.layers()[at(before)].op)) site.starts_metrics = false;
  }
  return site;
}

bool SegmentBuilder::read_once(int activation) const {
  const std::vector<int>& consumers = graph_.activations()[at(activation)].consumers;
  return std::count_if(consumers.begin(), consumers.end(), [&](int layer) { return has(layer); }) == 1;
}

bool SegmentBuilder::follows_alone(int index) const {
  const Layer& layer = graph_.layers()[at(index)];
  const auto* function = std::get_if<Nonlinearity>(&layer.op);
  const Activation& input = graph_.activations()[at(layer.inputs[0])];
  return function != nullptr && function->kind == Nonlinearity::Kind::relu && function->alpha == 0 &&
         input.producer >= 0 && input.consumers.size() == 1;
}

ReluShare SegmentBuilder::relu_share_of(int activation) const {
  const int giver = graph_.activations()[at(activation)].producer;
  return lowered_[at(giver)] == nullptr ? ReluShare::nothing : lowered_[at(giver)]->spec().relu;
}

void SegmentBuilder::lower() {
  std::vector<Layout> layouts(graph_.activations().size());
  absorbed_.assign(graph_.layers().size(), false);
  layouts[0] = backend_.input_layout(graph_.input(), segment_.samples, program_.choices.precision);
  for (int i = 0; i < static_cast<int>(graph_.layers().size()); ++i) {
    const Layer& layer = graph_.layers()[at(i)];
    if (!has(i)) {
      lowered_.push_back(nullptr);
      continue;
    }
    if (!training() && only_training(layer.op)) {
      lowered_.push_back(nullptr);
      layouts[at(layer.output)] = layouts[at(layer.inputs[0])];
      continue;
    }
    if (const ReluShare share = follows_alone(i) ? relu_share_of(layer.inputs[0]) : ReluShare::nothing;
        share != ReluShare::nothing) {
      absorbed_[at(i)] = true;
      if (share == ReluShare::all || !training()) {
        lowered_.push_back(nullptr);
        layouts[at(layer.output)] = layouts[at(layer.inputs[0])];
        continue;
      }
    }
    std::vector<Layout> inputs;
    for (const int input : layer.inputs) inputs.push_back(layouts[at(input)]);
    lowered_.push_back(backend_.lower(site_of(i), inputs));
    layouts[at(layer.output)] = lowered_.back()->spec().passes[0].writes[0].layout;
  }
}

void SegmentBuilder::build() {
  if (lowered_.empty()) lower();
  values_.resize(graph_.activations().size());
  gradients_.resize(graph_.activations().size());
  saved_.assign(graph_.layers().size(), -1);
  segment_.first = static_cast<int>(program_.steps.size());
  const int layers = static_cast<int>(graph_.layers().size());
  input();
  for (int i = 0; i < layers; ++i) {
    if (has(i)) forward(i);
  }
  const int main = graph_.loss_layer() < 0 ? layers - 1 : graph_.loss_layer();
  segment_.output = values_[at(graph_.layers()[at(main)].output)].tensor;

  if (training()) {
    for (int i = layers; i-- > 0;) backward(i);
  }
  segment_.end = static_cast<int>(program_.steps.size());
  program_.segments.push_back(segment_);
}

int SegmentBuilder::new_tensor(std::string name, Category category, const Layout& layout) {
  program_.tensors.push_back({std::move(name), category, layout.bytes, layout, -1, -1});
  return static_cast<int>(program_.tensors.size()) - 1;
}

Step& SegmentBuilder::new_step(StepKind kind, std::string name, int layer) {
  Step& step = program_.steps.emplace_back();
  step.kind = kind;
  step.name = std::move(name);
  step.layer = layer;
  return step;
}

void SegmentBuilder::add_scratch(Step& step, std::int64_t bytes) {
  if (bytes > 0) step.scratch = new_tensor("workspace of " + step.name, Category::workspace, {-1, bytes});
}

void SegmentBuilder::input() {
  const Shape shape = graph_.input();
  segment_.pixels = new_tensor("pixels", Category::input, {-1, segment_.samples * shape.elements()});
  segment_.labels = new_tensor("labels", Category::input, {-1, segment_.samples * 4});
  const Layout layout = backend_.input_layout(shape, segment_.samples, program_.choices.precision);
  values_[0].tensor = new_tensor("input", Category::activations, layout);
  values_[0].layout = layout;
  Step& step = new_step(StepKind::scale_pixels, "scale pixels", -1);
  step.reads = {{segment_.pixels, 0}};
  step.writes = {{values_[0].tensor, 0}};
}

int SegmentBuilder::in_layout(Value& value, const Layout& layout, int layer) {
  if (value.layout.id == layout.id) return value.tensor;
  if (const auto copy = value.copies.find(layout.id); copy != value.copies.end()) return copy->second;
  const std::string name = program_.tensors[at(value.tensor)].name;
  const int copy = new_tensor(name + " in another layout", Category::layout_changes, layout);
  Step& step = new_step(StepKind::reorder, "reorder " + name, layer);
  step.reads = {{value.tensor, 0}};
  step.writes = {{copy, 0}};
  step.from = value.layout;
  step.to = layout;
  add_scratch(step, backend_.reorder_scratch(step.from, step.to, false));
  value.copies.emplace(layout.id, copy);
  return copy;
}

const ParameterSlot& SegmentBuilder::slot(int layer, int parameter) const {
  return *std::find_if(program_.parameters.begin(), program_.parameters.end(),
                       [&](const ParameterSlot& s) { return s.layer == layer && s.parameter == parameter; });
}

Ref SegmentBuilder::parameter_ref(int layer, int parameter, const Layout& layout) {
  const ParameterSlot& place = slot(layer, parameter);
  if (place.layout.id == layout.id) return {program_.weights, place.offset};
  std::map<int, int>& copies = parameter_copies_[{layer, parameter}];
  if (const auto copy = copies.find(layout.id); copy != copies.end()) return {copy->second, 0};
  const Layer& owner = graph_.layers()[at(layer)];
  const std::string name = owner.name + "." + owner.parameters[at(parameter)].name;
  const bool half = backend_.master_layout(layout).id != layout.id;
  const int copy = half ? new_tensor(name + " in half precision", Category::weights, layout)
                        : new_tensor(name + " in another layout", Category::layout_changes, layout);
  Step& step = new_step(StepKind::reorder, "reorder " + name, layer);
  step.reads = {{program_.weights, place.offset}};
  step.writes = {{copy, 0}};
  step.from = place.layout;
  step.to = layout;
  add_scratch(step, backend_.reorder_scratch(step.from, step.to, false));
  copies.emplace(layout.id, copy);
  return {copy, 0};
}

void SegmentBuilder::forward(int index) {
  const Layer& layer = graph_.layers()[at(index)];
  if (is_identity(index)) {
    Value& same = values_[at(layer.output)] = values_[at(layer.inputs[0])];
    same.owned = same.owned && read_once(layer.inputs[0]);
    return;
  }
  const LayerSpec& spec = lowered_[at(index)]->spec();
  for (std::size_t pass = 0; pass < spec.passes.size(); ++pass) {
    const PassKind kind = spec.passes[pass].kind;
    if (kind == PassKind::forward || kind == PassKind::statistics) run_pass(index, pass);
  }
}

void SegmentBuilder::backward(int index) {
  if (lowered_[at(index)] == nullptr) {
    const Layer& layer = graph_.layers()[at(index)];
    give_gradient(index, layer.inputs[0], std::move(gradients_[at(layer.output)]));
    return;
  }
  const LayerSpec& spec = lowered_[at(index)]->spec();
  for (std::size_t pass = 0; pass < spec.passes.size(); ++pass) {
    const PassKind kind = spec.passes[pass].kind;
    if (kind != PassKind::forward && kind != PassKind::statistics) run_pass(index, pass);
  }
  after_pass(index);
}

void SegmentBuilder::run_pass(int index, std::size_t pass_index) {
  const Layer& layer = graph_.layers()[at(index)];
  const PassSpec& pass = lowered_[at(index)]->spec().passes[pass_index];
  std::vector<Ref> reads;
  for (const Operand& operand : pass.reads) reads.push_back(read(index, operand));
  std::vector<std::pair<int, Value>> given;  // gradients that this pass gives, by activation
  std::vector<Ref> writes;
  for (const Operand& operand : pass.writes) writes.push_back(write(index, pass, operand, reads, given));
  if (!pass.pass_through) {
    Step& step = new_step(StepKind::layer, word_of(pass.kind) + " " + layer.name, index);
    step.lowered = lowered_[at(index)];
    step.pass = pass_index;
    step.reads = std::move(reads);
    step.writes = std::move(writes);
    add_scratch(step, pass.scratch_bytes);
  }
  for (const Waiting& ready : waiting_) {
    const ParameterSlot& place = slot(ready.layer, ready.parameter);
    const std::string& name = program_.tensors[at(ready.tensor)].name;
    const bool add = program_.choices.accumulate;
    Step& step = new_step(add ? StepKind::add : StepKind::reorder, (add ? "add " : "reorder ") + name, index);
    step.reads = {{ready.tensor, 0}};
    step.writes = {{program_.gradients, place.offset}};
    step.from = program_.tensors[at(ready.tensor)].layout;
    step.to = place.layout;
    step.assign_first = add;
    add_scratch(step, backend_.reorder_scratch(step.from, step.to, add));
  }
  waiting_.clear();
  for (auto& [activation, value] : given) give_gradient(index, activation, std::move(value));
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
      return {in_layout(values_[at(layer.inputs[at(operand.index)])], operand.layout, index), 0};
    case Role::output:
      return {in_layout(values_[at(layer.output)], operand.layout, index), 0};
    case Role::output_gradient:
      return {in_layout(gradients_[at(layer.output)], operand.layout, index), 0};
    case Role::parameter:
      return parameter_ref(index, operand.index, operand.layout);
    case Role::saved:
      return {saved_[at(index)], 0};
    case Role::state:
      return state_ref(program_.state);
    case Role::labels:
      return {segment_.labels, 0};
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
    case Role::statistic:
      for (const StateSlot& s : program_.states) {
        if (s.layer == index && s.state == operand.index) return {program_.statistics, s.offset};
      }
      break;
    case Role::metrics:
      return {program_.metrics, 0};
    case Role::parameter_gradient:
      return write_parameter_gradient(index, operand);
    case Role::input_gradient: {
      const int activation = layer.inputs[at(operand.index)];
      Value value{reads[0].tensor, operand.layout, true, {}};
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

Ref SegmentBuilder::write_parameter_gradient(int index, const Operand& operand) {
  const ParameterSlot& place = slot(index, operand.index);
  if (!program_.choices.accumulate && place.layout.id == operand.layout.id)
    return {program_.gradients, place.offset};
  const Layer& layer = graph_.layers()[at(index)];
  const std::string name = "gradient of " + layer.name + "." + layer.parameters[at(operand.index)].name;
  const int tensor = new_tensor(name, Category::parameter_gradients, operand.layout);
  waiting_.push_back({tensor, index, operand.index});
  return {tensor, 0};
}

void SegmentBuilder::give_gradient(int index, int activation, Value value) {
  Value& sum = gradients_[at(activation)];
  if (sum.tensor < 0) {
    sum = std::move(value);
  } else if (sum.owned) {
    add_gradient(index, value.tensor, value.layout, sum.tensor, sum.layout);
  } else if (value.owned) {
    add_gradient(index, sum.tensor, sum.layout, value.tensor, value.layout);
    sum = std::move(value);
  } else {
    const std::string name = "gradient of " + graph_.activations()[at(activation)].name;
    Value fresh{new_tensor(name, Category::activation_gradients, sum.layout), sum.layout, true, {}};
    Step& copy = new_step(StepKind::reorder, "copy " + name, index);
    copy.reads = {{sum.tensor, 0}};
    copy.writes = {{fresh.tensor, 0}};
    copy.from = copy.to = sum.layout;
    add_scratch(copy, backend_.reorder_scratch(copy.from, copy.to, false));
    add_gradient(index, value.tensor, value.layout, fresh.tensor, fresh.layout);
    sum = std::move(fresh);
  }
}

void SegmentBuilder::add_gradient(int index, int from, const Layout& from_layout, int to,
                                  const Layout& to_layout) {
  Step& step = new_step(StepKind::add, "add " + program_.tensors[at(from)].name, index);
  step.reads = {{from, 0}};
  step.writes = {{to, 0}};
  step.from = from_layout;
  step.to = to_layout;
  add_scratch(step, backend_.reorder_scratch(from_layout, to_layout, true));
}

/// Starts the reduction of every bucket whose last gradient the layer just gave.
void SegmentBuilder::after_pass(int index) {
  finished_parameters_ += graph_.layers()[at(index)].parameters.size();
  if (!program_.choices.reduce) return;
  while (next_bucket_ < program_.buckets.size()) {
    const Slice& bucket = program_.buckets[next_bucket_];
    const std::int64_t end = (bucket.first + bucket.count) * 4;
    const std::int64_t done = finished_parameters_ == program_.parameters.size()
                                  ? program_.flat_bytes()
                                  : program_.parameters[finished_parameters_].offset;
    if (end > done) return;
    Step& step = new_step(StepKind::reduce, fmt::format("reduce bucket {}", next_bucket_), index);
    step.bucket = static_cast<int>(next_bucket_++);
    step.reads = {{program_.gradients, bucket.first * 4}};
    step.writes = step.reads;
  }
}

}  // namespace convoy
