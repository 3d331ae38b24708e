#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace convoy::test {

/// A folder that lasts one test, for job files, network files and runs. It is named after the process, so
/// that a test can tell its own processes by their command lines.
class JobFolder {
 public:
  JobFolder();
  ~JobFolder();
  JobFolder(const JobFolder&) = delete;
  JobFolder& operator=(const JobFolder&) = delete;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  /// Writes a file and gives its path.
  std::string write(const std::string& name, const std::string& text) const;
  /// Writes a network and a job for it, and gives the job's path. `sections` follows `[data] kind =
  /// "synthetic"`. One thread a rank: on a busy machine two that wait for each other take a hundred times as
  /// long. The usual kernels: runs can be compared bit by bit.
  std::string write_job(const std::string& network, const std::string& sections) const;

 private:
  std::filesystem::path folder_;
};

/// Caffe's LeNet with dropout before the last layer.
extern const char* const kLeNetWithDropout;
/// 8 x 8 pixels, 4 classes: a step takes microseconds.
extern const char* const kTinyNetwork;
/// The same with batch norm.
extern const char* const kTinyBatchNorm;

/// The same with two auxiliary heads, one with dropout; the main loss stands between them.
extern const char* const kTinyHeads;

std::string read_text(const std::string& path);

/// The lines of metrics.jsonl of one kind, "train" or "evaluation".
std::vector<boost::json::object> metrics_of(const std::string& run, const std::string& kind);
/// One number of each of these lines.
std::vector<double> numbers_of(const std::vector<boost::json::object>& lines, const std::string& key);
std::vector<double> losses_of(const std::string& run);
boost::json::object summary_of(const std::string& run);

/// Paths of a run's checkpoints, by rising step.
std::vector<std::string> checkpoints_of(const std::string& run);
/// All tensors of the newest checkpoint (weights, momentum, running statistics), as bytes by name.
std::vector<std::pair<std::string, std::string>> newest_tensors(const std::string& run);

/// The largest |a - b| / |b|, or infinity when they are not of one size.
double largest_difference(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace convoy::test
