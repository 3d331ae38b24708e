#pragma once

#include <mpi.h>

#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "comm/diagnosis.h"

namespace convoy {

/// Questions and answers between the communication threads about what each rank does, on a communicator of
/// their own, so that a rank answers while its program computes and while an operation is under way. Only for
/// the communication thread.
class MpiControl {
 public:
  /// Collective over MPI_COMM_WORLD. `status` tells about this rank.
  explicit MpiControl(std::function<RankStatus()> status);
  ~MpiControl();

  int rank() const { return rank_; }
  int size() const { return size_; }
  int local_rank() const { return local_rank_; }
  int local_size() const { return local_size_; }

  /// Answers questions and takes in answers that have arrived. Never blocks.
  void serve();
  /// Asks all peers anew; forgets what they answered before.
  void ask();
  /// All ranks, this one included, with what they answered since the last ask().
  std::vector<Peer> peers() const;
  /// True when every question was answered and every answer is on its way, so that MPI may be finalized.
  bool quiet() const;
  /// Frees the communicator; before MPI_Finalize.
  void close();

 private:
  struct Message;
  struct Sending;

  void meet_host();
  void meet_all();
  void send(int to, int tag, std::int64_t round);
  void receive(const MPI_Status& probed);

  std::function<RankStatus()> status_;
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  int local_rank_ = 0;
  int local_size_ = 1;
  std::vector<Peer> peers_;
  std::list<std::unique_ptr<Sending>> sending_;  ///< buffers that MPI still reads
  std::int64_t round_ = 0;                       ///< of questions
  std::int64_t unanswered_ = 0;
};

}  // namespace convoy
