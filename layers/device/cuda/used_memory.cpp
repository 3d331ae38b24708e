#include "layers/device/cuda/used_memory.h"

#include <dlfcn.h>

#include <memory>

namespace convoy {
namespace {

// What is needed of nvml.h, which toolkits may lack. Its functions and this struct keep their form ("NVML API
// Reference Guide", device queries).
struct Memory {
  unsigned long long total = 0;
  unsigned long long free = 0;
  unsigned long long used = 0;
};
using Initialise = int (*)();
using FindDevice = int (*)(const char* bus_id, void** device);
using TellMemory = int (*)(void* device, Memory* memory);
constexpr int kSuccess = 0;

struct Close {
  void operator()(void* library) const { (void)dlclose(library); }
};

template <class Function>
Function find(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

}  // namespace

std::optional<std::int64_t> used_memory(const std::string& bus_id) {
  const std::unique_ptr<void, Close> library(dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL));
  if (library == nullptr) return std::nullopt;
  const auto initialise = find<Initialise>(library.get(), "nvmlInit_v2");
  const auto shut_down = find<Initialise>(library.get(), "nvmlShutdown");
  const auto find_device = find<FindDevice>(library.get(), "nvmlDeviceGetHandleByPciBusId_v2");
  const auto tell_memory = find<TellMemory>(library.get(), "nvmlDeviceGetMemoryInfo");
  if (initialise == nullptr || shut_down == nullptr || find_device == nullptr || tell_memory == nullptr)
    return std::nullopt;
  if (initialise() != kSuccess) return std::nullopt;
  void* device = nullptr;
  Memory memory;
  const bool told =
      find_device(bus_id.c_str(), &device) == kSuccess && tell_memory(device, &memory) == kSuccess;
  (void)shut_down();
  if (!told) return std::nullopt;
  return static_cast<std::int64_t>(memory.used);
}

}  // namespace convoy
