#include "tests/launch/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace convoy::test {
namespace {

namespace fs = std::filesystem;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// In the child: becomes the program.
[[noreturn]] void become(const std::vector<std::string>& words, const std::string& folder) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);  // should the test itself be killed
  const int out = open((folder + "/out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int err = open((folder + "/err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  dup2(out, 1);
  dup2(err, 2);
  // Open MPI as root, and with more ranks than cores; other launchers do not look.
  setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
  setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
  setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 1);
  setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 1);
  setenv("CONVOY_CACHE", (folder + "/cache").c_str(), 1);
  if (words[0] == CONVOY_MPIEXEC) {
    // In a sanitizer's build: Open MPI leaves memory behind in every rank, some of it in modules that are
    // unloaded by then, so that no suppression can name them.
    const char* options = std::getenv("ASAN_OPTIONS");
    setenv("ASAN_OPTIONS",
           ((options == nullptr ? "" : options + std::string(":")) + "detect_leaks=0").c_str(), 1);
  }
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  execvp(pointers[0], pointers.data());
  _exit(127);
}

}  // namespace

Process::Process(const std::vector<std::string>& words, const std::string& folder)
    : folder_(folder), start_(now()) {
  pid_ = fork();
  if (pid_ == 0) become(words, folder);
  setpgid(pid_, pid_);
}

Process::~Process() {
  if (!running()) return;
  kill(-pid_, SIGTERM);  // mpirun ends its ranks, which have groups of their own
  wait_until([&] { return !running(); }, 5);
  kill(-pid_, SIGKILL);
  if (!ended_) waitpid(pid_, &status_, 0);
}

bool Process::running() {
  if (!ended_) ended_ = waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_;
}

Ended Process::wait(double seconds) {
  const bool in_time = wait_until([&] { return !running(); }, seconds);
  Ended ended{-1, text_of(folder_ + "/out"), text_of(folder_ + "/err"), now() - start_};
  if (!in_time) {
    ADD_FAILURE() << "still running after " << seconds << " s\n" << ended.all();
  } else {
    ended.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  }
  return ended;
}

Ended run(const std::vector<std::string>& words, const std::string& folder, double seconds) {
  return Process(words, folder).wait(seconds);
}

std::vector<std::string> convoy(const std::vector<std::string>& words) {
  std::vector<std::string> all{CONVOY_BINARY};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

std::vector<std::string> mpi_convoy(int ranks, const std::vector<std::string>& words) {
  std::vector<std::string> all{CONVOY_MPIEXEC, "-n", std::to_string(ranks)};
  const std::vector<std::string> rest = convoy(words);
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

std::vector<pid_t> processes(const std::string& name, const std::string& word) {
  std::vector<pid_t> found;
  std::error_code gone;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", gone)) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0 || pid == getpid()) continue;
    std::string comm = text_of(entry.path() / "comm");
    if (!comm.empty()) comm.pop_back();
    if (!name.empty() && comm != name) continue;
    if (text_of(entry.path() / "cmdline").find(word) != std::string::npos) found.push_back(pid);
  }
  std::sort(found.begin(), found.end());
  return found;
}

int count_of(const std::string& part, const std::string& text) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void sleep_ms(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

}  // namespace convoy::test
