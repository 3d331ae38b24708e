#include "comm/threads_hub.h"

#include <algorithm>
#include <cstring>

#include "comm/reduce.h"

namespace convoy {
namespace {

char* slice(const Operation& operation, std::size_t rank) {
  return static_cast<char*>(operation.data) + static_cast<std::int64_t>(rank) * operation.bytes();
}

void copy(void* to, const void* from, std::int64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

/// The collective itself, with the parts of all ranks at hand.
void perform(std::span<const Operation> parts) {
  const Operation& first = parts.front();
  std::vector<const void*> inputs(parts.size());
  switch (first.collective) {
    case Collective::all_reduce:
      std::transform(parts.begin(), parts.end(), inputs.begin(),
                     [](const Operation& part) { return part.data; });
      reduce_in_order(inputs, first.data, first.count, first.element, first.reduction);
      for (const Operation& part : parts.subspan(1)) copy(part.data, first.data, first.bytes());
      return;
    case Collective::reduce_scatter:
      for (std::size_t rank = 0; rank < parts.size(); ++rank) {
        std::transform(parts.begin(), parts.end(), inputs.begin(),
                       [&](const Operation& part) { return slice(part, rank); });
        reduce_in_order(inputs, slice(parts[rank], rank), first.count, first.element, first.reduction);
      }
      return;
    case Collective::all_gather:
      for (std::size_t to = 0; to < parts.size(); ++to) {
        for (std::size_t from = 0; from < parts.size(); ++from) {
          if (to != from) copy(slice(parts[to], from), slice(parts[from], from), first.bytes());
        }
      }
      return;
    case Collective::broadcast: {
      const Operation& root = parts[static_cast<std::size_t>(first.root)];
      for (const Operation& part : parts) {
        if (part.data != root.data) copy(part.data, root.data, root.bytes());
      }
      return;
    }
    case Collective::barrier:
    case Collective::shutdown:
      return;
  }
}

}  // namespace

std::int64_t ThreadsHub::join(int rank, Operation operation) {
  check(operation, size());
  std::unique_lock lock(mutex_);
  throw_if_broken(rank);
  const std::int64_t sequence = ++at(rank).joined;
  Meeting& meeting = open_[sequence];
  meeting.parts.resize(ranks_.size());
  meeting.present.resize(ranks_.size());
  meeting.since.resize(ranks_.size());
  const auto me = static_cast<std::size_t>(rank);
  meeting.parts[me] = std::move(operation);
  meeting.present[me] = true;
  meeting.since[me] = Clock::now();
  if (++meeting.arrived == size()) run(sequence, lock);
  return sequence;
}

void ThreadsHub::run(std::int64_t sequence, std::unique_lock<std::mutex>& lock) {
  const Meeting& meeting = open_.at(sequence);
  const std::uint64_t signature = meeting.parts.front().signature();
  if (std::all_of(meeting.parts.begin(), meeting.parts.end(),
                  [&](const Operation& part) { return part.signature() == signature; })) {
    lock.unlock();
    perform(meeting.parts);
    lock.lock();
    open_.erase(sequence);
    finished_ = sequence;
    last_finished_ = Clock::now();
  }
  changed_.notify_all();  // the others look for themselves when the ranks disagree
}

void ThreadsHub::wait(int rank, std::int64_t sequence) {
  std::unique_lock lock(mutex_);
  if (finished(sequence)) return;
  throw_if_broken(rank);
  const auto since = open_.at(sequence).since[static_cast<std::size_t>(rank)];
  const auto timeout =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(timeout_seconds_));
  while (!finished(sequence)) {
    const auto start = std::max(since, last_finished_);
    const bool late = Clock::now() >= start + timeout;
    if (broken_ && !timed_out_) throw Error(*broken_);
    if (const auto error = look(rank, seconds_since(start), late || timed_out_)) {
      if (!broken_) {
        broken_ = error;
        timed_out_ = true;
        changed_.notify_all();
      }
      throw Error(*error);
    }
    changed_.wait_until(lock, start + timeout);
  }
}

bool ThreadsHub::done(int /*rank*/, std::int64_t sequence) const {
  const std::lock_guard lock(mutex_);
  return finished(sequence) || broken_.has_value();
}

void ThreadsHub::throw_if_broken(int rank) const {
  if (!broken_) return;
  if (!timed_out_) throw Error(*broken_);
  fail(ExitCode::lost_rank, "the job of rank {} is over: {}", rank, broken_->what());
}

RankStatus ThreadsHub::status_of(int rank) const {
  const Rank& other = ranks_[static_cast<std::size_t>(rank)];
  RankStatus status;
  status.busy = other.joined > finished_;
  // A rank may be some operations ahead; what matters is the oldest that is not finished. Ending is like
  // joining one more operation, which the others never join.
  status.sequence = status.busy ? finished_ + 1 : other.joined;
  if (!status.busy && !other.ended.empty()) {
    ++status.sequence;
    status.ended = other.ended;
  }
  status.activity = other.activity.get();
  if (const auto open = open_.find(finished_ + 1); open != open_.end()) {
    const Operation& part = open->second.parts[static_cast<std::size_t>(rank)];
    status.signature = part.signature();
    status.operation = part.text();
  }
  return status;
}

std::optional<Error> ThreadsHub::look(int rank, double waited, bool final) const {
  // Operations finish in order, so what holds `rank` up is the oldest open one.
  std::vector<Peer> peers;
  for (int other = 0; other < size(); ++other) {
    peers.push_back({other, "thread", status_of(other)});
  }
  return diagnose(peers[static_cast<std::size_t>(rank)], waited, peers, final);
}

void ThreadsHub::end(int rank, std::string how) {
  const std::lock_guard lock(mutex_);
  at(rank).ended = std::move(how);
  const bool in_the_middle = at(rank).joined > finished_;
  if (in_the_middle && !broken_) {
    broken_ = Error(ExitCode::lost_rank,
                    fmt::format("rank {} {} in the middle of operation {}; it was at {}", rank,
                                at(rank).ended, finished_ + 1, text_of(at(rank).activity.get())));
  }
  changed_.notify_all();
}

void ThreadsHub::abort(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!broken_) broken_ = error;
  timed_out_ = false;
  changed_.notify_all();
}

}  // namespace convoy
