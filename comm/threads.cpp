#include <exception>
#include <thread>

#include "comm/operation_communicator.h"
#include "comm/threads_hub.h"

namespace convoy {
namespace {

struct ThreadsPending final : Pending::State {
  ThreadsPending(std::shared_ptr<ThreadsHub> meeting, int who, std::int64_t number)
      : hub(std::move(meeting)), rank(who), sequence(number) {}
  void wait() override { hub->wait(rank, sequence); }
  bool done() const override { return hub->done(rank, sequence); }

  std::shared_ptr<ThreadsHub> hub;
  int rank;
  std::int64_t sequence;
};

class Threads final : public OperationCommunicator {
 public:
  Threads(std::shared_ptr<ThreadsHub> hub, int rank) : hub_(std::move(hub)), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return hub_->size(); }
  int local_rank() const override { return rank_; }
  int local_size() const override { return hub_->size(); }
  std::string kind() const override { return "threads"; }

  void note(std::int64_t step, const char* activity) override { hub_->note(rank_, step, activity); }
  void abort(ExitCode code, const std::string& message) override {
    hub_->abort(Error(code, fmt::format("rank {} ended the job: {}", rank_, message)));
  }

 private:
  Pending start(Operation operation) override {
    return Pending(std::make_shared<ThreadsPending>(hub_, rank_, hub_->join(rank_, std::move(operation))));
  }

  std::shared_ptr<ThreadsHub> hub_;
  int rank_;
};

/// Keeps the error that says most: the first that is no lost_rank, otherwise the first.
class FirstError {
 public:
  void add(std::exception_ptr error, bool is_lost_rank) {
    const std::lock_guard lock(mutex_);
    std::exception_ptr& first = is_lost_rank ? lost_rank_ : own_;
    if (!first) first = std::move(error);
  }
  void rethrow() const {
    if (own_) std::rethrow_exception(own_);
    if (lost_rank_) std::rethrow_exception(lost_rank_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr own_;
  std::exception_ptr lost_rank_;
};

void run_rank(const std::shared_ptr<ThreadsHub>& hub, int rank,
              const std::function<void(Communicator&)>& body, FirstError& errors) {
  std::string ended = "has returned";
  try {
    Threads comm(hub, rank);
    body(comm);
  } catch (const Error& error) {
    errors.add(std::current_exception(), error.code() == ExitCode::lost_rank);
    ended = fmt::format("ended with an error: {}", error.what());
  } catch (const std::exception& error) {
    errors.add(std::current_exception(), false);
    ended = fmt::format("ended with an error: {}", error.what());
  } catch (...) {
    errors.add(std::current_exception(), false);
    ended = "ended with an error of unknown kind";
  }
  hub->end(rank, ended);
}

}  // namespace

void run_ranks(int ranks, const std::function<void(Communicator&)>& body, const CommOptions& options) {
  if (ranks < 1) fail(ExitCode::internal, "{} ranks cannot run", ranks);
  const auto hub = std::make_shared<ThreadsHub>(ranks, options.timeout_seconds);
  FirstError errors;
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] { run_rank(hub, rank, body, errors); });
    }
  }
  errors.rethrow();
}

}  // namespace convoy
