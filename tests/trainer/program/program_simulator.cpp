#include "tests/trainer/program/program_simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "layers/core/index.h"

namespace convoy {
namespace {

/// What bytes mean. The gradient of an activation is a sum of parts that consumers gave, "conv2#0" for its
/// input 0; an element-wise sum gives no part of its own but passes those of its output on.
struct Meaning {
  std::string what;                  ///< "output conv1", "saved bn1", "gradient", "" for nothing yet
  std::multiset<std::string> parts;  ///< gradients
};

class Simulator {
 public:
  Simulator(const Program& program, const Graph& graph)
      : program_(program), graph_(graph), held_(program.tensors.size()) {}

  std::vector<std::string> run() {
    for (const Segment& segment : program_.segments) {
      segment_ = &segment;
      for (std::size_t t = 0; t < held_.size(); ++t) {
        if (!persistent(static_cast<int>(t)) || static_cast<int>(t) == program_.gradients) held_[t] = {};
      }
      if (segment.kind != SegmentKind::update) {
        held_[index(segment.pixels)][0] = {"pixels", {}};
        held_[index(segment.labels)][0] = {"labels", {}};
        if (segment.second_labels >= 0) held_[index(segment.second_labels)][0] = {"second labels", {}};
      }
      find_specs();
      updated_.clear();
      for (int s = segment.first; s < segment.end; ++s) step(s);
      if (segment.kind == SegmentKind::train && program_.gradients >= 0)
        check_gradients(segment.end - 1, 0, program_.flat_bytes(), {program_.gradients, 0});
      if (segment.kind == SegmentKind::evaluate) {
        expect(segment.end - 1, {segment.output, 0},
               value_name(graph_.layers()[index(graph_.loss_layer())].output));
      }
    }
    return faults_;
  }

 private:
  void fault(int step, const std::string& what) {
    faults_.push_back(fmt::format("step {} \"{}\": {}", step, program_.steps[index(step)].name, what));
  }

  bool persistent(int tensor) const {
    return tensor == program_.weights || tensor == program_.gradients || tensor == program_.momentum ||
           tensor == program_.state || tensor == program_.statistics || tensor == program_.metrics;
  }

  Meaning& held(const Ref& ref) { return held_[index(ref.tensor)][ref.offset]; }

  void alive(int step, int tensor) {
    if (tensor < 0 || tensor >= static_cast<int>(program_.tensors.size())) {
      fault(step, fmt::format("no tensor {}", tensor));
      return;
    }
    const Tensor& t = program_.tensors[index(tensor)];
    if (step < t.first || step > t.last)
      fault(step, fmt::format("touches \"{}\" outside of its life {}..{}", t.name, t.first, t.last));
  }

  void expect(int step, const Ref& ref, const std::string& what) {
    if (ref.tensor < 0) return;
    if (held(ref).what != what)
      fault(step, fmt::format("reads \"{}\" where \"{}\" lies", what, held(ref).what));
  }

  bool holds_weights(const Ref& ref) const {
    return ref.tensor == program_.weights || ref.tensor == program_.half_weights;
  }

  void find_specs() {
    specs_.assign(graph_.layers().size(), nullptr);
    for (int s = segment_->first; s < segment_->end; ++s) {
      const Step& step = program_.steps[index(s)];
      if (step.kind == StepKind::layer) specs_[index(step.layer)] = &step.lowered->spec();
    }
  }

  /// The parts of the whole gradient of an activation.
  std::multiset<std::string> whole(int activation) const {
    std::multiset<std::string> parts;
    const std::set<int> consumers(graph_.activations()[index(activation)].consumers.begin(),
                                  graph_.activations()[index(activation)].consumers.end());
    for (const int consumer : consumers) {
      const Layer& layer = graph_.layers()[index(consumer)];
      const LayerSpec* spec = specs_[index(consumer)];  // none: a ReLU that the layer before it does whole
      const bool through =
          spec == nullptr || std::any_of(spec->passes.begin(), spec->passes.end(),
                                         [](const PassSpec& pass) { return pass.pass_through; });
      for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
        if (layer.inputs[i] != activation) continue;
        if (through)
          parts.merge(whole(layer.output));
        else
          parts.insert(fmt::format("{}#{}", layer.name, i));
      }
    }
    return parts;
  }

