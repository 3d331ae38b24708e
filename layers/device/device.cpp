#include "layers/device/device.h"

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

}  // namespace convoy
