#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace convoy::test {

/// How a program ended and what it printed.
struct Ended {
  int code = -1;  ///< exit code, or 128 + signal
  std::string out;
  std::string err;
  double seconds = 0;
  std::string all() const { return out + err; }
};

/// A program under test. Its standard output and error go to files in `folder`, and Convoy's cache is there.
/// If it is still running when the Process ends, the program and all that it started are killed.
class Process {
 public:
  Process(const std::vector<std::string>& words, const std::string& folder);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  /// Waits for the end; fails the test (code -1) after `seconds`.
  Ended wait(double seconds = 90);

 private:
  std::string folder_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
  double start_ = 0;
};

/// Runs a program to its end.
Ended run(const std::vector<std::string>& words, const std::string& folder, double seconds = 90);

/// `convoy` followed by words; the same under mpirun as `ranks` ranks.
std::vector<std::string> convoy(const std::vector<std::string>& words);
std::vector<std::string> mpi_convoy(int ranks, const std::vector<std::string>& words);

/// Running processes of the name (as in /proc/PID/comm: "convoy" is a worker, "convoy-watch" its supervisor)
/// whose command line holds `word`, by rising process id. "" is any name.
std::vector<pid_t> processes(const std::string& name, const std::string& word);

/// Tries `done` until it is true; false after `seconds`.
template <class Done>
bool wait_until(Done&& done, double seconds = 15);

/// How often `part` occurs in `text`.
int count_of(const std::string& part, const std::string& text);

void sleep_ms(int milliseconds);

template <class Done>
bool wait_until(Done&& done, double seconds) {
  for (int tries = static_cast<int>(seconds * 500); tries > 0; --tries) {
    if (done()) return true;
    sleep_ms(2);
  }
  return false;
}

}  // namespace convoy::test
