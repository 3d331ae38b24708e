#include "comm/nccl/nccl_communicator.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <exception>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "layers/core/clock.h"
#include "layers/core/error.h"

namespace convoy {
namespace {

constexpr double kLeaveSeconds = 10;

/// Failures that are another rank's or the network's.
bool comes_from_afar(ncclResult_t code) { return code == ncclRemoteError || code == ncclSystemError; }

}  // namespace

NcclCommunicator::NcclCommunicator(const NcclLibrary& library, Communicator& comm, double timeout_seconds)
    : library_(library), timeout_seconds_(timeout_seconds) {
  int version = 0;
  if (library_.get_version(&version) != ncclSuccess)
    fail(ExitCode::internal, "NCCL does not tell its version");
  version_ = nccl_version_text(version);

  // The id, and whether there is one.
  std::vector<std::uint8_t> bytes(sizeof(ncclUniqueId) + 1);
  std::string problem;
  if (comm.rank() == 0) {
    ncclUniqueId made{};
    const ncclResult_t code = library_.get_unique_id(&made);
    if (code != ncclSuccess) problem = words(code);
    std::memcpy(bytes.data(), &made, sizeof made);
    bytes.back() = problem.empty() ? 1 : 0;
  }
  comm.broadcast(std::span<std::uint8_t>(bytes), 0, "NCCL's unique id");
  if (bytes.back() == 0) fail(ExitCode::internal, "NCCL does not start on rank 0 {}", problem);
  ncclUniqueId id{};
  std::memcpy(&id, bytes.data(), sizeof id);

  problem = join(comm, id);
  const std::vector<std::string> problems = comm.gather_strings(problem, "start of NCCL");
  std::string all;
  for (std::size_t rank = 0; rank < problems.size(); ++rank) {
    if (!problems[rank].empty())
      all += fmt::format("{}rank {}: {}", all.empty() ? "" : "; ", rank, problems[rank]);
  }
  if (all.empty()) return;
  leave();
  fail(ExitCode::lost_rank,
       "NCCL does not join the ranks: {}; set NCCL_DEBUG=INFO to see why (NCCL_SOCKET_IFNAME names its "
       "network), "
       "or comm.gradients = \"host\" to do without it",
       all);
}

std::string NcclCommunicator::join(Communicator& comm, const ncclUniqueId& id) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  const ncclResult_t begun =
      guarded([&] { return library_.init_rank(&comm_, comm.size(), id, comm.rank(), &config); });
  const ncclResult_t code = comm_ == nullptr ? begun : settle(begun, timeout_seconds_);
  if (code == ncclSuccess) return "";
  if (code == ncclInProgress) return fmt::format("not done after {:g} s", timeout_seconds_);
  return words(code);
}

NcclCommunicator::~NcclCommunicator() {
  if (comm_ == nullptr || aborted_) return;
  const bool clean = std::uncaught_exceptions() <= exceptions_ &&
                     settle(library_.finalize(comm_), kLeaveSeconds) == ncclSuccess;
  if (!clean) {
    leave();
  } else {
    (void)library_.destroy(comm_);
  }
}

/// Without regard for the others. ncclCommAbort joins NCCL's threads, and may wait for one that waits for a
/// device that has failed; then it is left behind, for the process is about to end.
void NcclCommunicator::leave() {
  if (comm_ == nullptr || aborted_) return;
  auto left = std::make_shared<std::promise<void>>();
  const std::future<void> done = left->get_future();
  std::thread([left, abort = library_.abort, comm = comm_] {
    (void)abort(comm);
    left->set_value();
  }).detach();
  done.wait_for(std::chrono::duration<double>(kLeaveSeconds));
  comm_ = nullptr;
}

ncclResult_t NcclCommunicator::guarded(const std::function<ncclResult_t()>& work) {
  const std::lock_guard lock(mutex_);
  if (aborted_) throw Error(ExitCode::lost_rank, reason_);
  return work();
}

ncclResult_t NcclCommunicator::settle(ncclResult_t code, double seconds) {
  const auto start = Clock::now();
  while (code == ncclInProgress && seconds_since(start) < seconds) {
    // Work is in its stream within microseconds; joining takes seconds.
    if (seconds_since(start) < 1e-3) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    ncclResult_t state = ncclSuccess;
    const ncclResult_t asked = guarded([&] { return library_.get_async_error(comm_, &state); });
    code = asked == ncclSuccess ? state : asked;
  }
  return code;
}

void NcclCommunicator::call(const std::string& what, const std::function<ncclResult_t(ncclComm_t)>& work) {
  const ncclResult_t code = settle(guarded([&] { return work(comm_); }), timeout_seconds_);
  if (code == ncclSuccess) return;
  if (code == ncclInProgress)
    fail(ExitCode::lost_rank, "NCCL has not begun {} after {:g} s", what, timeout_seconds_);
  fail(comes_from_afar(code) ? ExitCode::lost_rank : ExitCode::internal, "NCCL failed in {} {}", what,
       words(code));
}

std::string NcclCommunicator::trouble() {
  // A call that does not return must not keep the watch from its clock.
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || aborted_ || comm_ == nullptr) return "";
  ncclResult_t state = ncclSuccess;
  const ncclResult_t asked = library_.get_async_error(comm_, &state);
  const ncclResult_t code = asked == ncclSuccess ? state : asked;
  return code == ncclSuccess || code == ncclInProgress ? "" : "NCCL failed " + words(code);
}

void NcclCommunicator::abort(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (aborted_ || comm_ == nullptr) return;
    aborted_ = true;
    reason_ = reason;
  }
  // It waits until no recording has collectives in it any more. Whoever holds them must learn meanwhile that
  // it is over.
  (void)library_.abort(comm_);
}

std::string NcclCommunicator::words(ncclResult_t code) const {
  const char* last = library_.last_error(comm_);
  return fmt::format("({}{}{})", library_.error_string(code), last == nullptr || *last == '\0' ? "" : "; ",
                     last == nullptr ? "" : last);
}

}  // namespace convoy
