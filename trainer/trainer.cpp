#include "trainer/trainer.h"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <cmath>

#include "layers/core/text.h"
#include "trainer/data/loader.h"
#include "trainer/loader_figures.h"
#include "trainer/metrics_window.h"
#include "trainer/parameters.h"
#include "trainer/passes.h"
#include "trainer/planner/plan_page.h"
#include "trainer/planner/plan_report.h"
#include "trainer/preparation.h"
#include "trainer/resume.h"
#include "trainer/run_console.h"
#include "trainer/run_summary.h"
#include "trainer/schedule.h"

namespace convoy {
namespace {

class Run {
 public:
  Run(Session& session, const TrainOptions& options);
  TrainOutcome go();
  void log(const std::string& text) { console_.log(text); }

 private:
  /// Epochs begun with the last update.
  std::int64_t epoch() const { return (position_.iteration + per_epoch_ - 1) / per_epoch_; }
  void resume();
  Loader make_loader() const;
  Sums iterate(const Batch& batch);
  /// Whether the device is asked for its sums after the next update. One that works beside the host need not
  /// be kept waiting every time.
  bool metrics_due() const;
  void after_iteration(const Batch& batch, const Sums& sums);
  [[noreturn]] void diverged(const char* which) const;
  void log_line(const Batch& batch);
  void end_of_epoch();
  bool evaluation_due() const;
  std::string evaluate_now();
  void save();
  void start_window();
  LoaderFigures loader_now() const;
  Progress::State state_of(const Batch& batch) const;

