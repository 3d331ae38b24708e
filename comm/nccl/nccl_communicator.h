#pragma once

#include <exception>
#include <functional>
#include <mutex>
#include <string>

#include "comm/communicator.h"
#include "comm/nccl/nccl_library.h"

namespace convoy {

/// An NCCL communicator that never blocks its callers (ncclConfig_t::blocking = 0): each call returns at
/// once, and what it began is asked for until it is settled or the timeout has passed. NCCL's user guide,
/// "Fault Tolerance".
class NcclCommunicator {
 public:
  /// All ranks together, in which each has set its own GPU. Rank 0's unique id goes to all by `comm`.
  /// Error(lost_rank) on every rank, with the words of those that failed.
  NcclCommunicator(const NcclLibrary& library, Communicator& comm, double timeout_seconds);
  /// Waits until the ranks are done with each other; after an error it leaves at once.
  ~NcclCommunicator();
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  /// Makes a call that puts work into a stream, and returns when it is there. `what` is for messages.
  /// Error(lost_rank) when NCCL says that another rank or the network failed, or was aborted; else
  /// Error(internal).
  void call(const std::string& what, const std::function<ncclResult_t(ncclComm_t)>& work);

  /// What has failed since, in words; "" while nothing has, or while a call is under way. Any thread.
  std::string trouble();
  /// Ends what runs on the device. All calls from now on throw Error(lost_rank) with `reason`. Returns when
  /// no recording has work of it any more. Any thread.
  void abort(const std::string& reason);

  /// "2.28.9".
  const std::string& version() const { return version_; }

 private:
  /// Makes one call, unless the communicator was aborted.
  ncclResult_t guarded(const std::function<ncclResult_t()>& work);
  /// Asks until the last call is settled. ncclInProgress: it is not after `seconds`.
  ncclResult_t settle(ncclResult_t code, double seconds);
  std::string words(ncclResult_t code) const;
  std::string join(Communicator& comm, const ncclUniqueId& id);
  void leave();

  const NcclLibrary& library_;
  const double timeout_seconds_;
  const int exceptions_ = std::uncaught_exceptions();
  std::string version_;
  std::mutex mutex_;  ///< of each single call, so that an abort never comes amid one
  ncclComm_t comm_ = nullptr;
  bool aborted_ = false;
  std::string reason_;
};

}  // namespace convoy