  void expect_gradient(int step, const Ref& ref, int activation) {
    const std::multiset<std::string> parts = whole(activation);
    if (held(ref).what == "gradient" && held(ref).parts == parts) return;
    fault(step, fmt::format("reads the gradient of {} ({} parts) where \"{}\" lies ({} parts)",
                            graph_.activations()[index(activation)].name, parts.size(), held(ref).what,
                            held(ref).parts.size()));
  }

  /// Every parameter's gradient from byte `first` of the flat buffer to `end` has been given in this segment;
  /// they begin at `place`.
  void check_gradients(int step, std::int64_t first, std::int64_t end, const Ref& place) {
    for (const ParameterSlot& slot : program_.parameters) {
      if (slot.offset < first || slot.offset >= end) continue;
      const std::string what =
          fmt::format("gradient of {}.{}", graph_.layers()[index(slot.layer)].name, slot.parameter);
      expect(step, {place.tensor, place.offset + program_.gradient_offset(slot.offset - first)}, what);
    }
  }

  void step(int s) {
    const Step& step = program_.steps[index(s)];
    for (const Ref& ref : step.reads) alive(s, ref.tensor);
    for (const Ref& ref : step.writes) alive(s, ref.tensor);
    if (step.scratch >= 0) alive(s, step.scratch);
    if (std::any_of(step.reads.begin(), step.reads.end(), [](const Ref& r) { return r.tensor < 0; })) return;
    switch (step.kind) {
      case StepKind::scale_pixels:
        expect(s, step.reads[0], "pixels");
        held(step.writes[0]) = {"output input", {}};
        break;
      case StepKind::layer:
        layer(s, step);
        break;
      case StepKind::reorder:
        copy(s, step);
        break;
      case StepKind::add:
        add(s, step);
        break;
      case StepKind::share: {
        std::string& what = held(step.writes[0]).what;
        if (!what.starts_with("own sums")) fault(s, fmt::format("shares \"{}\"", what));
        what.erase(0, what.find("sums"));
        break;
      }
      case StepKind::reduce: {
        const Slice& bucket = program_.buckets[index(step.bucket)];
        check_gradients(s, bucket.first * 4, (bucket.first + bucket.count) * 4, step.reads[0]);
        break;
      }
      case StepKind::measure:
        held(step.writes[0]) = {program_.choices.reduce ? "own sums of squares" : "sums of squares", {}};
        break;
      case StepKind::decide:
        expect(s, step.reads[0], "sums of squares");
        held(step.writes[0]) = {"decision", {}};
        break;
      case StepKind::follow:
        expect(s, {program_.update_state, 0}, "decision");
        break;
      case StepKind::update: {
        expect(s, {program_.update_state, 0}, "decision");
        if (segment_->kind != SegmentKind::train) break;
        const Slice& bucket = program_.buckets[index(step.bucket)];
        check_gradients(s, bucket.first * 4, (bucket.first + bucket.count) * 4, step.reads[0]);
        for (const ParameterSlot& slot : program_.parameters) {
          if (slot.offset >= bucket.first * 4 && slot.offset < (bucket.first + bucket.count) * 4)
            updated_.insert({slot.layer, slot.parameter});
        }
        break;
      }
      default:
        break;
    }
  }

  void copy(int s, const Step& step) {
    const Meaning meaning = holds_weights(step.reads[0]) ? Meaning{"parameter", {}} : held(step.reads[0]);
    if (meaning.what.empty()) fault(s, "copies what nobody wrote");
    held(step.writes[0]) = meaning;
  }

  void add(int s, const Step& step) {
    const Meaning from = held(step.reads[0]);
    Meaning& to = held(step.writes[0]);
    if (from.what.empty()) fault(s, "adds what nobody wrote");
    if (step.assign_first) {
      to = from;
      return;
    }
    if (to.what != from.what) fault(s, fmt::format("adds \"{}\" to \"{}\"", from.what, to.what));
    to.parts.insert(from.parts.begin(), from.parts.end());
  }

