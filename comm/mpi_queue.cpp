#include "comm/mpi_queue.h"

#include "comm/mpi_check.h"
#include "layers/device/cpu/host.h"

namespace convoy {

using std::chrono::duration;

void MpiPending::wait() { queue_->wait(*this); }

std::shared_ptr<MpiPending> MpiQueue::submit(Operation operation) {
  auto pending = std::make_shared<MpiPending>(shared_from_this(), std::move(operation));
  const std::lock_guard lock(mutex_);
  if (error_) {
    settle(*pending, error_);
  } else {
    waiting_.push_back(pending);
    work_.notify_one();
  }
  return pending;
}

void MpiQueue::wait(MpiPending& pending) {
  std::unique_lock lock(mutex_);
  while (!pending.done()) {
    changed_.wait_for(lock, std::chrono::seconds(1));
    // The communication thread sees to all timeouts, unless MPI itself does not return.
    if (pending.done() || seconds_since_beat() < timeout_seconds_ + 5) continue;
    fail(ExitCode::lost_rank,
         "on {}: the communication thread did not come back from MPI for {:.0f} s; under way is {}",
         host_name(), seconds_since_beat(), pending.operation().text());
  }
  if (!pending.error_) return;
  error_seen_ = true;
  throw Error(*pending.error_);
}

void MpiQueue::wait_until_ready() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration<double>(timeout_seconds_), [&] { return ready_ || error_; });
  if (error_) throw Error(*error_);
  if (!ready_) {
    fail(ExitCode::lost_rank, "on {}: MPI_Init did not bring the ranks together within {} s", host_name(),
         timeout_seconds_);
  }
}

void MpiQueue::request_stop(bool clean) {
  const std::lock_guard lock(mutex_);
  stop_ = clean;
  work_.notify_one();
}

void MpiQueue::request_abort(int code) {
  const std::lock_guard lock(mutex_);
  abort_ = code;
  work_.notify_one();
}

bool MpiQueue::wait_until_ended(double seconds) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, duration<double>(seconds), [&] { return ended_; });
}

bool MpiQueue::failed() const {
  const std::lock_guard lock(mutex_);
  return error_.has_value();
}

void MpiQueue::set_ready() {
  const std::lock_guard lock(mutex_);
  ready_ = true;
  changed_.notify_all();
}

void MpiQueue::set_ended() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void MpiQueue::sleep(std::chrono::milliseconds interval) {
  std::unique_lock lock(mutex_);
  work_.wait_for(lock, interval, [&] { return !waiting_.empty() || stop_ || abort_ != 0; });
}

std::shared_ptr<MpiPending> MpiQueue::pop() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return nullptr;
  auto pending = std::move(waiting_.front());
  waiting_.pop_front();
  return pending;
}

void MpiQueue::finish(MpiPending& pending) {
  const std::lock_guard lock(mutex_);
  settle(pending, {});
}

void MpiQueue::fail_all(MpiPending* current, const Error& error) {
  const std::lock_guard lock(mutex_);
  error_ = error;
  if (current != nullptr) settle(*current, error_);
  for (const auto& pending : waiting_) settle(*pending, error_);
  waiting_.clear();
  changed_.notify_all();
}

std::optional<bool> MpiQueue::stop_requested() const {
  const std::lock_guard lock(mutex_);
  return stop_;
}

void MpiQueue::settle(MpiPending& pending, const std::optional<Error>& error) {
  pending.error_ = error;
  pending.finished_.store(true, std::memory_order_release);
  changed_.notify_all();
}

double MpiQueue::seconds_since_beat() const {
  return seconds_since(Clock::time_point{Clock::duration{beat_.load(std::memory_order_relaxed)}});
}

}  // namespace convoy
