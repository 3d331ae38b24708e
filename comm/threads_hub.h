#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "comm/activity.h"
#include "comm/diagnosis.h"
#include "comm/operation.h"

namespace convoy {

/// Where ranks that are threads of one process meet. The rank that joins an operation last does it for all.
class ThreadsHub {
 public:
  ThreadsHub(int ranks, double timeout_seconds) : timeout_seconds_(timeout_seconds), ranks_(ranks) {}

  int size() const { return static_cast<int>(ranks_.size()); }

  /// Joins the next operation of `rank` and gives its number. Throws like wait().
  std::int64_t join(int rank, Operation operation);
  void wait(int rank, std::int64_t sequence);
  bool done(int rank, std::int64_t sequence) const;

  void note(int rank, std::int64_t step, const char* text) { at(rank).activity.note(step, text); }
  /// The rank's body is over: "has returned", "ended with an error: …". Who waits for it fails at once.
  void end(int rank, std::string how);
  void abort(const Error& error);

 private:
  struct Rank {
    std::int64_t joined = 0;  ///< operations so far
    std::string ended;
    Activity activity;
  };
  struct Meeting {
    std::vector<Operation> parts;  ///< by rank
    std::vector<bool> present;
    std::vector<Clock::time_point> since;
    int arrived = 0;
  };

  Rank& at(int rank) { return ranks_[static_cast<std::size_t>(rank)]; }
  bool finished(std::int64_t sequence) const { return sequence <= finished_; }
  void run(std::int64_t sequence, std::unique_lock<std::mutex>& lock);
  void throw_if_broken(int rank) const;
  RankStatus status_of(int rank) const;
  std::optional<Error> look(int rank, double waited, bool final) const;

  const double timeout_seconds_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Rank> ranks_;
  std::map<std::int64_t, Meeting> open_;  ///< operations that some rank joined and that are not finished
  std::int64_t finished_ = 0;             ///< operations 1 … finished_ are done
  Clock::time_point last_finished_ = Clock::now();
  std::optional<Error> broken_;  ///< no operation can be finished any more
  bool timed_out_ = false;       ///< broken by a timeout: each waiting rank says for itself who is missing
};

}  // namespace convoy
