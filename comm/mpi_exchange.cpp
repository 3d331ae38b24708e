#include "comm/mpi_exchange.h"

#include <algorithm>

#include "comm/communicator.h"
#include "comm/mpi_check.h"
#include "comm/reduce.h"

namespace convoy {
namespace {

// Up to here one phase, everything to everyone, beats two.
constexpr std::int64_t kSmallBytes = 8 << 10;
constexpr std::int64_t kSmallTotalBytes = 256 << 10;  // over all ranks
// A few blocks make a pipeline; below and above these sizes of a segment it got slower (two ranks on one
// host, see mpi_all_reduce_bench).
constexpr std::int64_t kLeastSegmentBytes = 32 << 10;
constexpr std::int64_t kMostSegmentBytes = 256 << 10;
constexpr std::int64_t kPipelineBlocks = 4;
constexpr std::int64_t kScratchBytes = 16 << 20;

/// Of a segment, with so many ranks.
std::int64_t most_segment_bytes(int ranks) {
  return std::min(kMostSegmentBytes, std::max(kScratchBytes / (2 * ranks) / 4096 * 4096, std::int64_t{4096}));
}

}  // namespace

std::int64_t mpi_buffer_bytes(int ranks) {
  if (ranks == 1) return 0;
  const std::int64_t small = std::min(kSmallBytes, kSmallTotalBytes / ranks);
  return 2 * ranks * std::max(most_segment_bytes(ranks), small);
}

MpiExchange::MpiExchange(KeepWaiting keep_waiting) : keep_waiting_(std::move(keep_waiting)) {
  CONVOY_MPI(MPI_Comm_dup(MPI_COMM_WORLD, &comm_));
  CONVOY_MPI(MPI_Comm_rank(comm_, &rank_));
  CONVOY_MPI(MPI_Comm_size(comm_, &size_));
  received_.resize(static_cast<std::size_t>(mpi_buffer_bytes(size_)));
}

void MpiExchange::close() { CONVOY_MPI(MPI_Comm_free(&comm_)); }

void MpiExchange::run(const Operation& operation, std::int64_t sequence) {
  operation_ = operation;
  // Every MPI has at least 15 bits of tag: 14 that tell operations apart, so that ranks which do different
  // things wait for each other (and are found out) instead of mixing data, and one for the phase.
  const std::uint64_t mixed =
      (operation.signature() + static_cast<std::uint64_t>(sequence)) * 0x9E3779B97F4A7C15U;
  tag_ = static_cast<int>(mixed >> 50) * 2;
  if (size_ == 1) return;

  const bool small = operation.bytes() <= kSmallBytes && operation.bytes() * size_ <= kSmallTotalBytes;
  switch (operation.collective) {
    case Collective::all_reduce:
      if (small) return small_all_reduce();
      return blocks(false, First::reduce, true);
    case Collective::broadcast:
      if (small) return small_broadcast();
      return blocks(false, First::from_root, true);
    case Collective::reduce_scatter:
      return blocks(true, First::reduce, false);
    case Collective::all_gather:
      return blocks(true, First::none, true);
    case Collective::barrier:
    case Collective::shutdown: {
      char token = 0;
      operation_.data = &token;
      operation_.count = 1;
      return small_all_reduce();
    }
  }
}

void MpiExchange::small_all_reduce() {
  if (operation_.count == 0) return;
  segments_ = {operation_.count, operation_.count, size_, false};
  Batch& batch = first_[0];
  for (int distance = 1; distance < size_; ++distance) {
    const int from = (rank_ - distance + size_) % size_;
    receive(batch, received(0, from), operation_.count, from, kFirst);
    send(batch, operation_.data, operation_.count, (rank_ + distance) % size_, kFirst);
  }
  wait(batch);
  reduce(data(0), operation_.count, 0);
}

void MpiExchange::small_broadcast() {
  Batch& batch = first_[0];
  if (rank_ != operation_.root) receive(batch, operation_.data, operation_.count, operation_.root, kFirst);
  for (int to = 0; to < size_; ++to) {
    if (rank_ == operation_.root && to != rank_) send(batch, operation_.data, operation_.count, to, kFirst);
  }
  wait(batch);
}

void MpiExchange::blocks(bool sliced, First first, bool gather) {
  const std::int64_t share = sliced ? operation_.bytes() : operation_.bytes() / size_;
  const std::int64_t wanted =
      std::clamp(share / kPipelineBlocks / 4096 * 4096, kLeastSegmentBytes, kMostSegmentBytes);
  const std::int64_t bytes = std::min(wanted, most_segment_bytes(size_));
  segments_ = {operation_.count, bytes / size_of(operation_.element), size_, sliced};

  const std::int64_t count = segments_.blocks();
  for (std::int64_t step = 0; step < count + 2; ++step) {
    if (step < count) post_first(first, step);
    if (step >= 1 && step - 1 < count) {
      finish_first(first, step - 1);
      if (gather) post_gather(first, step - 1);
    }
    if (step >= 2) wait(second_[static_cast<std::size_t>(step % 2)]);
  }
}

void MpiExchange::post_first(First first, std::int64_t block) {
  Batch& batch = first_[static_cast<std::size_t>(block % 2)];
  const Slice mine = segments_.at(block, rank_);
  for (int distance = 1; distance < size_ && first != First::none; ++distance) {
    const int to = (rank_ + distance) % size_;
    const int from = (rank_ - distance + size_) % size_;
    const Slice theirs = segments_.at(block, to);
    if (first == First::reduce) {
      receive(batch, received(block, from), mine.count, from, kFirst);
      send(batch, data(theirs.first), theirs.count, to, kFirst);
    } else {
      if (from == operation_.root) receive(batch, data(mine.first), mine.count, from, kFirst);
      if (rank_ == operation_.root) send(batch, data(theirs.first), theirs.count, to, kFirst);
    }
  }
}

void MpiExchange::finish_first(First first, std::int64_t block) {
  // The sends too: the gather writes where they read.
  wait(first_[static_cast<std::size_t>(block % 2)]);
  const Slice mine = segments_.at(block, rank_);
  if (first == First::reduce) reduce(data(mine.first), mine.count, block);
}

void MpiExchange::post_gather(First first, std::int64_t block) {
  Batch& batch = second_[static_cast<std::size_t>(block % 2)];
  const Slice mine = segments_.at(block, rank_);
  const int has_all = first == First::from_root ? operation_.root : -1;
  for (int distance = 1; distance < size_; ++distance) {
    const int to = (rank_ + distance) % size_;
    const int from = (rank_ - distance + size_) % size_;
    const Slice theirs = segments_.at(block, from);
    if (rank_ != has_all) receive(batch, data(theirs.first), theirs.count, from, kSecond);
    if (to != has_all) send(batch, data(mine.first), mine.count, to, kSecond);
  }
}

void MpiExchange::send(Batch& batch, const void* from, std::int64_t count, int to, Phase phase) {
  if (count == 0) return;
  const std::int64_t bytes = count * size_of(operation_.element);
  CONVOY_MPI(MPI_Isend(from, static_cast<int>(bytes), MPI_BYTE, to, tag_ + phase, comm_,
                       &batch.sends.emplace_back(MPI_REQUEST_NULL)));
}

void MpiExchange::receive(Batch& batch, void* to, std::int64_t count, int from, Phase phase) {
  if (count == 0) return;
  const std::int64_t bytes = count * size_of(operation_.element);
  CONVOY_MPI(MPI_Irecv(to, static_cast<int>(bytes), MPI_BYTE, from, tag_ + phase, comm_,
                       &batch.receives.emplace_back(MPI_REQUEST_NULL)));
}

void MpiExchange::wait(Batch& batch) {
  bool restart = true;
  for (std::vector<MPI_Request>* requests : {&batch.receives, &batch.sends}) {
    for (int done = requests->empty() ? 1 : 0; done == 0;) {
      CONVOY_MPI(
          MPI_Testall(static_cast<int>(requests->size()), requests->data(), &done, MPI_STATUSES_IGNORE));
      if (done != 0) break;
      keep_waiting_(restart);
      restart = false;
    }
    requests->clear();
  }
}

void MpiExchange::abandon() {
  for (std::array<Batch, 2>* batches : {&first_, &second_}) {
    for (Batch& batch : *batches) {
      for (MPI_Request& request : batch.receives) {
        if (request != MPI_REQUEST_NULL) MPI_Cancel(&request);
      }
    }
  }
}

char* MpiExchange::data(std::int64_t element) const {
  return static_cast<char*>(operation_.data) + element * size_of(operation_.element);
}

char* MpiExchange::received(std::int64_t block, int from) {
  const std::int64_t bytes = segments_.segment * size_of(operation_.element);
  return received_.data() + (block % 2 * size_ + from) * bytes;
}

void MpiExchange::reduce(char* own, std::int64_t count, std::int64_t block) {
  std::vector<const void*> parts(static_cast<std::size_t>(size_));
  for (int from = 0; from < size_; ++from) {
    parts[static_cast<std::size_t>(from)] = from == rank_ ? own : received(block, from);
  }
  reduce_in_order(parts, own, count, operation_.element, operation_.reduction);
}

}  // namespace convoy
