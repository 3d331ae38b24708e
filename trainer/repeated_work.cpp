#include "trainer/repeated_work.h"

namespace convoy {

void RepeatedWork::give_up_recording() noexcept {
  try {
    (void)device_->stop_recording();
  } catch (const std::exception&) {
    return;  // what is half recorded may not be whole; the failure before says more
  }
}

std::unique_ptr<Recording> RepeatedWork::record(const std::function<void()>& work) {
  device_->start_recording();
  try {
    work();
  } catch (...) {
    give_up_recording();
    throw;
  }
  return device_->stop_recording();
}

bool RepeatedWork::run(int number, const std::function<void()>& work) {
  One& one = all_[number];
  if (one.recording == nullptr) {
    if (!one.was_run) {
      work();
      one.was_run = true;
      return false;
    }
    one.recording = record(work);
  }
  one.recording->play();
  return true;
}

}  // namespace convoy
