#pragma once

#include <mpi.h>

#include <array>
#include <functional>
#include <vector>

#include "comm/operation.h"
#include "comm/segments.h"

namespace convoy {

/// The collectives, over non-blocking point-to-point messages: every rank sends each other rank its share
/// directly (Rabenseifner's reduce-scatter and all-gather with pairwise exchange; Thakur, Rabenseifner,
/// Gropp, "Optimization of collective communication operations in MPICH", IJHPCA 2005). A segment is reduced
/// by its owner in the order of the ranks. The data goes through in blocks: while one is reduced and
/// gathered, the next is under way. Not MPI_Iallreduce, because that promises neither this order nor a
/// message that tells who is late. Only for the communication thread.
class MpiExchange {
 public:
  /// Asks `keep_waiting` while messages are under way; it may sleep a little, and ends the operation by
  /// throwing. `restart` is true for its first call since something arrived.
  using KeepWaiting = std::function<void(bool restart)>;

  /// Collective over MPI_COMM_WORLD.
  explicit MpiExchange(KeepWaiting keep_waiting);

  /// Runs one operation to its end. `sequence` is its number, the same on all ranks.
  void run(const Operation& operation, std::int64_t sequence);
  /// After run() has thrown: gives up the messages that have not begun to arrive.
  void abandon();
  /// Frees the communicator; before MPI_Finalize.
  void close();

 private:
  /// Messages under way for one block in one phase.
  struct Batch {
    std::vector<MPI_Request> receives;
    std::vector<MPI_Request> sends;
  };
  enum class First { none, reduce, from_root };
  enum Phase { kFirst = 0, kSecond = 1 };

  void small_all_reduce();
  void small_broadcast();
  void blocks(bool sliced, First first, bool gather);
  void post_first(First first, std::int64_t block);
  void finish_first(First first, std::int64_t block);
  void post_gather(First first, std::int64_t block);
  void wait(Batch& batch);
  void send(Batch& batch, const void* from, std::int64_t count, int to, Phase phase);
  void receive(Batch& batch, void* to, std::int64_t count, int from, Phase phase);
  char* data(std::int64_t element) const;
  char* received(std::int64_t block, int from);
  void reduce(char* own, std::int64_t count, std::int64_t block);

  KeepWaiting keep_waiting_;
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;

  // The operation under way.
  Operation operation_;
  Segments segments_;
  int tag_ = 0;
  std::array<Batch, 2> first_;   ///< by block % 2
  std::array<Batch, 2> second_;  ///< by block % 2
  std::vector<char> received_;   ///< two blocks of one segment per rank; mpi_buffer_bytes, once
};

}  // namespace convoy
