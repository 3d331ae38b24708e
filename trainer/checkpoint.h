#pragma once

#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "trainer/executor.h"
#include "trainer/job.h"
#include "trainer/storage/checkpoint_store.h"

namespace convoy {

/// Where a run stands.
struct Position {
  std::int64_t iteration = 0;  ///< updates done
  double seconds = 0;          ///< spent in training so far, over all resumes
};

/// What a checkpoint must share with a job for its position to mean the same.
struct CheckpointIdentity {
  std::string network;  ///< name
  std::int64_t seed = 0;
  std::int64_t batch = 0;        ///< global, as the plan has it
  std::int64_t asked_batch = 0;  ///< as the job has it
  std::int64_t samples = 0;      ///< of the training set
  std::string job_text;          ///< resolved job file
  std::string network_text;      ///< the network with its blocks written out
  std::vector<std::string> class_names;
};

/// Saves weights, momentum, running statistics and position. Rank 0 writes; all ranks learn whether it went
/// well and throw together when not.
void save_checkpoint(const CheckpointStore& store, Executor& executor, Communicator& comm,
                     const Position& position, const CheckpointIdentity& identity);

/// Where to resume from: the newest whole checkpoint of a store, or one file.
struct ResumeSource {
  const CheckpointStore* store = nullptr;
  std::string path;  ///< instead of the store, when not empty
};

/// Where a run goes on, and what is not as it was when it stopped.
struct Resumed {
  Position position;
  std::vector<std::string> changes;  ///< in the job and in the network, one a line; on rank 0 only
};

/// Rank 0 reads, all ranks receive. nullopt when the store holds no checkpoint. Warnings about broken ones go
/// to standard error. Error(usage) when the checkpoint is of another network (by its tensors), batch, seed,
/// data set or classes (by their names); other changes are allowed and told.
std::optional<Resumed> restore_checkpoint(const ResumeSource& source, Executor& executor, Communicator& comm,
                                          const CheckpointIdentity& identity);

/// What load_weights found beside the weights.
struct LoadedWeights {
  std::string path;
  std::int64_t iteration = 0;
  std::vector<std::string> class_names;  ///< empty when the file has none
};

/// Takes weights and running statistics alone, for evaluation and prediction: those of the newest whole
/// checkpoint of `store`, or of the file `path` when that is not empty.
LoadedWeights load_weights(const ResumeSource& source, Executor& executor);

}  // namespace convoy
