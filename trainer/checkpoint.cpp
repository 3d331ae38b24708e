#include "trainer/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "trainer/class_identity.h"
#include "trainer/parameters.h"
#include "trainer/resume_changes.h"

namespace convoy {
namespace {

std::int64_t number(const Metadata& metadata, const std::string& key, const std::string& path) {
  const auto found = metadata.find(key);
  try {
    if (found != metadata.end()) return std::stoll(found->second);
  } catch (const std::exception&) {
  }
  fail(ExitCode::usage, "{}: its metadata lack the number \"{}\"; it is no checkpoint of a training run",
       path, key);
}

void check_identity(const Metadata& metadata, const CheckpointIdentity& identity, const std::string& path) {
  const auto compare = [&](const char* key, std::int64_t now) {
    const std::int64_t then = number(metadata, std::string("convoy.") + key, path);
    if (then == now) return;
    fail(ExitCode::usage,
         "{}: it was made with {} = {}, and the job has {}; resuming would not continue the same run. Set it "
         "back, or choose "
         "another --run-dir",
         path, key, then, now);
  };
  compare("seed", identity.seed);
  compare("batch", identity.batch);
  compare("samples", identity.samples);
  check_class_names(class_names_of(metadata, path), identity.class_names, path);
}

std::vector<std::string> changes_since(const Metadata& metadata, const CheckpointIdentity& identity) {
  std::vector<std::string> changes;
  const auto add = [&](const char* key, auto* compare, const std::string& now) {
    const auto found = metadata.find(key);
    if (found == metadata.end()) return;
    for (std::string& change : compare(found->second, now)) changes.push_back(std::move(change));
  };
  add("convoy.layers", network_changes, identity.network_text);
  add("convoy.job", job_changes, identity.job_text);
  return changes;
}

/// "value good_updates", "" without a loss scale.
std::string loss_scale_text(const Executor& executor) {
  if (!executor.scales_loss()) return "";
  const UpdateState state = executor.update_state();
  return fmt::format("{} {}", state.loss_scale, state.good_updates);
}

/// Goes on with a loss scale as if all updates since it was that had been here.
void set_loss_scale(Executor& executor, double scale, std::int64_t good_updates) {
  if (!executor.scales_loss()) return;
  UpdateState state = executor.update_state();
  state.loss_scale = scale;
  state.good_updates = good_updates;
  executor.set_update_state(state);
}

/// A checkpoint of another precision has none: the first value will do.
void restore_loss_scale(const Metadata& metadata, Executor& executor, const std::string& path) {
  const auto found = metadata.find("convoy.loss_scale");
  if (!executor.scales_loss() || found == metadata.end() || found->second.empty()) return;
  double scale = 0;
  std::int64_t good_updates = 0;
  std::istringstream words(found->second);
  if (!(words >> scale >> good_updates) || !(scale >= 1 && scale <= 0x1p30) || good_updates < 0)
    fail(ExitCode::usage, "{}: its loss scale \"{}\" is none", path, found->second);
  set_loss_scale(executor, scale, good_updates);
}

Resumed read_checkpoint(const SafetensorsStream& file, const std::string& path, Executor& executor,
                        const CheckpointIdentity& identity) {
  const Position position{number(file.metadata(), "convoy.iteration", path),
                          static_cast<double>(number(file.metadata(), "convoy.milliseconds", path)) / 1000};
  check_identity(file.metadata(), identity, path);
  import_tensors(executor, file.tensors(), true, path, file.unsupported());
  restore_loss_scale(file.metadata(), executor, path);
  return {position, changes_since(file.metadata(), identity)};
}

/// What is not finite must not take the place of the last good checkpoint.
void check_finite(const std::string& name, std::span<const std::byte> data, std::int64_t iteration) {
  for (std::size_t at = 0; at < data.size(); at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, data.data() + at, sizeof value);
    if (std::isfinite(value)) continue;
    fail(ExitCode::diverged,
         "tensor \"{}\" is not finite after update {}, so no checkpoint was saved; lower "
         "optimizer.learning_rate, add schedule.warmup_epochs or train.clip_norm",
         name, iteration);
  }
}

/// Runs `work` on rank 0, where it may read and write the executor's parameters; when it throws, all ranks
/// throw the same.
template <class Work>
void on_first_rank(Executor& executor, Communicator& comm, const std::string& what, Work&& work) {
  std::string problem;
  std::int64_t code = 0;
  if (comm.rank() == 0) {
    try {
      executor.lead(work);
    } catch (const Error& error) {
      problem = error.what();
      code = static_cast<std::int64_t>(error.code());
    } catch (const std::exception& error) {
      problem = error.what();
      code = static_cast<std::int64_t>(ExitCode::internal);
    }
  } else {
    executor.follow_lead(0);
  }
  comm.broadcast(std::span<std::int64_t>(&code, 1), 0, what);
  if (code == 0) return;
  throw Error(static_cast<ExitCode>(code), comm.broadcast_string(problem, 0, what));
}

}  // namespace

