#pragma once

#include <string>

#include "trainer/run_folder.h"
#include "trainer/trainer.h"

namespace convoy {

/// What a training run tells while it goes on: to the log of each rank, and to the console of rank 0.
class RunConsole {
 public:
  /// Session and folder must outlive it.
  RunConsole(const Session& session, RunFolder& folder, const TrainOptions& options);

  /// To this rank's log alone, to the console alone, and to both.
  void log(const std::string& text) { folder_.log(text); }
  void line(const std::string& text) { progress_.line(text); }
  void say(const std::string& text);
  void show(const Progress::State& state) { progress_.show(state); }

  /// What is trained, on what and how: the plan, what was done to make it fit, device and kernels.
  void start(std::int64_t updates_per_epoch);
  /// What the data sets have to tell since the last call.
  void data_notes();

 private:
  void plan();
  void kernels();

  const Session& session_;
  const Job& job_;
  RunFolder& folder_;
  Progress progress_;
  std::string version_;
};

}  // namespace convoy
