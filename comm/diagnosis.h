#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "comm/activity.h"
#include "layers/core/error.h"

namespace convoy {

/// Where a rank is in the common sequence of operations, and what its program does.
struct RankStatus {
  std::int64_t sequence = 0;  ///< number of the operation it began last, from 1; 0 before the first
  bool busy = false;          ///< that operation is not finished
  std::uint64_t signature = 0;
  std::string operation;  ///< Operation::text() of it
  std::string ended;      ///< not empty when it will join no further operation: "has returned"
  Activity::Snapshot activity;
};

/// A rank as seen by another.
struct Peer {
  int rank = 0;
  std::string place;                 ///< "host n1, pid 4711", "thread"
  std::optional<RankStatus> status;  ///< its answer; nothing when it did not answer
};

/// Why `self` waits, from the answers of its peers. Missing are the ranks that do not answer, and those that
/// are in no operation and have not begun this one. A rank that waits in an operation is not missing, so
/// ranks that wait for one another name the one that holds them all up. Before the timeout (`final` false)
/// there is an answer only when waiting on is of no use: a rank has ended, or does a different operation.
std::optional<Error> diagnose(const Peer& self, double waited_seconds, std::span<const Peer> peers,
                              bool final);

/// "step 57, backward conv2, for 30 s".
std::string text_of(const Activity::Snapshot& activity);

}  // namespace convoy
