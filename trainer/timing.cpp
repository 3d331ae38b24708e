#include "trainer/timing.h"

#include <algorithm>

#include "layers/core/clock.h"
#include "layers/cpu/cpu_backend.h"
#include "trainer/parameters.h"
#include "trainer/planner/plan_report.h"

namespace convoy {
namespace {

/// Bytes that a step touches at `ref`: of the flat buffers only the parameter or statistic there.
std::int64_t bytes_at(const Program& program, const Ref& ref) {
  for (const ParameterSlot& slot : program.parameters) {
    if ((ref.tensor == program.weights || ref.tensor == program.gradients) && slot.offset == ref.offset)
      return slot.bytes();
  }
  for (const StateSlot& slot : program.states) {
    if ((ref.tensor == program.state || ref.tensor == program.statistics) && slot.offset == ref.offset)
      return slot.elements * 4;
  }
  return program.tensors[static_cast<std::size_t>(ref.tensor)].bytes;
}

double bytes_of(const Program& program, const Step& step) {
  std::int64_t bytes = 0;
  for (const Ref& ref : step.reads) bytes += bytes_at(program, ref);
  for (const Ref& ref : step.writes) bytes += bytes_at(program, ref);
  return static_cast<double>(bytes);
}

/// Adds one step of `seconds` to its layer.
void add_pass(const TimedTraining& training, const Step& step, double seconds, LayerTime& time) {
  const Graph& graph = training.graph();
  const Layer& layer = graph.layers()[static_cast<std::size_t>(step.layer)];
  const PassKind kind = step.lowered->spec().passes[step.pass].kind;
  PassTime& pass = goes_forward(kind) ? time.forward : time.backward;
  pass.seconds += seconds;
  pass.bytes += bytes_of(training.executor().plan().program, step);
  // Each gradient takes as many multiply-accumulates as forward.
  if (kind != PassKind::statistics && kind != PassKind::moments) {
    pass.macs +=
        static_cast<double>(macs_of(layer.op, graph.input_shapes(layer)) * training.settings().batch);
  }
  const std::string kernel = step.lowered->implementation(step.pass);
  if (time.kernels.find(kernel) == std::string::npos) {
    if (!time.kernels.empty()) time.kernels += ", ";
    time.kernels += kernel;
  }
}

}  // namespace

TimedTraining::TimedTraining(Graph graph, const Settings& settings)
    : graph_(std::move(graph)), settings_(settings), comm_(make_single()) {
  Job job;
  job.device = settings.device;
  if (settings.tf32) job.train.precision = "tf32";
  worker_ = make_worker(job, *comm_);
  library_ = worker_.libraries.empty() ? cpu_library_version() : worker_.libraries;
  set_cpu_threads(settings.threads);
  PlanRequest request;
  request.samples = request.batch = settings.batch;
  request.evaluate = false;
  request.update_in_backward = true;
  request.precision = settings.precision;
  request.tf32 = settings.tf32;
  request.limit_bytes = worker_.device->info().free_bytes + worker_.taken_bytes;
  request.overhead_bytes = worker_.overhead_bytes;
  if (worker_.backend != nullptr) request.speed = worker_.speed;
  KernelPlan made = plan_with_kernels(graph_, request, settings.kernels, *comm_, std::move(worker_.backend));
  worker_.backend = std::move(made.backend);
  kernels_ = std::move(made.kernels);
  Plan plan = std::move(made.plan);
  if (!plan.fits()) refuse_plan(plan, graph_);
  OptimizerSettings optimizer;
  optimizer.weight_decay = 5e-4F;
  const auto channels = static_cast<std::size_t>(graph_.input().channels);
  const PixelScale scale{std::vector<float>(channels, 128), std::vector<float>(channels, 64)};
  executor_ = std::make_unique<Executor>(std::move(plan), graph_, *worker_.backend, *worker_.device, *comm_,
                                         optimizer, scale);
  initialise(*executor_, 1);
  executor_->record_repeats(true);
  pixels_.resize(static_cast<std::size_t>(settings.batch * graph_.input().elements()));
  for (std::size_t i = 0; i < pixels_.size(); ++i)
    pixels_[i] = static_cast<std::uint8_t>(i * 2654435761U >> 13);
  for (std::int64_t i = 0; i < settings.batch; ++i)
    labels_.push_back(static_cast<std::int32_t>(i % graph_.classes()));
  context_.learning_rate = 1e-3F;
  context_.valid_samples = settings.batch;
  context_.sample_weight = 1 / static_cast<float>(settings.batch);
}

void TimedTraining::step() {
  const Segment& segment = executor_->plan().program.segments.front();
  executor_->load(segment, pixels_.data(), labels_.data(), settings_.batch);
  executor_->run(segment, context_, true, 0);
  executor_->update(context_);
  ++context_.iteration;
}

TrainingTime time_training(TimedTraining& training, int warm_up, int steps) {
  for (int i = 0; i < warm_up; ++i) training.step();
  training.executor().synchronize();
  std::vector<double> before = training.executor().step_seconds();
  std::vector<double> seconds;
  for (int i = 0; i < steps; ++i) {
    const auto start = Clock::now();
    training.step();
    training.executor().synchronize();
    seconds.push_back(seconds_since(start));
  }
  if (training.works_beside()) {
    // Apart, because steps that wait for the device take longer.
    before = training.executor().step_seconds();
    training.executor().wait_after_steps(true);
    for (int i = 0; i < steps; ++i) training.step();
    training.executor().wait_after_steps(false);
  }
  TrainingTime time;
  const std::size_t layers = training.graph().layers().size();
  for (std::size_t layer = 0; layer < layers; ++layer) {
    time.layers.push_back({});
    time.layers.back().layer = static_cast<int>(layer);
  }
  const Program& program = training.executor().plan().program;
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    const double taken = (training.executor().step_seconds()[s] - before[s]) / steps;
    switch (step.kind) {
      case StepKind::layer:
        add_pass(training, step, taken, time.layers[static_cast<std::size_t>(step.layer)]);
        break;
      case StepKind::reorder:
      case StepKind::share:
      case StepKind::add:
        time.layers[static_cast<std::size_t>(step.layer)].layout_seconds += taken;
        break;
      case StepKind::scale_pixels:
        time.input_seconds += taken;
        break;
      default:
        time.update_seconds += taken;
    }
  }
  std::sort(seconds.begin(), seconds.end());
  time.step_seconds = seconds[seconds.size() / 2];
  return time;
}

}  // namespace convoy
