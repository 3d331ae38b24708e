#include "tests/trainer/program/program_runner.h"

#include <algorithm>
#include <cstring>

#include "layers/core/index.h"

namespace convoy {

ProgramRunner::ProgramRunner(const Program& program, const Graph& graph, Backend& backend,
                             std::vector<std::int64_t> offsets, std::int64_t arena_bytes)
    : program_(program), graph_(graph), backend_(backend), offsets_(std::move(offsets)) {
  if (!offsets_.empty()) {
    memory_.emplace_back(arena_bytes);
  } else {
    for (const Tensor& tensor : program.tensors) memory_.emplace_back(tensor.bytes);
  }
  for (const int tensor : {program.momentum, program.gradients, program.weights}) {
    if (tensor >= 0)
      std::memset(at({tensor, 0}), 0, static_cast<std::size_t>(program.tensors[index(tensor)].bytes));
  }
  if (program.update_state >= 0)
    *static_cast<UpdateState*>(at({program.update_state, 0})) = first_update_state(rule());
  for (std::size_t step = 0; step < program.steps.size(); ++step) kernels_.push_back(bind(step));
}

void* ProgramRunner::at(const Ref& ref) const {
  if (offsets_.empty()) return static_cast<std::byte*>(memory_[index(ref.tensor)].data()) + ref.offset;
  return static_cast<std::byte*>(memory_[0].data()) + offsets_[index(ref.tensor)] + ref.offset;
}

std::unique_ptr<Kernel> ProgramRunner::bind(std::size_t number) {
  const Step& step = program_.steps[number];
  std::vector<void*> reads;
  std::vector<void*> writes;
  for (const Ref& ref : step.reads) reads.push_back(at(ref));
  for (const Ref& ref : step.writes) writes.push_back(at(ref));
  void* scratch = step.scratch < 0 ? nullptr : at({step.scratch, 0});
  switch (step.kind) {
    case StepKind::scale_pixels: {
      const auto segment =
          std::find_if(program_.segments.begin(), program_.segments.end(),
                       [&](const Segment& s) { return s.first == static_cast<int>(number); });
      const auto channels = static_cast<std::size_t>(graph_.input().channels);
      const PixelScale scale{std::vector<float>(channels, 128.F), std::vector<float>(channels, 64.F)};
      return backend_.scale_pixels(graph_.input(), segment->samples, program_.choices.precision, scale,
                                   reads[0], writes[0]);
    }
    case StepKind::layer:
      return step.lowered->bind(step.pass, reads, writes, scratch);
    case StepKind::reorder:
    case StepKind::add:
      return backend_.reorder(step.from, step.to, step.kind == StepKind::add, step.assign_first, reads[0],
                              writes[0], scratch);
    case StepKind::update: {
      const Slice& bucket = program_.buckets[index(step.bucket)];
      std::vector<SgdRange> ranges;
      for (const ParameterSlot& slot : program_.parameters) {
        const std::int64_t first = slot.offset / 4 - bucket.first;
        if (first >= 0 && first < bucket.count)
          ranges.push_back({first, slot.bytes() / 4, 0, 1, slot.interleave});
      }
      const bool halves = program_.half_weights >= 0;
      return backend_.sgd({0.9F, false, halves ? program_.choices.precision : DType::f32}, std::move(ranges),
                          writes[0], reads[0], program_.momentum < 0 ? nullptr : writes[1],
                          halves ? writes.back() : nullptr, state_place());
    }
    case StepKind::measure:
      return backend_.sum_of_squares(program_.gradient_type, program_.measured_by(0), reads[0],
                                     static_cast<double*>(writes[0]), scratch);
    case StepKind::decide:
      return backend_.decide_update(rule(), static_cast<const double*>(reads[0]), state_place());
    case StepKind::follow: {
      const auto slot = std::find_if(program_.states.begin(), program_.states.end(),
                                     [&](const StateSlot& s) { return s.offset == step.reads[0].offset; });
      return backend_.follow(slot->elements, slot->momentum, writes[0], reads[0], state_place());
    }
    case StepKind::share:  // there is one rank
    case StepKind::reduce:
    case StepKind::gather:
      break;
  }
  return nullptr;
}

UpdateState* ProgramRunner::state_place() const {
  return program_.update_state < 0 ? nullptr : static_cast<UpdateState*>(at({program_.update_state, 0}));
}

const ParameterSpec& ProgramRunner::spec_of(const ParameterSlot& slot) const {
  return graph_.layers()[index(slot.layer)].parameters[index(slot.parameter)];
}

void ProgramRunner::set_parameter(const ParameterSlot& slot, const std::vector<float>& values) {
  backend_.store_parameter(spec_of(slot), slot.layout, values.data(), at({program_.weights, slot.offset}));
  if (program_.half_weights < 0) return;
  backend_.copy_half(program_.choices.precision, slot.bytes() / 4, slot.interleave,
                     at({program_.weights, slot.offset}), at({program_.half_weights, slot.offset / 2}));
}

std::vector<float> ProgramRunner::gradient(const ParameterSlot& slot) const {
  std::vector<float> values(static_cast<std::size_t>(spec_of(slot).elements()));
  backend_.load_parameter(spec_of(slot), slot.layout, at({program_.gradients, slot.offset}), values.data());
  return values;
}

std::vector<float> ProgramRunner::weight(const ParameterSlot& slot) const {
  std::vector<float> values(static_cast<std::size_t>(spec_of(slot).elements()));
  backend_.load_parameter(spec_of(slot), slot.layout, at({program_.weights, slot.offset}), values.data());
  return values;
}

void ProgramRunner::set_states(float mean, float variance) {
  for (const StateSlot& slot : program_.states) {
    auto* values = static_cast<float*>(at({program_.state, slot.offset}));
    std::fill_n(values, slot.elements, slot.state == 0 ? mean : variance);
  }
}

std::vector<float> ProgramRunner::state(const StateSlot& slot) const {
  const auto* values = static_cast<const float*>(at({program_.state, slot.offset}));
  return {values, values + slot.elements};
}

void ProgramRunner::load(const Segment& segment, const std::vector<std::uint8_t>& pixels,
                         const std::vector<std::int32_t>& labels) {
  std::memcpy(at({segment.pixels, 0}), pixels.data(), pixels.size());
  std::memcpy(at({segment.labels, 0}), labels.data(), labels.size() * sizeof labels[0]);
}

void ProgramRunner::run(const Segment& segment, const StepContext& context) {
  for (int s = segment.first; s < segment.end; ++s) {
    if (kernels_[index(s)] != nullptr) kernels_[index(s)]->run(context);
  }
}

Metrics ProgramRunner::metrics() const {
  Metrics metrics;
  std::memcpy(&metrics, at({program_.metrics, 0}), sizeof metrics);
  return metrics;
}

std::vector<float> ProgramRunner::output(const Segment& segment) const {
  const auto* values = static_cast<const float*>(at({segment.output, 0}));
  return {values, values + segment.samples * graph_.classes()};
}

bool ProgramRunner::fences_stand() const {
  return std::all_of(memory_.begin(), memory_.end(),
                     [](const GuardedBuffer& buffer) { return buffer.fences_stand(); });
}

}  // namespace convoy
