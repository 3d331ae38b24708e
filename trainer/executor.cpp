#include "trainer/executor.h"

#include <fmt/format.h>

#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/core/clock.h"
#include "layers/core/error.h"
#include "layers/core/index.h"

namespace convoy {
namespace {

/// The number of the update among work that is repeated; those of passes are 0 or more.
constexpr int kUpdate = -1;

}  // namespace

Executor::Executor(Plan plan, const Graph& graph, Backend& backend, Device& device, Communicator& comm,
                   const OptimizerSettings& optimizer, const PixelScale& pixels,
                   DeviceCollectives* collectives)
    : plan_(std::move(plan)),
      graph_(&graph),
      backend_(&backend),
      device_(&device),
      comm_(&comm),
      optimizer_(optimizer),
      arena_(device, plan_.arena_bytes()),
      kernels_(plan_.program.steps.size()),
      own_collectives_(collectives == nullptr ? make_staged_collectives(device, comm) : nullptr),
      collectives_(collectives == nullptr ? own_collectives_.get() : collectives),
      repeats_(device),
      step_seconds_(plan_.program.steps.size()) {
  const int shards = plan_.program.choices.shards;
  if (shards > 1 && shards != comm.size())
    fail(ExitCode::internal, "an optimizer divided among {} ranks runs on {}", shards, comm.size());
  if (optimizer.clip_norm > 0 && plan_.program.gradients >= 0 && !plan_.program.choices.clips)
    fail(ExitCode::internal, "gradients are to be clipped by a plan that does not measure them");
  for (std::size_t step = 0; step < kernels_.size(); ++step) bind(step, backend, pixels);
  if (state_place() != nullptr) set_update_state(first_update_state(update_rule()));
}

Executor::~Executor() {
  for (const NextInput& next : next_inputs_) {
    for (const NextPart* part : {&next.pixels, &next.labels, &next.second_labels}) {
      try {
        if (part->there != nullptr) part->there->wait();
      } catch (const std::exception&) {
        continue;  // the device has failed: who knows what it still reads
      }
      if (part->host != nullptr) device_->release_host(part->host);
    }
  }
}

void Executor::record_repeats(bool record) {
  records_ = record && device_->records() && (comm_->size() == 1 || collectives_->can_be_recorded());
  repeats_.clear();
}

void* Executor::at(const Ref& ref) const {
  return arena_.at(plan_.layout.offsets[index(ref.tensor)] + ref.offset);
}

void Executor::bind(std::size_t number, Backend& backend, const PixelScale& pixels) {
  const Step& step = plan_.program.steps[number];
  void* scratch = step.scratch < 0 ? nullptr : at({step.scratch, 0});
  std::vector<void*> reads;
  std::vector<void*> writes;
  for (const Ref& ref : step.reads) reads.push_back(at(ref));
  for (const Ref& ref : step.writes) writes.push_back(at(ref));
  switch (step.kind) {
    case StepKind::scale_pixels: {
      const auto segment =
          std::find_if(plan_.program.segments.begin(), plan_.program.segments.end(),
                       [&](const Segment& s) { return s.first == static_cast<int>(number); });
      kernels_[number] = backend.scale_pixels(graph_->input(), segment->samples,
                                              plan_.program.choices.precision, pixels, reads[0], writes[0]);
      break;
    }
    case StepKind::layer:
      kernels_[number] = step.lowered->bind(step.pass, reads, writes, scratch);
      break;
    case StepKind::reorder:
    case StepKind::add:
      kernels_[number] = backend.reorder(step.from, step.to, step.kind == StepKind::add, step.assign_first,
                                         reads[0], writes[0], scratch);
      break;
    case StepKind::update:
      kernels_[number] = make_update(step, backend);
      break;
    case StepKind::follow: {
      const auto slot = std::find_if(
          plan_.program.states.begin(), plan_.program.states.end(),
          [&](const StateSlot& s) { return s.layer == step.layer && s.offset == step.reads[0].offset; });
      kernels_[number] = backend.follow(slot->elements, slot->momentum, writes[0], reads[0], state_place());
      break;
    }
    case StepKind::measure:
      kernels_[number] =
          backend.sum_of_squares(plan_.program.gradient_type, plan_.program.measured_by(comm_->rank()),
                                 reads[0], static_cast<double*>(writes[0]), scratch);
      break;
    case StepKind::decide:
      kernels_[number] =
          backend.decide_update(update_rule(), static_cast<const double*>(reads[0]), state_place());
      break;
    case StepKind::share:
    case StepKind::reduce:
    case StepKind::gather:
      break;
  }
}

std::unique_ptr<Kernel> Executor::make_update(const Step& step, Backend& backend) const {
  const Program& program = plan_.program;
  const Slice& bucket = program.buckets[index(step.bucket)];
  const Slice slice = program.slice_of(bucket, comm_->rank());
  std::vector<SgdRange> ranges;
  for (const ParameterSlot& slot : program.parameters) {
    const std::int64_t first = std::max(slot.offset / 4, slice.first);
    const std::int64_t end = std::min((slot.offset + slot.bytes()) / 4, slice.first + slice.count);
    if (first >= end) continue;
    SgdRange range{first - slice.first, end - first, 0, 1, slot.interleave};
    switch (spec_of(slot).kind) {
      case ParameterKind::weight:
        range.decay = optimizer_.weight_decay;
        break;
      case ParameterKind::bias:
        range.decay = optimizer_.bias_decay;
        range.rate = optimizer_.bias_rate;
        break;
      case ParameterKind::norm:
        range.decay = optimizer_.norm_decay;
        break;
    }
    ranges.push_back(range);
  }
  // Of whole buffers the slice begins here; of divided ones a rank has its slices alone.
  const std::int64_t whole = slice.first * 4;
  const std::int64_t kept = program.kept_offset(bucket.first * 4);
  SgdSpec rule = optimizer_.sgd;
  rule.gradient = plan_.program.gradient_type;
  void* half = nullptr;
  if (program.half_weights >= 0) {
    rule.half = program.choices.precision;
    half = at({program.half_weights, whole / 2});
  }
  return backend.sgd(
      rule, std::move(ranges), at({program.weights, program.divides_weights() ? kept : whole}),
      at({step.reads[0].tensor, step.reads[0].offset + program.gradient_offset(whole - bucket.first * 4)}),
      has_momentum() ? at({program.momentum, kept}) : nullptr, half, state_place());
}

UpdateState* Executor::state_place() const {
  const int tensor = plan_.program.update_state;
  return tensor < 0 ? nullptr : static_cast<UpdateState*>(at({tensor, 0}));
}

const ParameterSpec& Executor::spec_of(const ParameterSlot& slot) const {
  return graph_->layers()[index(slot.layer)].parameters[index(slot.parameter)];
}

double& Executor::account(StepKind kind) {
  switch (kind) {
    case StepKind::reorder:
    case StepKind::add:
      return times_.reorders;
    case StepKind::scale_pixels:
      return times_.input;
    case StepKind::share:
    case StepKind::reduce:
    case StepKind::gather:
      return times_.reduce;
    default:
      return times_.kernels;
  }
}

void Executor::run(const Segment& segment, const StepContext& context, bool last_pass, int repeat) {
  collectives_->note(context.iteration);
  backend_->set_step(context);
  const int first = take_input(segment, context);
  const auto work = [&] {
    run_steps(first, segment, context, last_pass);
    if (!last_pass || segment.kind != SegmentKind::train) return;
    start_statistics();
    if (records_) join_collectives();
  };
  if (repeat < 0 || !records_ || waits_) return work();
  const auto start = Clock::now();
  if (!repeats_.run(repeat, work)) return;
  comm_->note(context.iteration, "forward and backward");
  if (comm_->size() > 1) collectives_->played("forward and backward");
  times_.kernels += seconds_since(start);
}

void Executor::join_collectives() {
  for (std::size_t slot = 0; slot <= plan_.program.buckets.size(); ++slot) wait_for(slot);
}

void Executor::run_steps(int first, const Segment& segment, const StepContext& context, bool last_pass) {
  auto start = Clock::now();
  for (int s = first; s < segment.end; ++s) {
    const Step& step = plan_.program.steps[index(s)];
    if (step.kind == StepKind::reduce) {
      if (last_pass) start_reduce(step);
    } else {
      comm_->note(context.iteration, step.name.c_str());
      if (step.kind == StepKind::share) {
        share(step);
      } else {
        kernels_[index(s)]->run(context);
      }
    }
    if (waits_) device_->synchronize();
    const auto now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - start).count();
    account(step.kind) += seconds;
    step_seconds_[index(s)] += seconds;
    start = now;
  }
}

