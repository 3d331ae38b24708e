#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>

namespace convoy {

/// What a rank is doing, in memory that a supervising process shares: it can still tell when the rank is
/// gone. One thread writes; a reader may get a mix of two texts, which does no harm in a message.
class StatusPage {
 public:
  void note(std::int64_t step, const char* text) {
    step_.store(step, std::memory_order_relaxed);
    for (std::size_t i = 0; i + 1 < kLength; ++i) {
      text_[i].store(text[i], std::memory_order_relaxed);
      if (text[i] == '\0') break;
    }
  }

  /// "step 57, backward conv2".
  std::string text() const {
    std::string text;
    for (const std::atomic<char>& c : text_) {
      if (c.load(std::memory_order_relaxed) == '\0') break;
      text += c.load(std::memory_order_relaxed);
    }
    if (text.empty()) return "its start";
    return "step " + std::to_string(step_.load(std::memory_order_relaxed)) + ", " + text;
  }

 private:
  static constexpr std::size_t kLength = 96;
  std::atomic<std::int64_t> step_{-1};
  std::atomic<char> text_[kLength]{};
};

}  // namespace convoy
