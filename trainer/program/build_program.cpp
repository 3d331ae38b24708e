#include <fmt/format.h>

#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/core/second_label.h"
#include "trainer/program/program.h"
#include "trainer/program/segment_builder.h"

namespace convoy {
namespace {

constexpr std::int64_t kSlotAlignment = 128;  // of a copy in half precision still 64

/// Of parameters, and of the slices of the ranks that divide them, in values.
std::int64_t slot_values(const Program& program) {
  const bool interleaved = std::any_of(program.parameters.begin(), program.parameters.end(),
                                       [](const ParameterSlot& slot) { return slot.interleave > 0; });
  return interleaved ? Backend::kInterleaved : kSlotAlignment / 4;
}

int add_tensor(Program& program, const char* name, Category category, std::int64_t bytes) {
  program.tensors.push_back({name, category, bytes, {-1, bytes}, -1, -1});
  return static_cast<int>(program.tensors.size()) - 1;
}

/// Parameters in the order in which backward gives their gradients, stored as the forward pass of the main
/// segment wants them; and running statistics, whose bytes it gives.
std::int64_t list_parameters(const Graph& graph, const SegmentBuilder& main, Backend& backend,
                             Program& program) {
  std::int64_t state_offset = 0;
  for (int i = static_cast<int>(graph.layers().size()); i-- > 0;) {
    if (program.choices.train_samples.empty() && graph.auxiliary(i)) continue;
    const Layer& layer = graph.layers()[static_cast<std::size_t>(i)];
    for (int p = 0; p < static_cast<int>(layer.parameters.size()); ++p) {
      const LayerSpec& spec = main.lowered()[static_cast<std::size_t>(i)]->spec();
      for (const Operand& operand : spec.passes[0].reads) {
        if (operand.role != Role::parameter || operand.index != p) continue;
        const Layout master =
            program.choices.train_samples.empty() ? operand.layout : backend.master_layout(operand.layout);
        const Layout half = master.id == operand.layout.id ? Layout{} : operand.layout;
        program.parameters.push_back({i, p, master, half,
                                      backend.gradient_layout(master, program.choices.precision),
                                      half.id < 0 ? 0 : backend.interleave(half)});
      }
    }
    for (int s = 0; s < static_cast<int>(layer.states.size()); ++s) {
      const StateSpec& state = layer.states[static_cast<std::size_t>(s)];
      program.states.push_back({i, s, state_offset, state.elements, static_cast<float>(state.momentum)});
      state_offset += round_up(state.elements * 4, kSlotAlignment);
    }
  }
  return state_offset;
}

/// Cuts the parameters from `begin` to `end` into buckets, each of which falls into `slices` equal parts, and
/// gives them their places at the end of the flat buffers.
void cut_buckets(Program& program, std::size_t begin, std::size_t end, int slices) {
  std::vector<std::int64_t> sizes;
  const std::int64_t least = slot_values(program);
  for (std::size_t i = begin; i < end; ++i)
    sizes.push_back(round_up(program.parameters[i].bytes() / 4, least));
  const std::int64_t bytes = program.choices.bucket_bytes;
  const std::int64_t unit = slices * least;
  std::size_t next = begin;
  for (Slice bucket :
       make_buckets(sizes, size_of(program.gradient_type), bytes, std::max<std::int64_t>(bytes / 4, 4))) {
    std::int64_t values = 0;
    for (; values < bucket.count; ++next) {
      program.parameters[next].offset = (program.flat_values + values) * 4;
      values += sizes[next - begin];
    }
    bucket = {program.flat_values, (values + unit - 1) / unit * unit};
    program.buckets.push_back(bucket);
    program.flat_values += bucket.count;
  }
}

/// What is divided comes first. Buckets are for training alone.
void place_parameters(Program& program) {
  // Without a half copy of them kernels read a parameter's fp32 weights, which no rank may lack.
  const bool divides_weights = program.choices.shards > 1 && program.choices.precision != DType::f32;
  const auto whole =
      std::stable_partition(program.parameters.begin(), program.parameters.end(),
                            [&](const ParameterSlot& slot) { return !divides_weights || slot.half.id >= 0; });
  const auto middle = static_cast<std::size_t>(whole - program.parameters.begin());
  cut_buckets(program, 0, middle, program.choices.shards);
  if (program.choices.shards > 1) program.divided_values = program.flat_values;
  cut_buckets(program, middle, program.parameters.size(), 1);
  if (program.choices.train_samples.empty()) program.buckets.clear();
}

void add_flat_buffers(Program& program, std::int64_t state_bytes) {
  const bool training = !program.choices.train_samples.empty();
  const bool master = training && program.choices.precision != DType::f32;
  const std::int64_t flat = program.flat_bytes();
  program.weights =
      add_tensor(program, master ? "master weights" : "weights",
                 master ? Category::master_weights : Category::weights, master ? program.kept_bytes() : flat);
  if (master)
    program.half_weights = add_tensor(program, "weights in half precision", Category::weights, flat / 2);
  if (training && !program.choices.update_in_backward)
    program.gradients = add_tensor(program, "gradients", Category::gradients, program.gradient_offset(flat));
  if (training && program.choices.momentum)
    program.momentum = add_tensor(program, "momentum", Category::optimizer, program.kept_bytes());
  program.state = add_tensor(program, "running statistics", Category::state, state_bytes);
  if (training) program.statistics = add_tensor(program, "batch statistics", Category::state, state_bytes);
  program.metrics = add_tensor(program, "metrics", Category::metrics, sizeof(Metrics));
  if (training && program.choices.measures())
    program.update_state = add_tensor(program, "update state", Category::metrics, sizeof(UpdateState));
}

/// Of the largest segment.
void add_next_input(const Graph& graph, Program& program) {
  std::int64_t samples = program.choices.evaluate_samples;
  for (const std::int64_t size : program.choices.train_samples) samples = std::max(samples, size);
  program.next_pixels = add_tensor(program, "pixels", Category::input, samples * graph.input().elements());
  program.next_labels = add_tensor(program, "labels to come", Category::input, samples * 4);
  if (program.choices.second_labels) {
    const auto bytes = static_cast<std::int64_t>(sizeof(SecondLabel));
    program.next_second_labels =
        add_tensor(program, "second labels to come", Category::input, samples * bytes);
  }
}

Step& add_step(Program& program, StepKind kind, std::string name) {
  Step& step = program.steps.emplace_back();
  step.kind = kind;
  step.name = std::move(name);
  return step;
}

/// What must be known of all gradients before the first is used.
void build_decision(Program& program, Backend& backend) {
  const std::int64_t scratch = backend.squares_scratch(program.kept_bytes() / 4);
  const int workspace = add_tensor(program, "workspace of measure gradients", Category::workspace, scratch);
  const int squares = add_tensor(program, "squares of the gradients", Category::metrics, sizeof(double));
  Step& measure = add_step(program, StepKind::measure, "measure gradients");
  measure.reads = {{program.gradients, 0}};
  measure.writes = {{squares, 0}};
  measure.scratch = workspace;
  if (program.choices.reduce) {
    Step& share = add_step(program, StepKind::share, "share squares of the gradients");
    share.reads = share.writes = {{squares, 0}};
  }
  Step& decide = add_step(program, StepKind::decide, "decide about the update");
  decide.reads = {{squares, 0}, {program.update_state, 0}};
  decide.writes = {{program.update_state, 0}};
}

void build_update(Program& program, Backend& backend) {
  Segment segment;
  segment.kind = SegmentKind::update;
  segment.first = static_cast<int>(program.steps.size());
  if (program.update_state >= 0) build_decision(program, backend);
  for (std::size_t b = 0; b < program.buckets.size() && !program.choices.update_in_backward; ++b) {
    const std::int64_t offset = program.buckets[b].first * 4;
    program.steps.push_back(program.update_step(b, {program.gradients, program.gradient_offset(offset)}));
    const Ref updated = program.half_weights >= 0 ? program.steps.back().writes.back()  // the half copy
                                                  : program.steps.back().writes.front();
    if (!program.divided(program.buckets[b])) continue;
    Step& gather = add_step(program, StepKind::gather, fmt::format("gather bucket {}", b));
    gather.bucket = static_cast<int>(b);
    gather.reads = gather.writes = {updated};
  }
  for (const StateSlot& slot : program.states) {
    Step& step = add_step(program, StepKind::follow, "follow batch statistics");
    step.layer = slot.layer;
    step.reads = {{program.statistics, slot.offset}};
    if (program.update_state >= 0) step.reads.push_back({program.update_state, 0});
    step.writes = {{program.state, slot.offset}};
  }
  segment.end = static_cast<int>(program.steps.size());
  program.segments.push_back(segment);
}

/// First and last step of each tensor. What stays from one segment to the next lives throughout; pixels and
/// labels are there before their segment's first step, and the output until after its last.
void find_lifetimes(Program& program) {
  const auto touch = [&](int tensor, int step) {
    if (tensor < 0) return;
    Tensor& t = program.tensors[static_cast<std::size_t>(tensor)];
    t.first = t.first < 0 ? step : std::min(t.first, step);
    t.last = std::max(t.last, step);
  };
  for (int s = 0; s < static_cast<int>(program.steps.size()); ++s) {
    const Step& step = program.steps[static_cast<std::size_t>(s)];
    for (const Ref& ref : step.reads) touch(ref.tensor, s);
    for (const Ref& ref : step.writes) touch(ref.tensor, s);
    touch(step.scratch, s);
  }
  for (const Segment& segment : program.segments) {
    touch(segment.pixels, segment.first);
    touch(segment.labels, segment.first);
    touch(segment.second_labels, segment.first);
    if (segment.kind == SegmentKind::evaluate) touch(segment.output, segment.end - 1);
  }
  const int last = static_cast<int>(program.steps.size()) - 1;
  for (const int tensor : {program.weights, program.half_weights, program.gradients, program.momentum,
                           program.state, program.statistics, program.metrics, program.update_state,
                           program.next_pixels, program.next_labels, program.next_second_labels}) {
    touch(tensor, 0);
    touch(tensor, last);
  }
}

}  // namespace

Program build_program(const Graph& graph, const Choices& choices, Backend& backend, Lowerings* known) {
  Lowerings own;
  Lowerings& lowerings = known == nullptr ? own : *known;
  if (choices.update_in_backward && (choices.accumulate || choices.reduce || choices.shards > 1))
    fail(ExitCode::internal, "backward cannot update what it has a part of the gradients of");
  if (choices.update_in_backward && choices.measures())
    fail(ExitCode::internal, "backward cannot update before all gradients are known");
  Program program;
  program.choices = choices;
  program.alignment = backend.alignment();
  program.gradient_type = backend.gradient_type(choices.precision);
  std::vector<SegmentBuilder> builders;
  for (const std::int64_t samples : choices.train_samples) {
    builders.emplace_back(graph, backend, program, lowerings, SegmentKind::train, samples);
  }
  if (choices.evaluate_samples > 0) {
    builders.emplace_back(graph, backend, program, lowerings, SegmentKind::evaluate,
                          choices.evaluate_samples);
  }
  const std::int64_t state_bytes = list_parameters(graph, builders.front(), backend, program);
  place_parameters(program);
  add_flat_buffers(program, state_bytes);
  if (backend.loads_ahead()) add_next_input(graph, program);
  for (SegmentBuilder& builder : builders) builder.build();
  if (!choices.train_samples.empty()) build_update(program, backend);
  find_lifetimes(program);
  return program;
}

}  // namespace convoy
