#include "launch/data_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "launch/ranks.h"

namespace convoy {

DataProgress::DataProgress(std::int64_t total, const std::atomic<std::int64_t>& done, bool silent,
                           std::function<std::string()> more)
    : total_(total),
      done_(done),
      more_(std::move(more)),
      progress_(silent ? nullptr : stderr, !silent && reaches_terminal(stderr)),
      thread_([this](const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!wake_.wait_for(lock, stop, std::chrono::milliseconds(100),
                               [&] { return stop.stop_requested(); }))
          watch();
      }) {}

DataProgress::~DataProgress() = default;

void DataProgress::watch() {
  const std::int64_t done = done_;
  const double seconds = std::max(seconds_since(start_), 1e-3);
  const double rate = static_cast<double>(done) / seconds;
  const double left = rate > 0 ? static_cast<double>(total_ - done) / rate : 0;
  const double share = static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(total_, 1));
  const std::string more = more_ ? fmt::format("  {}", more_()) : std::string();
  progress_.show(share, fmt::format("{}/{} images  {:.0f} images/s{}  {} left", done, total_, rate, more,
                                    format_seconds(left)));
}

}  // namespace convoy
