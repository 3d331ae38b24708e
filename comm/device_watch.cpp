#include "comm/device_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "layers/core/clock.h"

namespace convoy {
namespace {

/// The most that the time between two looks counts for: a process that was stopped was not waiting.
constexpr double kMostBetweenLooks = 1;

}  // namespace

DeviceWatch::DeviceWatch(const Limits& limits, Calls calls)
    : limits_(limits), calls_(std::move(calls)), thread_([this] { run(); }) {}

DeviceWatch::~DeviceWatch() {
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void DeviceWatch::add(Watched operation) {
  const std::lock_guard lock(mutex_);
  under_way_.push_back(std::move(operation));
}

void DeviceWatch::run() {
  try {
    calls_.enter();
  } catch (const std::exception&) {
    return;  // as below
  }
  auto last = Clock::now();
  std::unique_lock lock(mutex_);
  while (!stops_) {
    changed_.wait_for(lock, kInterval, [&] { return stops_; });
    if (stops_) return;
    const double seconds = std::min(seconds_since(last), kMostBetweenLooks);
    last = Clock::now();
    std::string problem;
    try {
      problem = look(seconds);
    } catch (const std::exception&) {
      return;  // the device has failed, which whoever works with it learns at its next call
    }
    if (problem.empty()) continue;
    // Whoever ends the watch now has found an error of its own, or was done anyhow.
    const std::chrono::duration<double> grace(limits_.grace_seconds);
    if (changed_.wait_for(lock, grace, [&] { return stops_; })) return;
    lock.unlock();
    calls_.give_up(problem);
    return;
  }
}

std::string DeviceWatch::look(double seconds) {
  while (!under_way_.empty() && under_way_.front().done->done()) {
    under_way_.pop_front();
    running_ = 0;
  }
  const std::string trouble = calls_.trouble();
  if (under_way_.empty()) return trouble;
  const Watched& first = under_way_.front();
  const std::string where = fmt::format("{} of step {}", first.name, first.iteration);
  if (!trouble.empty()) return fmt::format("{}: {}", where, trouble);
  if (first.begun != nullptr && !first.begun->done()) return "";
  running_ += seconds;
  if (running_ <= limits_.timeout_seconds) return "";
  return fmt::format("{} is not done after {:g} s (comm.timeout_seconds)", where, limits_.timeout_seconds);
}

}  // namespace convoy
