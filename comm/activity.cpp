#include "comm/activity.h"

namespace convoy {

Activity::Activity() : since_(Clock::now().time_since_epoch().count()) {}

void Activity::note(std::int64_t step, const char* text) {
  if (page_ != nullptr) page_->note(step, text);
  step_.store(step, std::memory_order_relaxed);
  text_.store(text, std::memory_order_release);
  since_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
}

Activity::Snapshot Activity::get() const {
  const Clock::time_point since{Clock::duration{since_.load(std::memory_order_relaxed)}};
  return {step_.load(std::memory_order_relaxed), text_.load(std::memory_order_acquire), seconds_since(since)};
}

}  // namespace convoy
