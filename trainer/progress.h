#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace convoy {

/// What the user sees while training: one line that is drawn anew on a terminal, plain lines at intervals
/// elsewhere.
class Progress {
 public:
  struct State {
    std::int64_t epoch = 0;  ///< running, from 0
    std::int64_t epochs = 0;
    std::int64_t iteration = 0;  ///< updates done, over all epochs
    std::int64_t iterations = 0;
    std::int64_t in_epoch = 0;  ///< updates done of this epoch
    std::int64_t per_epoch = 0;
    double loss = 0;
    double top1 = 0;
    double images_per_second = 0;
    double data_wait_share = 0;  ///< of the time, that the device waited for data
    std::string loader{};        ///< what to tell of the loader when it cannot keep up
    double seconds_left = 0;
  };

  /// Share of the time that the device waits for data from which on it is told.
  static constexpr double kNoticedWait = 0.02;

  /// `out` is where to write; null writes nothing. `terminal`: a person watches, so draw one line anew.
  Progress(std::FILE* out, bool terminal);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Draws the state if it is time.
  void show(const State& state);
  /// The same of anything else: a bar that is full by `share`, and `text` beside it.
  void show(double share, const std::string& text);
  /// A whole line of its own, above the progress line.
  void line(const std::string& text);

 private:
  bool is_time() const;
  void draw(double share, const std::string& text);
  void clear();

  std::FILE* out_;
  bool terminal_ = false;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point next_{};
};

/// "1:02:03" or "2:03".
std::string format_seconds(double seconds);

}  // namespace convoy
