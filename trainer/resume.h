#pragma once

#include "trainer/checkpoint.h"

namespace convoy {

/// Takes the executor to where an earlier run in the folder `run` stopped, by the word of `--resume`: "auto"
/// (the newest whole checkpoint of `store`; nullopt when there is none), "no" (a fresh start, nullopt), or
/// the path of one checkpoint. Error(usage) when "no" meets checkpoints of another run, or when a checkpoint
/// given by path is older than those of the folder, which would win at the next resume. All ranks decide
/// alike.
std::optional<Resumed> resume_run(const std::string& word, const std::string& run,
                                  const CheckpointStore& store, Executor& executor, Communicator& comm,
                                  const CheckpointIdentity& identity);

}  // namespace convoy
