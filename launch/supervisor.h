#pragma once

#include <functional>

#include "comm/status_page.h"

namespace convoy {

/// Runs `worker` in a child process and waits for it; call before any thread starts. Gives the worker's exit
/// code. Error(lost_rank) names rank, process, host, signal, step and activity when a signal killed it.
/// Signals that ask for a stop are passed on. The worker dies with its supervisor.
int supervise(int rank, const std::function<int(StatusPage*)>& worker);

}  // namespace convoy