  void layer(int s, const Step& step) {
    const Layer& layer = graph_.layers()[index(step.layer)];
    const PassSpec& pass = step.lowered->spec().passes[step.pass];
    for (std::size_t i = 0; i < pass.reads.size(); ++i) check_read(s, layer, pass.reads[i], step.reads[i]);
    // A write over a read is only right where the pass says so, and from its first read to its first write.
    for (std::size_t r = 0; r < step.reads.size(); ++r) {
      for (std::size_t w = 0; w < step.writes.size(); ++w) {
        const bool same =
            step.reads[r].tensor == step.writes[w].tensor && step.reads[r].offset == step.writes[w].offset;
        if (same && !(pass.in_place && r == 0 && w == 0)) fault(s, "writes over what it reads");
      }
    }
    for (std::size_t i = 0; i < pass.writes.size(); ++i) write(s, layer, pass.writes[i], step.writes[i]);
  }

  /// Whether a layer gives its input on, in the same memory: dropout in inference, or a ReLU whose forward
  /// pass the layer before it does.
  bool identity(int layer) const {
    const Layer& l = graph_.layers()[index(layer)];
    if (segment_->kind == SegmentKind::evaluate && only_training(l.op)) return true;
    const Activation& input = graph_.activations()[index(l.inputs[0])];
    const LayerSpec* giver = input.producer < 0 ? nullptr : specs_[index(input.producer)];
    return type_of(l.op) == "relu" && input.consumers.size() == 1 && giver != nullptr &&
           giver->relu != ReluShare::nothing;
  }

  /// What lies in an activation's memory: the output of the last layer that did anything.
  std::string value_name(int activation) const {
    const Activation& a = graph_.activations()[index(activation)];
    if (a.producer >= 0 && identity(a.producer))
      return value_name(graph_.layers()[index(a.producer)].inputs[0]);
    return "output " + a.name;
  }

  void check_read(int s, const Layer& layer, const Operand& operand, const Ref& ref) {
    switch (operand.role) {
      case Role::input:
        return expect(s, ref, value_name(layer.inputs[index(operand.index)]));
      case Role::output:
        return expect(s, ref, value_name(layer.output));
      case Role::output_gradient:
        return expect_gradient(s, ref, layer.output);
      case Role::saved:
        return expect(s, ref, "saved " + layer.name);
      case Role::shared:
        return expect(s, ref, fmt::format("sums {} of {}", operand.index, layer.name));
      case Role::labels:
        return expect(s, ref, "labels");
      case Role::second_labels:
        return expect(s, ref, "second labels");
      case Role::update_state:
        if (ref.tensor != program_.update_state) fault(s, "takes something else for the loss scale");
        return;
      case Role::parameter:
        if (!holds_weights(ref)) expect(s, ref, "parameter");
        if (updated_.contains({program_.steps[index(s)].layer, operand.index}))
          fault(s, "reads a parameter that was updated already");
        return;
      default:
        return;
    }
  }

  void write(int s, const Layer& layer, const Operand& operand, const Ref& ref) {
    switch (operand.role) {
      case Role::output:
        held(ref) = {"output " + layer.name, {}};
        return;
      case Role::saved:
        held(ref) = {"saved " + layer.name, {}};
        return;
      case Role::shared:
        held(ref) = {
            fmt::format("{}sums {} of {}", program_.choices.reduce ? "own " : "", operand.index, layer.name),
            {}};
        return;
      case Role::parameter_gradient:
        held(ref) = {fmt::format("gradient of {}.{}", layer.name, operand.index), {}};
        return;
      case Role::input_gradient:
        held(ref) = {"gradient", {fmt::format("{}#{}", layer.name, operand.index)}};
        return;
      case Role::statistic:
      case Role::metrics:
        return;
      default:
        fault(s, "writes an operand that can only be read");
    }
  }

  const Program& program_;
  const Graph& graph_;
  const Segment* segment_ = nullptr;
  std::vector<const LayerSpec*> specs_;                ///< by layer, of the present segment
  std::vector<std::map<std::int64_t, Meaning>> held_;  ///< by tensor and offset
  std::set<std::pair<int, int>> updated_;              ///< (layer, parameter), in the present segment
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::string> faults_of(const Program& program, const Graph& graph) {
  return Simulator(program, graph).run();
}

}  // namespace convoy
