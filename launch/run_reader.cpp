#include "launch/run_reader.h"

#include <filesystem>

#include "launch/job/read_job.h"
#include "layers/core/error.h"
#include "trainer/planner/plan_report.h"
#include "trainer/run_folder.h"
#include "trainer/storage/checkpoint_store.h"

namespace convoy {

Job job_of_run(const std::string& folder, const std::vector<std::string>& sets) {
  const std::string path = folder + "/job.toml";
  if (!std::filesystem::exists(path)) {
    fail(ExitCode::usage,
         "{}: holds no run (there is no job.toml in it); name the folder given to convoy train --run-dir",
         folder);
  }
  return read_job(path, sets);
}

std::string weights_of_run(const std::string& folder, const std::string& named) {
  if (!named.empty()) return named;
  const std::string converted = folder + "/weights.safetensors";
  const bool has_checkpoints = !CheckpointStore(folder + "/checkpoints", 1).list().empty();
  return !has_checkpoints && std::filesystem::exists(converted) ? converted : "";
}

void tell_actions(const Plan& plan) {
  for (const std::string& line : action_lines(plan)) fmt::print(stderr, "convoy: {}\n", line);
}

KernelSettings kernels_of_run(const std::string& folder, const Job& job) {
  KernelSettings settings;
  if (job.kernels != "default") settings.kept = folder + "/" + kKernelsFile;
  return settings;
}

KernelSettings kernels_to_train(const std::string& folder, const std::string& resume, const Job& job) {
  const std::string checkpoints = folder + "/checkpoints";
  std::error_code ignored;
  const bool goes_on =
      std::filesystem::is_directory(checkpoints, ignored) && !CheckpointStore(checkpoints, 1).list().empty();
  if (resume == "auto" && goes_on) return kernels_of_run(folder, job);
  if (resume != "auto" && resume != "no") {
    // A checkpoint by its path lies in checkpoints/ of its run.
    const auto run = std::filesystem::absolute(resume).parent_path().parent_path();
    for (const std::string& from : {folder, run.string()}) {
      if (std::filesystem::exists(from + "/" + kKernelsFile)) return kernels_of_run(from, job);
    }
  }
  return kernel_settings(job);
}

}  // namespace convoy
