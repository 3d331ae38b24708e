#pragma once

#include "trainer/checkpoint.h"

namespace convoy {

/// The global batch of the checkpoint that a run will go on from, where the planner had made that smaller
/// than the job's and may do so again (PlanRequest::kept_batch); 0 otherwise. Rank 0 reads, all ranks learn
/// it. What is wrong with the checkpoint is for resume_run to tell.
std::int64_t kept_batch(const Job& job, const std::string& run, const std::string& word, Communicator& comm);

/// Takes the executor to where an earlier run in the folder `run` stopped, by the word of `--resume`: "auto"
/// (the newest whole checkpoint of `store`; nullopt when there is none), "no" (a fresh start, nullopt), or
/// the path of one checkpoint. Error(usage) when "no" meets checkpoints of another run, or when a checkpoint
/// given by path is older than those of the folder, which would win at the next resume. All ranks decide
/// alike.
std::optional<Resumed> resume_run(const std::string& word, const std::string& run,
                                  const CheckpointStore& store, Executor& executor, Communicator& comm,
                                  const CheckpointIdentity& identity);

}  // namespace convoy
