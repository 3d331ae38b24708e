#include "comm/mpi_engine.h"

#include <pthread.h>
#include <sys/prctl.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "comm/mpi_check.h"

namespace convoy {
namespace {

using std::chrono::milliseconds;

/// Signals are for the program's own threads; short sleeps shall be short (the kernel adds 50 us by default).
void prepare_thread() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
  pthread_setname_np(pthread_self(), "convoy-comm");
}

}  // namespace

void abort_mpi(int code) {
  std::thread([code] {
    std::this_thread::sleep_for(std::chrono::seconds(5));
    std::_Exit(code);
  }).detach();
  std::fflush(nullptr);
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

void MpiEngine::run(int* argc, char*** argv) noexcept {
  bool started = false;
  try {
    prepare_thread();
    start(argc, argv);
    started = true;
    queue_->set_ready();
    serve_queue();
  } catch (const std::exception& exception) {
    const auto* known = dynamic_cast<const Error*>(&exception);
    const Error error = known != nullptr ? *known : Error(ExitCode::internal, exception.what());
    if (exchange_) exchange_->abandon();
    queue_->fail_all(busy_ ? current_.get() : nullptr, error);
    if (started) linger(error);
  }
  queue_->set_ended();
}

void MpiEngine::start(int* argc, char*** argv) {
  int initialized = 0;
  MPI_Initialized(&initialized);
  if (initialized != 0) fail(ExitCode::internal, "MPI is up already; make_mpi() goes once per process");
  int provided = MPI_THREAD_SINGLE;
  CONVOY_MPI(MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &provided));
  CONVOY_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  if (provided < MPI_THREAD_FUNNELED)
    fail(ExitCode::internal, "this MPI was built without support for threads");
  control_.emplace([this] { return status(); });
  exchange_.emplace([this](bool restart) { keep_waiting(restart); });
}

void MpiEngine::serve_queue() {
  milliseconds interval(1);
  for (;;) {
    queue_->beat();
    abort_if_requested();
    if (auto pending = queue_->pop()) {
      current_ = std::move(pending);
      perform(*current_);
      interval = milliseconds(1);
      continue;
    }
    if (const auto clean = queue_->stop_requested()) {
      if (*clean) finalize();
      return;
    }
    queue_->sleep(interval);
    control_->serve();
    // Often at first: a small message that MPI took over may still need a push.
    interval = std::min(interval * 2, milliseconds(100));
  }
}

void MpiEngine::perform(MpiPending& pending) {
  ++sequence_;
  busy_ = true;
  signature_ = pending.operation().signature();
  since_ = last_look_ = Clock::now();
  next_question_ = 0;
  asked_ = false;
  stood_still_ = 0;
  if (pending.operation().collective == Collective::shutdown) wait_until_quiet(timeout_seconds_);
  exchange_->run(pending.operation(), sequence_);
  busy_ = false;
  queue_->finish(pending);
}

void MpiEngine::keep_waiting(bool restart) {
  if (restart) backoff_.restart();
  if (!backoff_.pause()) return;
  abort_if_requested();
  if (Clock::now() - last_look_ < milliseconds(10)) return;
  if (const Clock::duration gap = Clock::now() - last_look_; gap > std::chrono::seconds(2)) {
    since_ += gap;
    stood_still_ += std::chrono::duration<double>(gap).count();
  }
  last_look_ = Clock::now();
  queue_->beat();
  control_->serve();
  look_after_peers();
}

void MpiEngine::look_after_peers() {
  // Questions go out when the operation is late, now and then after that, and one last time shortly before
  // the timeout: who has not answered that one does not answer.
  const double interval = std::min(timeout_seconds_ / 2, 5.0);
  const double last = timeout_seconds_ - std::clamp(timeout_seconds_ / 4, 0.3, 2.0);
  const double waited = seconds_since(since_);
  if (next_question_ == 0) next_question_ = std::min(interval, last);
  if (waited >= next_question_) {
    control_->ask();
    asked_ = true;
    const bool was_last = next_question_ >= last;
    next_question_ = was_last ? std::numeric_limits<double>::max() : std::min(waited + interval, last);
  }
  if (!asked_) return;
  const std::vector<Peer> peers = control_->peers();
  const Peer& self = peers[static_cast<std::size_t>(rank())];
  const auto error = diagnose(self, waited, peers, waited >= timeout_seconds_);
  if (!error) return;
  if (stood_still_ == 0) throw Error(*error);
  throw Error(error->code(),
              fmt::format("{}\n  before that, rank {} itself stood still for {:.0f} s (stopped, or its "
                          "host was out of memory); the others may have given it up",
                          error->what(), rank(), stood_still_));
}

void MpiEngine::wait_until_quiet(double seconds) {
  const auto start = Clock::now();
  backoff_.restart();
  while (!control_->quiet() && seconds_since(start) < seconds) {
    control_->serve();
    backoff_.pause();
    abort_if_requested();
    queue_->beat();
  }
}

void MpiEngine::finalize() {
  wait_until_quiet(2);
  exchange_->close();
  control_->close();
  CONVOY_MPI(MPI_Finalize());
}

void MpiEngine::linger(const Error& error) {
  // The program is to catch the error and to end the job. Until then the others still get answers.
  const auto start = Clock::now();
  const double unnoticed = std::min(timeout_seconds_, 5.0);
  const double noticed = 30;
  while (seconds_since(start) < (queue_->error_seen() ? noticed : unnoticed)) {
    queue_->beat();
    abort_if_requested();
    if (queue_->stop_requested()) return;
    queue_->sleep(milliseconds(10));
    try {
      control_->serve();
    } catch (const Error&) {
      break;
    }
  }
  fmt::print(stderr, "convoy: {}\nconvoy: the program of rank {} does not react; ending the job\n",
             error.what(), rank());
  abort_mpi(static_cast<int>(error.code()));
}

RankStatus MpiEngine::status() const {
  RankStatus status;
  status.sequence = sequence_;
  status.busy = busy_;
  status.signature = signature_;
  if (current_) status.operation = current_->operation().text();
  if (busy_ && current_->operation().collective == Collective::shutdown) status.ended = "has ended its work";
  status.activity = activity_.get();
  return status;
}

void MpiEngine::abort_if_requested() const {
  if (const int code = queue_->abort_requested()) abort_mpi(code);
}

}  // namespace convoy
