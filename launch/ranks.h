#pragma once

#include <atomic>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "comm/communicator.h"

namespace convoy {

/// The number of this process among those that a launcher started, read from the environment; 0 without a
/// launcher.
int rank_from_environment();

/// True once SIGTERM or SIGUSR1 came; see catch_stop_signals.
const std::atomic<bool>& stop_requested();
/// From now on SIGTERM and SIGUSR1 only set stop_requested.
void catch_stop_signals();

/// Whether what this process writes to `stream` reaches a terminal. Open MPI gives ranks a pseudo-terminal of
/// its own, so under a launcher the launcher's output counts. Ask before run_on_ranks.
bool reaches_terminal(std::FILE* stream);

/// Runs `prepare` (no ranks yet: it reads files, and gives the timeout of collectives in seconds), joins the
/// other ranks, and runs `work` with their communicator. A rank that fails prints its message and ends the
/// whole job with the error's exit code; an error that all ranks share is printed once, and with `json` on
/// standard output too (of a rank that hangs the first rank tells there, if it can). Under a launcher of
/// several ranks a supervising parent process watches the worker, so that a worker which is killed still
/// gives exit code 5 and a message that names the rank and what it did.
int run_on_ranks(bool json, const std::function<double()>& prepare,
                 const std::function<int(Communicator&)>& work);

}  // namespace convoy
