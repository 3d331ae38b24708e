#include "trainer/run_folder.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <vector>

#include "layers/core/error.h"
#include "layers/device/cpu/host.h"

namespace convoy {
namespace fs = std::filesystem;

RunFolder::RunFolder(std::string path, int rank) : path_(std::move(path)), writer_(rank == 0) {
  std::error_code problem;
  for (const std::string& folder : {path_ + "/log", checkpoints()}) {
    fs::create_directories(folder, problem);
    if (problem)
      fail(ExitCode::usage, "cannot make the run folder {}: {}; choose another with --run-dir", folder,
           problem.message());
  }
  if (writer_) take_lock();
  log_.open(fmt::format("{}/log/rank-{}.log", path_, rank), std::ios::app);
}

/// The system lets go of the lock when the process ends, however it ends. A file system without locks is no
/// reason to stop.
void RunFolder::take_lock() {
  const std::string file = path_ + "/log/lock";
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return;
  lock_.reset(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    std::string holder;
    std::getline(std::ifstream(file), holder);
    fail(ExitCode::usage,
         "the run folder {} is in use by {}; wait until that ends, or choose another --run-dir", path_,
         holder.empty() ? "another process" : holder);
  }
  std::ofstream(file) << "process " << getpid() << " on " << host_name() << "\n";
}

void RunFolder::log(const std::string& text) {
  log_ << fmt::format("{:%Y-%m-%d %H:%M:%S} {}\n", fmt::localtime(std::time(nullptr)), text) << std::flush;
}

void RunFolder::write(const std::string& name, const std::string& text) const {
  if (!writer_) return;
  const std::string target = path_ + "/" + name;
  const std::string partial = fmt::format("{}.partial.{}", target, getpid());
  {
    std::ofstream file(partial, std::ios::binary);
    file << text;
    file.flush();
    if (!file) {
      const int error = errno;
      std::remove(partial.c_str());
      fail(code_of_write(error), "cannot write {}: {}", target, std::strerror(error));
    }
  }
  if (std::rename(partial.c_str(), target.c_str()) != 0)
    fail(code_of_write(errno), "cannot write {}: {}", target, std::strerror(errno));
}

bool RunFolder::open_metrics(std::int64_t iteration, bool evaluates_again) {
  if (!writer_) return false;
  bool evaluated = false;
  const std::string path = path_ + "/metrics.jsonl";
  std::string kept;
  std::ifstream old(path);
  for (std::string line; std::getline(old, line);) {
    boost::system::error_code problem;
    const boost::json::value value = boost::json::parse(line, problem);
    if (problem || !value.is_object()) continue;  // a line that a crash cut off
    const boost::json::value* at = value.as_object().if_contains("iteration");
    if (at == nullptr || !at->is_int64() || at->as_int64() > iteration) continue;
    const boost::json::value* kind = value.as_object().if_contains("kind");
    const bool now = at->as_int64() == iteration && kind != nullptr && *kind == "evaluation";
    if (now && evaluates_again) continue;
    evaluated = evaluated || now;
    kept += line + "\n";
  }
  old.close();
  write("metrics.jsonl", kept);
  metrics_.open(path, std::ios::app);
  return evaluated;
}

void RunFolder::add_metrics(const boost::json::object& line) {
  if (!writer_) return;
  metrics_ << boost::json::serialize(line) << '\n';
  metrics_.flush();
  if (!metrics_) {
    metrics_.clear();
    fail(code_of_write(errno), "cannot write {}/metrics.jsonl: {}", path_, std::strerror(errno));
  }
}

}  // namespace convoy
