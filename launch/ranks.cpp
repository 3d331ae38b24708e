#include "launch/ranks.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "launch/cores.h"
#include "launch/report_error.h"
#include "launch/supervisor.h"
#include "layers/core/error.h"

namespace convoy {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_stop_signal(int) { stop.store(true); }

/// Ranks other than the first wait a moment before they report: most errors are the same on every rank, and
/// the first rank's report makes the launcher end the job before theirs: by a request to stop, and then by a
/// kill. True when that request came. (One that was there before may be the user's.)
bool first_rank_reported(int rank) {
  if (rank == 0) return false;
  const bool asked_before = stop.load();
  for (int tenths = 0; tenths < 50; ++tenths) {
    if (!asked_before && stop.load()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

int report(const char* message, ExitCode code, int rank, Communicator* comm, bool json) {
  const bool known = code != ExitCode::lost_rank && first_rank_reported(rank);
  // Of a lost rank every rank that waited for it tells on standard error; an answer there is but one.
  if (json && !known && (code != ExitCode::lost_rank || rank == 0)) print_error_json(code, message);
  if (comm != nullptr && comm->size() > 1) {
    comm->abort(code, known ? "" : message);
  } else if (!known) {
    fmt::print(stderr, "convoy: {}{}\n", rank > 0 ? fmt::format("rank {}: ", rank) : "", message);
  }
  return static_cast<int>(code);
}

int worker(const std::function<double()>& prepare, const std::function<int(Communicator&)>& work,
           StatusPage* page, bool json) {
  const int rank = rank_from_environment();
  std::unique_ptr<Communicator> comm;
  try {
    CommOptions options;
    options.timeout_seconds = prepare();
    options.status = page;
    comm = launched_by_mpi() ? make_mpi(nullptr, nullptr, options) : make_single();
    share_cores(*comm);
    return work(*comm);
  } catch (const Error& error) {
    return report(error.what(), error.code(), rank, comm.get(), json);
  } catch (const std::exception& error) {
    return report(error.what(), ExitCode::internal, rank, comm.get(), json);
  }
}

}  // namespace

int rank_from_environment() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (const char* text = std::getenv(name); text != nullptr) return std::atoi(text);
  }
  return 0;
}

const std::atomic<bool>& stop_requested() { return stop; }

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGUSR1, &action, nullptr);
  action.sa_flags |= static_cast<int>(SA_RESETHAND);  // a second Ctrl-C ends it at once
  sigaction(SIGINT, &action, nullptr);
}

bool reaches_terminal(std::FILE* stream) {
  const int number = fileno(stream);
  if (isatty(number) == 0) return false;
  if (!launched_by_mpi()) return true;
  std::array<char, 256> target{};
  const std::string link = fmt::format("/proc/{}/fd/{}", getppid(), number);
  if (readlink(link.c_str(), target.data(), target.size() - 1) < 0) return false;
  const std::string_view name(target.data());
  return name.starts_with("/dev/pts/") || name.starts_with("/dev/tty");
}

int run_on_ranks(bool json, const std::function<double()>& prepare,
                 const std::function<int(Communicator&)>& work) {
  if (!launched_by_mpi()) return worker(prepare, work, nullptr, json);
  return supervise(rank_from_environment(),
                   [&](StatusPage* page) { return worker(prepare, work, page, json); });
}

}  // namespace convoy
