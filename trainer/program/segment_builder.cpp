#include "trainer/program/segment_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "layers/core/second_label.h"
#include "trainer/program/known_layers.h"

namespace convoy {
namespace {

std::string word_of(PassKind kind) {
  switch (kind) {
    case PassKind::forward:
      return "forward";
    case PassKind::moments:
      return "moments";
    case PassKind::statistics:
      return "statistics";
    case PassKind::gradient_moments:
      return "gradient_moments";
    case PassKind::backward_data:
      return "backward_data";
    case PassKind::backward_weights:
      return "backward_weights";
    case PassKind::backward:
      return "backward";
  }
  return "?";
}

}  // namespace

SegmentBuilder::SegmentBuilder(const Graph& graph, Backend& backend, Program& program, Lowerings& lowerings,
                               SegmentKind kind, std::int64_t samples)
    : graph_(graph), backend_(backend), program_(program) {
  segment_.kind = kind;
  segment_.samples = samples;
  wants_gradient_.assign(graph.activations().size(), false);
  for (const Layer& layer : graph.layers()) {
    wants_gradient_[at(layer.output)] =
        !layer.parameters.empty() || std::any_of(layer.inputs.begin(), layer.inputs.end(),
                                                 [&](int input) { return wants_gradient_[at(input)]; });
  }
  Lowering& known = lowerings[lowering_key(kind, samples, program.choices)];
  if (known.layers.empty()) {
    lower(known.sites, lowerings);
    known.layers = lowered_;
    known.absorbed = absorbed_;
  }
  lowered_ = known.layers;
  absorbed_ = known.absorbed;
}

Site SegmentBuilder::site_of(int index) const {
  const Layer& layer = graph_.layers()[at(index)];
  Site site{
      &layer, index, graph_.input_shapes(layer), graph_.output_shape(layer), segment_.samples, training(),
      {},     false, program_.choices.precision};
  for (const int input : layer.inputs)
    site.input_gradient.push_back(training() && wants_gradient_[at(input)]);
  site.workspace_bytes = program_.choices.workspace_bytes;
  for (const LeanPass& lean : program_.choices.lean) {
    if (lean.layer == index) site.lean.push_back(lean.pass);
  }
  const std::vector<int>& consumers = graph_.activations()[at(layer.output)].consumers;
  site.relu_follows = consumers.size() == 1 && follows_alone(consumers[0]);
  site.shared_statistics = program_.choices.shared_statistics;
  site.second_labels = training() && program_.choices.second_labels;
  site.scaled_loss = training() && program_.choices.scales_loss;
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

void SegmentBuilder::lower(std::vector<LoweredSite>& sites, const Lowerings& lowerings) {
  const KnownLayers before(lowerings, lowering_key(segment_.kind, segment_.samples, program_.choices));
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
    LoweredSite& asked = sites.emplace_back(LoweredSite{site_of(i), {}});
    for (const int input : layer.inputs) asked.inputs.push_back(layouts[at(input)]);
    lowered_.push_back(before.find(asked));
    if (lowered_.back() == nullptr) lowered_.back() = backend_.lower(asked.site, asked.inputs);
    layouts[at(layer.output)] = lowered_.back()->spec().passes[0].writes[0].layout;
  }
}

void SegmentBuilder::build() {
  values_.resize(graph_.activations().size());
  gradients_.resize(graph_.activations().size());
  saved_.assign(graph_.layers().size(), -1);
  shared_.assign(graph_.layers().size(), {-1, -1});
  bucket_gradients_.assign(program_.buckets.size(), -1);
  segment_.first = static_cast<int>(program_.steps.size());
  const int layers = static_cast<int>(graph_.layers().size());
  input();
  for (int i = 0; i < layers; ++i) {
    if (has(i)) forward(i);
  }
  const int main = graph_.loss_layer() < 0 ? layers - 1 : graph_.loss_layer();
  segment_.output = values_[at(graph_.layers()[at(main)].output)].tensor;

  if (training()) {
    drop_recomputed();
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
  segment_.pixels = program_.next_pixels >= 0
                        ? program_.next_pixels
                        : new_tensor("pixels", Category::input, {-1, segment_.samples * shape.elements()});
  segment_.labels = new_tensor("labels", Category::input, {-1, segment_.samples * 4});
  if (training() && program_.choices.second_labels) {
    const auto bytes = static_cast<std::int64_t>(sizeof(SecondLabel));
    segment_.second_labels = new_tensor("second labels", Category::input, {-1, segment_.samples * bytes});
  }
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

void SegmentBuilder::share_value(int index) {
  const Layer& layer = graph_.layers()[at(index)];
  Value& same = values_[at(layer.output)] = values_[at(layer.inputs[0])];
  same.owned = same.owned && read_once(layer.inputs[0]);
}

void SegmentBuilder::forward(int index) {
  if (is_identity(index)) return share_value(index);
  for (const PassKind kind : {PassKind::moments, PassKind::forward, PassKind::statistics})
    run_passes(index, kind);
}

void SegmentBuilder::backward(int index) {
  if (lowered_[at(index)] == nullptr) {
    const Layer& layer = graph_.layers()[at(index)];
    give_gradient(index, layer.inputs[0], std::move(gradients_[at(layer.output)]));
    return;
  }
  const LayerSpec& spec = lowered_[at(index)]->spec();
  for (std::size_t pass = 0; pass < spec.passes.size(); ++pass) {
    if (goes_forward(spec.passes[pass].kind) || spec.passes[pass].adds_gradients) continue;
    const std::size_t next = pass + 1;
    const bool adding = next < spec.passes.size() && takes_adding(index, spec.passes[next]);
    run_pass(index, adding ? next : pass);
  }
  after_pass(index);
}

bool SegmentBuilder::takes_adding(int index, const PassSpec& adding) const {
  return adding.adds_gradients && program_.choices.accumulate &&
         std::all_of(adding.writes.begin(), adding.writes.end(), [&](const Operand& operand) {
           return slot(index, operand.index).gradient.id == operand.layout.id;
         });
}

void SegmentBuilder::run_passes(int index, PassKind kind, bool again) {
  const LayerSpec& spec = lowered_[at(index)]->spec();
  for (std::size_t pass = 0; pass < spec.passes.size(); ++pass) {
    if (spec.passes[pass].kind == kind) run_pass(index, pass, again);
  }
}

void SegmentBuilder::share(int index, int tensor) {
  Step& step = new_step(StepKind::share, "share " + program_.tensors[at(tensor)].name, index);
  step.reads = {{tensor, 0}};
  step.writes = {{tensor, 0}};
}

void SegmentBuilder::run_pass(int index, std::size_t pass_index, bool again) {
  const Layer& layer = graph_.layers()[at(index)];
  const PassSpec& pass = lowered_[at(index)]->spec().passes[pass_index];
  std::vector<Ref> reads;
  for (const Operand& operand : pass.reads) reads.push_back(read(index, operand));
  std::vector<std::pair<int, Value>> given;  // gradients that this pass gives, by activation
  std::vector<Ref> writes;
  for (const Operand& operand : pass.writes) writes.push_back(write(index, pass, operand, reads, given));
  if (!pass.pass_through) {
    Step& step =
        new_step(StepKind::layer, (again ? "recompute" : word_of(pass.kind)) + " " + layer.name, index);
    step.lowered = lowered_[at(index)];
    step.pass = pass_index;
    step.reads = std::move(reads);
    step.writes = std::move(writes);
    add_scratch(step, pass.scratch_bytes);
  }
  for (const Operand& operand : pass.writes) {
    if (operand.role == Role::shared && program_.choices.reduce)
      share(index, shared_[at(index)][at(operand.index)]);
  }
  for (const Waiting& ready : waiting_) {
    const ParameterSlot& place = slot(ready.layer, ready.parameter);
    const std::string& name = program_.tensors[at(ready.tensor)].name;
    const bool add = program_.choices.accumulate;
    Step& step = new_step(add ? StepKind::add : StepKind::reorder, (add ? "add " : "reorder ") + name, index);
    step.reads = {{ready.tensor, 0}};
    step.writes = {gradient_ref(place)};
    step.from = program_.tensors[at(ready.tensor)].layout;
    step.to = place.gradient;
    step.assign_first = add;
    add_scratch(step, backend_.reorder_scratch(step.from, step.to, add));
  }
  waiting_.clear();
  for (auto& [activation, value] : given) give_gradient(index, activation, std::move(value));
}

}  // namespace convoy
