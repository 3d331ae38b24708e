#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <fstream>
#include <string>

#include "trainer/storage/file_io.h"

namespace convoy {

/// The choice of kernels that a run was made with: the same kernels give a resumed run the same bits.
inline constexpr const char* kKernelsFile = "kernels.json";

/// The folder of a run: job.toml, plan.json, plan.html, kernels.json, metrics.jsonl, summary.json, log/,
/// checkpoints/. Rank 0 writes all but its own log. Errors are Error(internal) that name the file.
class RunFolder {
 public:
  /// Makes the folder and those in it, and opens this rank's log. Rank 0 writes the rest, and holds the
  /// folder's lock while this lives: Error(usage) where another process has it.
  RunFolder(std::string path, int rank);

  const std::string& path() const { return path_; }
  std::string checkpoints() const { return path_ + "/checkpoints"; }

  /// A line with the time of day to log/rank-N.log; a log that cannot be written is no reason to stop.
  void log(const std::string& text);

  /// Writes a small file whole: to a new file that is renamed.
  void write(const std::string& name, const std::string& text) const;

  /// Opens metrics.jsonl for appending; lines of later iterations than `iteration` (of a run that was cut
  /// off) go, and with `evaluates_again` that iteration's evaluation too. On rank 0: whether an evaluation of
  /// `iteration` stays.
  bool open_metrics(std::int64_t iteration, bool evaluates_again);
  void add_metrics(const boost::json::object& line);

 private:
  void take_lock();

  std::string path_;
  bool writer_;
  Descriptor lock_{-1};
  std::ofstream metrics_;
  std::ofstream log_;
};

}  // namespace convoy