  Session& session_;
  const TrainOptions& options_;
  const Job& job_;
  Executor& executor_;
  Communicator& comm_;
  RunFolder folder_;
  RunConsole console_;
  CheckpointStore store_;
  CheckpointIdentity identity_;
  Position position_;
  std::int64_t per_epoch_ = 0;
  std::int64_t total_ = 0;
  std::int64_t saved_at_ = -1;
  std::int64_t allocations_after_first_ = -1;
  double learning_rate_ = 0;
  double train_seconds_ = 0;  ///< by this process
  double data_wait_ = 0;
  double gradient_norm_ = 0;
  bool stopping_ = false;
  bool works_beside_ = false;       ///< the device works while the host goes on
  const Loader* loader_ = nullptr;  ///< while training
  MetricsWindow window_;
  DataWait longest_wait_;  ///< of the window before
  Sums known_;             ///< of the window, or where nothing of it is known yet of the one before
  Sums epoch_sums_;
  Clock::time_point epoch_start_ = Clock::now();
  std::optional<Evaluation> evaluation_;
};

Run::Run(Session& session, const TrainOptions& options)
    : session_(session),
      options_(options),
      job_(session.job()),
      executor_(session.executor()),
      comm_(session.comm()),
      folder_(options.run_folder, comm_.rank()),
      console_(session, folder_, options),
      store_(folder_.checkpoints(), static_cast<int>(job_.checkpoint.keep)) {
  works_beside_ = !session.device().host_addressable();
  const std::int64_t samples = session.inputs().train->size();
  per_epoch_ = (samples + job_.train.batch - 1) / job_.train.batch;
  total_ = job_.train.epochs * per_epoch_;
  if (job_.train.iterations > 0) total_ = std::min(total_, job_.train.iterations);
  identity_ = {session.graph().name(),
               job_.seed,
               job_.train.batch,
               session.plan().asked_batch,
               samples,
               options.job_text,
               network_to_toml(session.graph()),
               session.inputs().train->class_names()};
}

void Run::resume() {
  const std::optional<Resumed> found =
      resume_run(options_.resume, folder_.path(), store_, executor_, comm_, identity_);
  if (!found) {
    initialise(executor_, static_cast<std::uint64_t>(job_.seed));
    return;
  }
  position_ = found->position;
  saved_at_ = position_.iteration;
  if (position_.iteration > total_) {
    fail(ExitCode::usage,
         "the run in {} has done {} already, and the job asks for {}; raise {}, or choose another --run-dir",
         folder_.path(), counted(position_.iteration, "update"), total_,
         total_ == job_.train.iterations ? "train.iterations" : "train.epochs");
  }
  console_.log(fmt::format("resumes after update {}", position_.iteration));
  console_.line(fmt::format("resumes after {} of {} updates", position_.iteration, total_));
  for (const std::string& change : found->changes) {
    console_.say("changed since the checkpoint: " + change);
  }
}

Loader Run::make_loader() const {
  LoaderOptions options;
  options.batch = job_.train.batch;
  options.rank = comm_.rank();
  options.ranks = comm_.size();
  options.threads = static_cast<int>(job_.data.loader_threads);
  options.ahead = static_cast<int>(job_.data.ahead);
  if (job_.data.order == "window") options.window = job_.data.window;
  options.seed = static_cast<std::uint64_t>(job_.seed);
  options.augmentation = training_augmentation(job_, session_.graph().input());
  options.start_epoch = position_.iteration / per_epoch_;
  options.start_iteration = position_.iteration % per_epoch_;
  options.epochs = job_.train.epochs;
  return Loader(session_.inputs().train, session_.graph().input(), options);
}

TrainOutcome Run::go() {
  console_.start(per_epoch_);
  resume();
  folder_.write("job.toml", options_.job_text);
  folder_.write("plan.json", boost::json::serialize(plan_json(executor_.plan(), session_.graph())) + "\n");
  if (comm_.rank() == 0) folder_.write("plan.html", plan_page(executor_.plan(), session_.graph()));
  folder_.write(kKernelsFile, session_.kernels().table.text());
  std::int64_t evaluated = folder_.open_metrics(position_.iteration, position_.iteration >= total_) ? 1 : 0;
  comm_.broadcast(std::span<std::int64_t>(&evaluated, 1), 0, "start of training");
  if (evaluation_due() && evaluated == 0) end_of_epoch();
  epoch_start_ = Clock::now();
  if (position_.iteration < total_ && !stopping_) {
    Loader loader = make_loader();
    loader_ = &loader;
    start_window();
    while (position_.iteration < total_ && !stopping_) {
      const auto start = Clock::now();
      comm_.note(position_.iteration, "waits for data");
      const Batch* batch = loader.next();
      const double waited = seconds_since(start);
      const Sums sums = iterate(*batch);
      train_seconds_ += seconds_since(start);
      position_.seconds += seconds_since(start);
      data_wait_ += waited;
      window_.data_wait += waited;
      after_iteration(*batch, sums);
    }
    loader_ = nullptr;
  }
  if (stopping_) {
    console_.log("stops on request");
    save();
    console_.line(fmt::format("stopped on request after {} of {} updates; the same command continues",
                              position_.iteration, total_));
  }
  if (const Plan& plan = executor_.plan(); plan.request.batch < plan.asked_batch) {
    console_.line(fmt::format("THE GLOBAL BATCH WAS {} in place of {}, with {:g} x the learning rate, to fit",
                              plan.request.batch, plan.asked_batch, plan.learning_rate_factor()));
  }
  TrainOutcome outcome{stopping_ ? ExitCode::stopped : ExitCode::done,
                       run_summary(session_,
                                   {position_, total_, per_epoch_, train_seconds_, data_wait_,
                                    allocations_after_first_, evaluation_},
                                   options_.version)};
  folder_.write("summary.json", boost::json::serialize(outcome.summary) + "\n");
  comm_.barrier("end of training");
  return outcome;
}

Sums Run::iterate(const Batch& batch) {
  learning_rate_ = learning_rate(job_.optimizer, job_.schedule,
                                 static_cast<double>(position_.iteration) / static_cast<double>(per_epoch_),
                                 static_cast<double>(total_) / static_cast<double>(per_epoch_));
  StepContext context;
  context.seed = static_cast<std::uint64_t>(job_.seed);
  context.iteration = position_.iteration;
  context.sample_weight = 1 / static_cast<float>(batch.global_samples);
  context.learning_rate = static_cast<float>(learning_rate_);
  context.keeps_metrics = works_beside_;
  run_passes(executor_, batch, context);
  Metrics local;
  if (!works_beside_) {
    local = executor_.metrics();
  } else {
    // Such a device has its update in the queue before it is asked for anything: the host waits for it once.
    executor_.update(context);
    if (metrics_due()) {
      local = executor_.metrics();
      executor_.clear_metrics();
      gradient_norm_ = executor_.update_state().gradient_norm;
    }
  }
  const bool asked = options_.stop != nullptr && options_.stop->load();
  std::array<double, 5> shared{local.loss, local.top1, local.top5, local.samples, asked ? 1.0 : 0.0};
  Pending pending = comm_.start_all_reduce(shared.data(), static_cast<std::int64_t>(shared.size()),
                                           Element::f64, Reduction::sum, "loss");
  if (!works_beside_) {
    executor_.update(context);
    gradient_norm_ = executor_.update_state().gradient_norm;
  }
  pending.wait();
  ++position_.iteration;
  if (allocations_after_first_ < 0) allocations_after_first_ = session_.device().allocations();
  return {shared[0], shared[1], shared[2], shared[3], shared[4]};
}

bool Run::metrics_due() const {
  const std::int64_t next = position_.iteration + 1;
  return !works_beside_ || next % job_.log.every == 0 || next % per_epoch_ == 0 || next == total_ ||
         (job_.checkpoint.every_iterations > 0 && next % job_.checkpoint.every_iterations == 0);
}

/// The same on all ranks, which share their losses. Nothing of it is saved.
void Run::diverged(const char* which) const {
  fail(ExitCode::diverged,
       "the {} loss is not finite after update {} (epoch {}, learning rate {:g}); lower "
       "optimizer.learning_rate, add schedule.warmup_epochs or train.clip_norm{}",
       which, position_.iteration, epoch(), learning_rate_,
       saved_at_ < 0 ? "" : ". The checkpoints in " + folder_.checkpoints() + " are from before");
}

void Run::after_iteration(const Batch& batch, const Sums& sums) {
  if (!std::isfinite(sums.loss)) diverged("training");
  stopping_ = sums.stop > 0 && position_.iteration < total_;
  window_.sums += sums;
  window_.samples += static_cast<double>(batch.global_samples);
  if (sums.samples > 0) known_ = window_.sums;
  epoch_sums_ += sums;
  console_.show(state_of(batch));
  const bool epoch_ends = position_.iteration % per_epoch_ == 0 || position_.iteration == total_;
  if (position_.iteration % job_.log.every == 0 || epoch_ends) log_line(batch);
  const auto start = Clock::now();
  if (epoch_ends) end_of_epoch();
  const std::int64_t epoch = position_.iteration / per_epoch_;
  const bool by_epoch = job_.checkpoint.every_epochs > 0 && position_.iteration % per_epoch_ == 0 &&
                        epoch % job_.checkpoint.every_epochs == 0;
  const bool by_iteration =
      job_.checkpoint.every_iterations > 0 && position_.iteration % job_.checkpoint.every_iterations == 0;
  if (by_epoch || by_iteration || position_.iteration == total_) save();
  window_.other += seconds_since(start);
}

Progress::State Run::state_of(const Batch& batch) const {
  const double seconds = window_.seconds();
  const double rate = static_cast<double>(position_.iteration) / std::max(position_.seconds, 1e-9);
  const double samples = std::max(known_.samples, 1.0);
  double wait = window_.data_wait / seconds;
  std::string loader = wait > Progress::kNoticedWait ? loader_now().text() : "";
  if (longest_wait_.rank != 0 && longest_wait_.share > wait) {
    wait = longest_wait_.share;
    loader = fmt::format("rank {}", longest_wait_.rank);
  }
  return {batch.epoch,
          job_.train.epochs,
          position_.iteration,
          total_,
          batch.iteration + 1,
          per_epoch_,
          known_.loss / samples,
          known_.top1 / samples,
          window_.samples / seconds,
          wait,
          std::move(loader),
          static_cast<double>(total_ - position_.iteration) / std::max(rate, 1e-9)};
}

void Run::log_line(const Batch& batch) {
  console_.data_notes();
  const double samples = std::max(window_.sums.samples, 1.0);
  const double seconds = window_.seconds();
  const LoaderFigures loader = loader_now();
  longest_wait_ = longest_wait(comm_, window_.data_wait / seconds);
  boost::json::object line{{"kind", "train"},
                           {"iteration", position_.iteration},
                           {"epoch", batch.epoch + 1},
                           {"loss", window_.sums.loss / samples},
                           {"top1", window_.sums.top1 / samples},
                           {"top5", window_.sums.top5 / samples},
                           {"samples", window_.sums.samples},
                           {"learning_rate", learning_rate_},
                           {"images_per_second", window_.sums.samples / seconds},
                           {"data_wait_share", longest_wait_.share},
                           {"data_wait_rank", longest_wait_.rank},
                           {"data_batches_ready", loader.ready},
                           {"data_decode_rate", loader.decode_rate},
                           {"data_bytes_read", loader.bytes_read}};
  if (job_.train.clip_norm > 0) line["gradient_norm"] = gradient_norm_;
  folder_.add_metrics(line);
  start_window();
}

void Run::start_window() {
  window_ = {};
  window_.loader = loader_->statistics();
}

LoaderFigures Run::loader_now() const {
  return loader_figures(window_.loader, loader_->statistics(), static_cast<int>(job_.data.loader_threads),
                        job_.data.ahead, window_.seconds());
}

/// After the last update, and at the end of every so many epochs.
bool Run::evaluation_due() const {
  const std::int64_t every = job_.train.evaluate_every;
  return position_.iteration == total_ || (position_.iteration > 0 && position_.iteration % per_epoch_ == 0 &&
                                           every > 0 && position_.iteration / per_epoch_ % every == 0);
}

/// Evaluates, and says how it went; a request to stop ends it with nothing said, and the resumed run does it
/// anew.
std::string Run::evaluate_now() {
  comm_.note(position_.iteration, "evaluates");
  const Evaluation found = evaluate(executor_, session_.inputs().test, comm_,
                                    evaluation_augmentation(job_, session_.graph().input()),
                                    static_cast<int>(job_.data.loader_threads), options_.stop);
  if (found.stopped) {
    stopping_ = true;
    return "; stopped while evaluating";
  }
  if (!std::isfinite(found.loss)) diverged("test");
  evaluation_ = found;
  folder_.add_metrics({{"kind", "evaluation"},
                       {"iteration", position_.iteration},
                       {"epoch", epoch()},
                       {"loss", found.loss},
                       {"top1", found.top1},
                       {"top5", found.top5},
                       {"samples", found.samples},
                       {"seconds", found.seconds}});
  return fmt::format("; test loss {}, top-1 {:.4f}, top-5 {:.4f}", figure_text(found.loss), found.top1,
                     found.top5);
}

void Run::end_of_epoch() {
  std::string text = fmt::format("epoch {}/{}", epoch(), job_.train.epochs);
  if (epoch_sums_.samples > 0) {
    text +=
        fmt::format(": loss {}, top-1 {:.4f}, {:.1f} s", figure_text(epoch_sums_.loss / epoch_sums_.samples),
                    epoch_sums_.top1 / epoch_sums_.samples, seconds_since(epoch_start_));
  }
  if (evaluation_due()) text += evaluate_now();
  console_.data_notes();
  console_.say(text);
  epoch_sums_ = {};
  epoch_start_ = Clock::now();
}

void Run::save() {
  if (saved_at_ == position_.iteration) return;
  save_checkpoint(store_, executor_, comm_, position_, identity_);
  saved_at_ = position_.iteration;
  console_.log(fmt::format("saved a checkpoint after update {}", position_.iteration));
}

}  // namespace

TrainOutcome train(Session& session, const TrainOptions& options) {
  Run run(session, options);
  try {
    return run.go();
  } catch (const std::exception& problem) {
    run.log(problem.what());
    throw;
  }
}

}  // namespace convoy
