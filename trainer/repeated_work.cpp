#include "trainer/repeated_work.h"

namespace convoy {

bool RepeatedWork::run(int number, const std::function<void()>& work) {
  One& one = all_[number];
  if (one.recording == nullptr) {
    if (!one.was_run) {
      work();
      one.was_run = true;
      return false;
    }
    device_->start_recording();
    work();
    one.recording = device_->stop_recording();
  }
  one.recording->play();
  return true;
}

}  // namespace convoy
