#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "comm/status_page.h"
#include "layers/core/clock.h"

namespace convoy {

/// What a rank noted last. Any thread writes and reads, without locks. While a note is written a reader may
/// get a mix of it and the one before, which does no harm in a message.
class Activity {
 public:
  struct Snapshot {
    std::int64_t step = -1;  ///< -1: nothing noted yet
    std::string text;
    double seconds = 0;  ///< since it was noted
  };

  Activity();
  /// From now on every note also goes to `page`, which must outlive this. Before any note.
  void mirror(StatusPage* page) { page_ = page; }
  void note(std::int64_t step, const char* text);
  Snapshot get() const;

 private:
  std::atomic<std::int64_t> step_{-1};
  std::atomic<const char*> text_{"the start"};
  std::atomic<Clock::rep> since_;
  StatusPage* page_ = nullptr;
};

}  // namespace convoy
