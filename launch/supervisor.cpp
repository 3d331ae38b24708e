#include "launch/supervisor.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>

#include "layers/core/error.h"
#include "layers/device/cpu/host.h"

namespace convoy {
namespace {

std::atomic<pid_t> child{0};
std::atomic<bool> told_to_stop{false};

void pass_on(int signal) {
  if (signal == SIGTERM || signal == SIGINT) told_to_stop.store(true);
  if (const pid_t pid = child.load(); pid > 0) kill(pid, signal);
}

StatusPage* make_page() {
  void* memory = mmap(nullptr, sizeof(StatusPage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    fail(ExitCode::internal, "cannot share memory with the worker: {}", std::strerror(errno));
  return new (memory) StatusPage();
}

int ended_by_signal(int rank, pid_t pid, int signal, const StatusPage& page) {
  if (told_to_stop.load()) return 128 + signal;  // the launcher ends the job; it has its reasons
  const char* hint = signal == SIGKILL ? "; perhaps the system ran out of memory (see dmesg)" : "";
  fail(ExitCode::lost_rank, "lost rank {} (process {} on {}): signal {} ({}) ended it at {}{}", rank, pid,
       host_name(), signal, strsignal(signal), page.text(), hint);
}

}  // namespace

int supervise(int rank, const std::function<int(StatusPage*)>& worker) {
  StatusPage* page = make_page();
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) fail(ExitCode::internal, "cannot start the worker process: {}", std::strerror(errno));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(static_cast<int>(ExitCode::lost_rank));
    return worker(page);
  }
  child.store(pid);
  prctl(PR_SET_NAME, "convoy-watch");
  struct sigaction action {};
  action.sa_handler = pass_on;
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP}) sigaction(signal, &action, nullptr);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR)
      fail(ExitCode::internal, "cannot wait for the worker process: {}", std::strerror(errno));
  }
  if (WIFSIGNALED(status)) return ended_by_signal(rank, pid, WTERMSIG(status), *page);
  return WEXITSTATUS(status);
}

}  // namespace convoy
