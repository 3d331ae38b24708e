#include "trainer/resume.h"

#include <algorithm>

#include "layers/core/error.h"

namespace convoy {
namespace {

/// Of a checkpoint that a run of the same train.batch left; 0 where there is none.
std::int64_t batch_of(const Metadata& metadata, std::int64_t asked) {
  const auto batch = metadata.find("convoy.batch");
  const auto before = metadata.find("convoy.asked_batch");
  if (batch == metadata.end() || before == metadata.end() || before->second != std::to_string(asked))
    return 0;
  const std::int64_t taken = std::stoll(batch->second);
  return taken < asked ? taken : 0;
}

void refuse_any(const CheckpointStore& store, const std::string& run, Communicator& comm) {
  std::int64_t there = comm.rank() == 0 ? static_cast<std::int64_t>(store.list().size()) : 0;
  comm.broadcast(std::span<std::int64_t>(&there, 1), 0, "state of the run folder");
  if (there > 0) {
    fail(ExitCode::usage,
         "{} holds checkpoints of a run already; with --resume no, choose another --run-dir or remove it",
         run);
  }
}

void refuse_newer(const CheckpointStore& store, const std::string& run, Communicator& comm,
                  const std::string& path, std::int64_t iteration) {
  std::int64_t newest = comm.rank() == 0 ? store.newest_step() : 0;
  comm.broadcast(std::span<std::int64_t>(&newest, 1), 0, "state of the run folder");
  if (newest > iteration) {
    fail(ExitCode::usage,
         "{} holds a checkpoint after update {} already, and {} is from after update {}; go on from there "
         "with "
         "--resume auto, choose another --run-dir, or remove the later checkpoints",
         run, newest, path, iteration);
  }
}

}  // namespace

std::int64_t kept_batch(const Job& job, const std::string& run, const std::string& word, Communicator& comm) {
  const std::vector<std::string>& allow = job.memory.allow;
  if (word == "no" || std::find(allow.begin(), allow.end(), "global_batch") == allow.end()) return 0;
  std::int64_t batch = 0;
  if (comm.rank() == 0) {
    try {
      if (word != "auto") {
        batch = batch_of(open_checkpoint(word).metadata(), job.train.batch);
      } else if (const auto found = CheckpointStore(run + "/checkpoints", 1).newest()) {
        batch = batch_of(found->file.metadata(), job.train.batch);
      }
    } catch (const std::exception&) {
      batch = 0;
    }
  }
  comm.broadcast(std::span<std::int64_t>(&batch, 1), 0, "batch of the run");
  return batch;
}

std::optional<Resumed> resume_run(const std::string& word, const std::string& run,
                                  const CheckpointStore& store, Executor& executor, Communicator& comm,
                                  const CheckpointIdentity& identity) {
  if (word == "no") {
    refuse_any(store, run, comm);
    return std::nullopt;
  }
  if (word == "auto") return restore_checkpoint({&store, ""}, executor, comm, identity);
  const std::optional<Resumed> found = restore_checkpoint({nullptr, word}, executor, comm, identity);
  refuse_newer(store, run, comm, word, found->position.iteration);
  return found;
}

}  // namespace convoy
