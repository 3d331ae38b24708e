#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/launch/process.h"
#include "tests/trainer/job_folder.h"

namespace convoy::test {

/// A job in a folder of its own, to train as a program of its own with any number of ranks.
class JobUnderTest : public ::testing::Test {
 protected:
  ~JobUnderTest() override;

  void use(const char* network, const std::string& sections) { job_ = folder_.write_job(network, sections); }
  std::string path(const std::string& name) const { return folder_.path(name); }

  /// The words of `convoy train JOB --run-dir RUN`; under mpirun when `ranks` > 0.
  std::vector<std::string> train_words(int ranks, const std::string& run,
                                       const std::vector<std::string>& sets = {}) const;
  Ended train(int ranks, const std::string& run, const std::vector<std::string>& sets = {}) const;

  /// Waits until a run has done some updates.
  static bool has_begun(const std::string& run);
  /// Processes of this test's job.
  std::vector<pid_t> job_processes(const std::string& name = "") const { return processes(name, path("")); }
  /// True when none is left, at the latest after some seconds.
  bool all_gone(double seconds) const;

  JobFolder folder_;
  std::string job_;
};

/// 10 million tiny updates: longer than any test.
inline constexpr const char* kEndless = R"(samples = 1000000
test_samples = 8
mean = [100]
deviation = [50]
[train]
batch = 12
epochs = 100
[comm]
timeout_seconds = 3
[checkpoint]
every_iterations = 5
[log]
every = 1
)";

}  // namespace convoy::test