void Executor::clear_iteration(bool keeps_metrics) {
  const Program& program = plan_.program;
  for (const int tensor : {program.gradients, program.statistics}) {
    if (tensor < 0) continue;
    device_->clear(at({tensor, 0}), program.tensors[index(tensor)].bytes);
  }
  if (!keeps_metrics) clear_metrics();
}

void Executor::run_without_samples(const StepContext& context, bool last_pass) {
  const Program& program = plan_.program;
  comm_->note(context.iteration, "takes part without samples");
  collectives_->note(context.iteration);
  const Segment& segment = program.segments.front();
  for (int s = segment.first; s < segment.end; ++s) {
    const Step& step = program.steps[index(s)];
    if (step.kind == StepKind::reduce && last_pass) start_reduce(step);
    if (step.kind != StepKind::share) continue;
    device_->clear(at(step.writes[0]), program.tensors[index(step.writes[0].tensor)].bytes);
    share(step);
  }
  if (!last_pass) return;
  start_statistics();
  if (records_) join_collectives();
}

void Executor::share(const Step& step) {
  const Tensor& sums = plan_.program.tensors[index(step.writes[0].tensor)];
  collectives_->sum_now(at(step.writes[0]), sums.bytes / 8, sums.name);
}

void Executor::start_reduce(const Step& step) {
  const Slice& bucket = plan_.program.buckets[index(step.bucket)];
  const std::string name = fmt::format("gradient bucket {}", step.bucket);
  const DType type = plan_.program.gradient_type;
  if (plan_.program.divided(bucket)) {
    collectives_->start_reduce_scatter(index(step.bucket), at(step.reads[0]), bucket.count / comm_->size(),
                                       type, name);
  } else {
    collectives_->start_all_reduce(index(step.bucket), at(step.reads[0]), bucket.count, type, name);
  }
}

