#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "comm/activity.h"
#include "comm/communicator.h"
#include "comm/operation.h"

namespace convoy {

class MpiQueue;

/// An operation on its way from the program to the communication thread and back.
class MpiPending final : public Pending::State {
 public:
  MpiPending(std::shared_ptr<MpiQueue> queue, Operation operation)
      : queue_(std::move(queue)), operation_(std::move(operation)) {}
  void wait() override;
  bool done() const override { return finished_.load(std::memory_order_acquire); }
  const Operation& operation() const { return operation_; }

 private:
  friend class MpiQueue;
  const std::shared_ptr<MpiQueue> queue_;
  const Operation operation_;
  std::atomic<bool> finished_{false};
  std::optional<Error> error_;  ///< written before finished_
};

/// What the threads of a program and its communication thread share. Any thread may call anything.
class MpiQueue : public std::enable_shared_from_this<MpiQueue> {
 public:
  explicit MpiQueue(double timeout_seconds) : timeout_seconds_(timeout_seconds) {}

  // The program's side.
  std::shared_ptr<MpiPending> submit(Operation operation);
  void wait(MpiPending& pending);
  /// Waits until MPI is up; rethrows what went wrong.
  void wait_until_ready();
  void request_stop(bool clean);
  void request_abort(int code);
  /// True when the communication thread is done with MPI within `seconds`.
  bool wait_until_ended(double seconds);
  bool failed() const;

  // The communication thread's side.
  void set_ready();
  void set_ended();
  /// Sleeps until there is something to do, `interval` at most.
  void sleep(std::chrono::milliseconds interval);
  std::shared_ptr<MpiPending> pop();  ///< null when there is none
  void finish(MpiPending& pending);
  /// All operations, queued, to come, and `current` (may be null), end with `error`.
  void fail_all(MpiPending* current, const Error& error);
  void beat() { beat_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed); }
  std::optional<bool> stop_requested() const;                                     ///< and whether cleanly
  int abort_requested() const { return abort_.load(std::memory_order_relaxed); }  ///< exit code, or 0
  bool error_seen() const { return error_seen_.load(std::memory_order_relaxed); }

 private:
  void settle(MpiPending& pending, const std::optional<Error>& error);
  double seconds_since_beat() const;

  const double timeout_seconds_;
  mutable std::mutex mutex_;
  std::condition_variable work_;     ///< for the communication thread
  std::condition_variable changed_;  ///< for the program
  std::deque<std::shared_ptr<MpiPending>> waiting_;
  std::optional<Error> error_;
  std::optional<bool> stop_;
  bool ready_ = false;
  bool ended_ = false;
  std::atomic<int> abort_{0};
  std::atomic<bool> error_seen_{false};
  std::atomic<Clock::rep> beat_{Clock::now().time_since_epoch().count()};
};

}  // namespace convoy
