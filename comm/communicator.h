#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comm/status_page.h"
#include "layers/core/error.h"

namespace convoy {

enum class Reduction { sum, max, min };  ///< max and min keep a NaN that any rank holds
enum class Element { f32, f64, s64, u8 };

/// Bytes of one element.
std::int64_t size_of(Element element);

/// A collective under way. The memory handed to start_* belongs to it until wait() returned. An empty Pending
/// is done. Destroying one without waiting is allowed only after abort or after an error.
class Pending {
 public:
  struct State {
    virtual ~State() = default;
    virtual void wait() = 0;
    virtual bool done() const = 0;
  };

  Pending() = default;
  explicit Pending(std::shared_ptr<State> state) : state_(std::move(state)) {}

  /// Returns when the result is in place; waiting again returns at once. Throws Error(lost_rank), every time,
  /// when a rank was lost or late, and Error(internal) when the ranks disagree about the operation.
  void wait() {
    if (state_) state_->wait();
  }
  /// True when wait() will not block: the result is in place, or the operation failed.
  bool done() const { return !state_ || state_->done(); }

 private:
  std::shared_ptr<State> state_;
};

/// The ranks of a job, and the collectives between them. All ranks start the same operations in the same
/// order; several may be under way, and they finish in order. Every operation works in place on host memory,
/// and fails after CommOptions::timeout_seconds with a message that names the ranks that are missing.
/// Reductions go in the order of the ranks for every element, so the result has the same bits on every rank,
/// in every run, however the data is cut into operations, and for every kind of communicator. `name` is for
/// messages ("gradient bucket 3"). One thread at a time may call start_* and the blocking helpers.
class Communicator {
 public:
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  /// `mpi`: waits for the other ranks to be done too, like an operation with the timeout, and aborts the job
  /// when they are not; but does not wait after a failed operation or while an exception is in flight.
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual int local_rank() const = 0;    ///< this rank among those of the same host
  virtual int local_size() const = 0;    ///< ranks on this host
  virtual std::string kind() const = 0;  ///< "single", "threads" or "mpi"
  /// Host memory that the collectives take beside the data they work on.
  virtual std::int64_t buffer_bytes() const { return 0; }

  /// data[0, count): on return the reduction over the ranks, on every rank.
  virtual Pending start_all_reduce(void* data, std::int64_t count, Element element, Reduction reduction,
                                   std::string name) = 0;
  /// data holds size() slices of count_per_rank elements; on return slice rank() holds its reduction over the
  /// ranks. The other slices keep their values.
  virtual Pending start_reduce_scatter(void* data, std::int64_t count_per_rank, Element element,
                                       Reduction reduction, std::string name) = 0;
  /// data holds size() slices of count_per_rank elements, slice rank() filled; on return all are.
  virtual Pending start_all_gather(void* data, std::int64_t count_per_rank, Element element,
                                   std::string name) = 0;
  /// data[0, count): on return the values of rank `root`, on every rank.
  virtual Pending start_broadcast(void* data, std::int64_t count, Element element, int root,
                                  std::string name) = 0;
  /// Returns when every rank has called it.
  virtual void barrier(std::string name) = 0;

  /// What this rank is doing from now on, for the messages of the others when it is late: step 57, "backward
  /// conv2". Cheap (no lock, no allocation), any thread. `activity` must live as long as the communicator.
  virtual void note(std::int64_t step, const char* activity) = 0;

  /// Ends the whole job. `mpi`: prints `message` on standard error, ends every rank with `code` and does not
  /// return. `threads`: every operation of every rank, under way or to come, throws Error(code); returns.
  /// `single`: prints `message` and exits with `code`.
  virtual void abort(ExitCode code, const std::string& message) = 0;

  // The same, blocking and typed.
  void all_reduce(std::span<float> data, Reduction reduction, const std::string& name);
  void all_reduce(std::span<double> data, Reduction reduction, const std::string& name);
  void all_reduce(std::span<std::int64_t> data, Reduction reduction, const std::string& name);
  double all_reduce(double value, Reduction reduction, const std::string& name);
  std::int64_t all_reduce(std::int64_t value, Reduction reduction, const std::string& name);
  void broadcast(std::span<float> data, int root, const std::string& name);
  void broadcast(std::span<double> data, int root, const std::string& name);
  void broadcast(std::span<std::int64_t> data, int root, const std::string& name);
  void broadcast(std::span<std::uint8_t> data, int root, const std::string& name);
  /// The text of rank `root`, on every rank; it may be of any size there.
  std::string broadcast_string(const std::string& text, int root, const std::string& name);
  /// The texts of all ranks, by rank, on every rank. They may differ in size.
  std::vector<std::string> gather_strings(const std::string& text, const std::string& name);
};

struct CommOptions {
  double timeout_seconds = 300;  ///< of one operation, from the moment this rank could go on with it
  StatusPage* status = nullptr;  ///< mpi: notes go here too, for a supervising process
};

/// One rank alone: every collective is done at once.
std::unique_ptr<Communicator> make_single();

/// Joins the MPI job; once per process. A thread of its own makes all MPI calls, MPI_Init_thread and
/// MPI_Finalize included. `argc` and `argv` may be null. Hold it outside the try block whose handler calls
/// abort(). Throws Error(lost_rank) when the ranks do not come together within the timeout, Error(internal)
/// when MPI fails.
std::unique_ptr<Communicator> make_mpi(int* argc, char*** argv, const CommOptions& options = {});

/// Communicator::buffer_bytes of a rank in a job of so many MPI ranks.
std::int64_t mpi_buffer_bytes(int ranks);

/// Runs body once per rank on threads of this process and returns when all have ended. Rethrows the first
/// error: a rank's own error before the lost_rank errors it caused in others.
void run_ranks(int ranks, const std::function<void(Communicator&)>& body, const CommOptions& options = {});

/// True when an MPI launcher (mpirun, mpiexec, srun) started this process as one of several ranks. Looks only
/// at the environment, so it can be asked before anything else.
bool launched_by_mpi();

}  // namespace convoy