void save_checkpoint(const CheckpointStore& store, Executor& executor, Communicator& comm,
                     const Position& position, const CheckpointIdentity& identity) {
  comm.note(position.iteration, "saves a checkpoint");
  on_first_rank(executor, comm, "checkpoint", [&] {
    std::vector<TensorSource> tensors = export_sources(executor, true);
    for (TensorSource& tensor : tensors) {
      tensor.read = [name = tensor.name, read = std::move(tensor.read), &position] {
        const std::span<const std::byte> data = read();
        check_finite(name, data, position.iteration);
        return data;
      };
    }
    store.save(position.iteration, tensors,
               {{"convoy.network", identity.network},
                {"convoy.classes", class_names_text(identity.class_names)},
                {"convoy.iteration", std::to_string(position.iteration)},
                {"convoy.milliseconds", std::to_string(static_cast<std::int64_t>(position.seconds * 1000))},
                {"convoy.seed", std::to_string(identity.seed)},
                {"convoy.batch", std::to_string(identity.batch)},
                {"convoy.asked_batch", std::to_string(identity.asked_batch)},
                {"convoy.samples", std::to_string(identity.samples)},
                {"convoy.loss_scale", loss_scale_text(executor)},
                {"convoy.job", identity.job_text},
                {"convoy.layers", identity.network_text}});
  });
}

std::optional<Resumed> restore_checkpoint(const ResumeSource& source, Executor& executor, Communicator& comm,
                                          const CheckpointIdentity& identity) {
  std::optional<Resumed> resumed;
  std::vector<double> state(4, -1.0);
  on_first_rank(executor, comm, "checkpoint to resume from", [&] {
    if (!source.path.empty()) {
      resumed = read_checkpoint(open_checkpoint(source.path), source.path, executor, identity);
    } else if (const auto found = source.store->newest()) {
      for (const std::string& warning : found->warnings) fmt::print(stderr, "convoy: warning: {}\n", warning);
      resumed = read_checkpoint(found->file, found->path, executor, identity);
    }
    if (!resumed) return;
    const UpdateState updates = executor.update_state();
    state = {static_cast<double>(resumed->position.iteration), resumed->position.seconds, updates.loss_scale,
             static_cast<double>(updates.good_updates)};
  });
  comm.broadcast(state, 0, "position");
  if (state[0] < 0) return std::nullopt;
  executor.broadcast_from(0);
  set_loss_scale(executor, state[2], static_cast<std::int64_t>(state[3]));
  if (!resumed) resumed = Resumed{{static_cast<std::int64_t>(state[0]), state[1]}, {}};
  return resumed;
}

LoadedWeights load_weights(const ResumeSource& source, Executor& executor) {
  LoadedWeights loaded;
  const auto take = [&](const SafetensorsStream& file, const std::string& path) {
    import_tensors(executor, file.tensors(), false, path, file.unsupported());
    loaded.path = path;
    if (file.metadata().contains("convoy.iteration"))
      loaded.iteration = number(file.metadata(), "convoy.iteration", path);
    loaded.class_names = class_names_of(file.metadata(), path);
  };
  if (!source.path.empty()) {
    take(SafetensorsStream::open(source.path), source.path);
  } else if (const auto found = source.store->newest()) {
    for (const std::string& warning : found->warnings) fmt::print(stderr, "convoy: warning: {}\n", warning);
    take(found->file, found->path);
  } else {
    fail(ExitCode::usage, "there is no checkpoint yet; train first, or name a file with --checkpoint");
  }
  return loaded;
}

}  // namespace convoy
