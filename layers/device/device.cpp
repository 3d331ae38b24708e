#include "layers/device/device.h"

#include "layers/core/error.h"

namespace convoy {
namespace {

class Done : public DeviceMark {
 public:
  bool done() const override { return true; }
  void wait() override {}
};

}  // namespace

std::unique_ptr<DeviceMark> Device::start_copy_out(void* host, const void* device, std::int64_t bytes) {
  copy_out(host, device, bytes);
  return std::make_unique<Done>();
}

std::unique_ptr<DeviceMark> Device::start_copy_ahead(void* device, const void* host, std::int64_t bytes,
                                                     DeviceMark* after) {
  if (after != nullptr) after->wait();
  copy_in(device, host, bytes);
  return std::make_unique<Done>();
}

std::unique_ptr<DeviceMark> Device::mark() { return std::make_unique<Done>(); }

void Device::start_recording() { fail(ExitCode::internal, "the device does not record"); }

std::unique_ptr<Recording> Device::stop_recording() {
  fail(ExitCode::internal, "the device does not record");
}

}  // namespace convoy