void Executor::start_gather(const Step& step) {
  const Program& program = plan_.program;
  const std::int64_t count = program.buckets[index(step.bucket)].count / comm_->size();
  const DType type = program.half_weights >= 0 ? program.choices.precision : DType::f32;
  collectives_->start_all_gather(index(step.bucket), at(step.writes[0]), count * size_of(type),
                                 fmt::format("weight bucket {}", step.bucket));
}

void Executor::start_statistics() {
  const Program& program = plan_.program;
  const std::int64_t count = program.tensors[index(program.statistics)].bytes / 4;
  if (!program.choices.reduce || count == 0) return;
  collectives_->start_all_reduce(program.buckets.size(), at({program.statistics, 0}), count, DType::f32,
                                 "batch statistics");
}

void Executor::wait_for(std::size_t bucket) {
  const auto start = Clock::now();
  collectives_->wait(bucket);
  times_.reduce += seconds_since(start);
}

UpdateState Executor::update_state() const {
  UpdateState state;
  if (state_place() == nullptr) return state;
  device_->copy_out(&state, state_place(), sizeof state);
  if (state.stuck_at >= 0) {
    fail(ExitCode::diverged,
         "gradients are not finite after update {}, with a loss scale of 1; lower optimizer.learning_rate, "
         "add schedule.warmup_epochs or train.clip_norm, or use precision = \"bf16\"",
         state.stuck_at);
  }
  return state;
}

void Executor::set_update_state(const UpdateState& state) {
  device_->copy_in(state_place(), &state, sizeof state);
}

void Executor::update(const StepContext& context) {
  collectives_->note(context.iteration);
  backend_->set_step(context);
  const auto start = Clock::now();
  if (!records_ || waits_) {
    run_update(context);
  } else if (repeats_.run(kUpdate, [&] { run_update(context); })) {
    comm_->note(context.iteration, "update");
    const Choices& choices = plan_.program.choices;
    if (choices.shards > 1 || (choices.reduce && choices.measures())) collectives_->played("update");
    times_.kernels += seconds_since(start);
  }
  // So that the run ends where it fails, when that takes no waiting.
  if (device_->host_addressable()) (void)update_state();
}

void Executor::run_update(const StepContext& context) {
  const Segment& segment = plan_.program.segments.back();
  for (int s = segment.first; s < segment.end; ++s) {
    const Step& step = plan_.program.steps[index(s)];
    comm_->note(context.iteration, step.name.c_str());
    if (step.kind == StepKind::update) wait_for(index(step.bucket));
    if (step.kind == StepKind::follow) wait_for(plan_.program.buckets.size());
    // The statistics too, since what begins after a sum over the ranks ends after it.
    if (step.kind == StepKind::measure) join_collectives();
    const auto start = Clock::now();
    run_update_step(step, index(s), context);
    if (waits_) device_->synchronize();
    const double seconds = seconds_since(start);
    account(step.kind) += seconds;
    step_seconds_[index(s)] += seconds;
  }
  join_collectives();
}

void Executor::run_update_step(const Step& step, std::size_t number, const StepContext& context) {
  if (step.kind == StepKind::gather) return start_gather(step);
  if (step.kind == StepKind::share) return share(step);
  kernels_[number]->run(context);
}

Metrics Executor::metrics() {
  Metrics metrics;
  collectives_->flush();
  device_->copy_out(&metrics, at({plan_.program.metrics, 0}), sizeof metrics);
  return metrics;
}

void Executor::clear_metrics() {
  const Metrics zero;
  device_->copy_in(at({plan_.program.metrics, 0}), &zero, sizeof zero);
}

std::vector<float> Executor::output(const Segment& segment) const {
  const Shape shape = graph_->output_shape(graph_->layers()[index(graph_->loss_layer())]);
  std::vector<float> values(static_cast<std::size_t>(segment.samples * shape.elements()));
  device_->copy_out(values.data(), at({segment.output, 0}), static_cast<std::int64_t>(values.size()) * 4);
  return values;
}

}  // namespace convoy
