#pragma once

#include <memory>
#include <optional>

#include "comm/backoff.h"
#include "comm/mpi_control.h"
#include "comm/mpi_exchange.h"
#include "comm/mpi_queue.h"

namespace convoy {

/// The communication thread: makes every MPI call of this process, from MPI_Init_thread to MPI_Finalize.
/// Takes the operations from the queue one by one, answers the other ranks meanwhile, and sees to timeouts.
class MpiEngine {
 public:
  MpiEngine(std::shared_ptr<MpiQueue> queue, double timeout_seconds)
      : queue_(std::move(queue)), timeout_seconds_(timeout_seconds) {}

  /// The thread's body. Errors go to the queue. When no one takes notice of one, it prints it and ends the
  /// job.
  void run(int* argc, char*** argv) noexcept;

  // What the program may ask once the queue is ready.
  int rank() const { return control_->rank(); }
  int size() const { return control_->size(); }
  int local_rank() const { return control_->local_rank(); }
  int local_size() const { return control_->local_size(); }
  Activity& activity() { return activity_; }

 private:
  void start(int* argc, char*** argv);
  void serve_queue();
  void perform(MpiPending& pending);
  void finalize();
  void linger(const Error& error);
  void keep_waiting(bool restart);
  void look_after_peers();
  void wait_until_quiet(double seconds);
  RankStatus status() const;
  void abort_if_requested() const;

  const std::shared_ptr<MpiQueue> queue_;
  const double timeout_seconds_;
  Activity activity_;
  std::optional<MpiControl> control_;
  std::optional<MpiExchange> exchange_;

  // The operation under way, or the last one.
  std::shared_ptr<MpiPending> current_;
  std::int64_t sequence_ = 0;
  bool busy_ = false;
  std::uint64_t signature_ = 0;

  Backoff backoff_;
  Clock::time_point since_;      ///< when it began
  Clock::time_point last_look_;  ///< when peers were looked after
  double next_question_ = 0;     ///< seconds after since_
  bool asked_ = false;
  double stood_still_ = 0;  ///< seconds in which this process did not run, and which count for no timeout
};

/// Ends the job with `code`: MPI_Abort, and if that hangs, the process alone after 5 s. Communication thread
/// only.
[[noreturn]] void abort_mpi(int code);

}  // namespace convoy
