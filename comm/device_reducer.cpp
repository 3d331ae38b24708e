#include "comm/device_reducer.h"

#include <algorithm>

#include "layers/core/bfloat16.h"
#include "layers/core/float16.h"

namespace convoy {
namespace {

template <class Half>
void widen(const void* from, std::vector<float>& to) {
  const auto* values = static_cast<const Half*>(from);
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = values[i];
}

template <class Half>
void narrow(const std::vector<float>& from, void* to) {
  auto* values = static_cast<Half*>(to);
  for (std::size_t i = 0; i < from.size(); ++i) values[i] = Half(from[i]);
}

}  // namespace

DeviceReducer::DeviceReducer(Device& device, Communicator& comm, std::size_t slots)
    : device_(&device), comm_(&comm), slots_(slots) {}

DeviceReducer::~DeviceReducer() {
  for (Slot& slot : slots_) {
    if (slot.host != nullptr) device_->release_host(slot.host);
  }
}

void DeviceReducer::start(std::size_t number, void* memory, std::int64_t count, DType type,
                          const std::string& name) {
  Slot& slot = slots_[number];
  if (in_place(type)) {
    slot.pending = comm_->start_all_reduce(memory, count, Element::f32, Reduction::sum, name);
    return;
  }
  const std::int64_t bytes = count * size_of(type);
  if (slot.host == nullptr) slot.host = device_->allocate_host(bytes);
  slot.memory = memory;
  slot.count = count;
  slot.type = type;
  slot.name = name;
  slot.copied = device_->start_copy_out(slot.host, memory, bytes);
  slot.staged = true;
  waiting_.push_back(number);
  start_ready();
}

void DeviceReducer::start_ready() {
  std::size_t started = 0;
  while (started < waiting_.size() && slots_[waiting_[started]].copied->done())
    launch(slots_[waiting_[started++]]);
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(started));
}

void DeviceReducer::flush() {
  for (const std::size_t number : waiting_) {
    slots_[number].copied->wait();
    launch(slots_[number]);
  }
  waiting_.clear();
}

void DeviceReducer::launch(Slot& slot) {
  void* values = slot.host;
  if (slot.type != DType::f32) {
    slot.wide.resize(static_cast<std::size_t>(slot.count));
    slot.type == DType::f16 ? widen<Float16>(slot.host, slot.wide) : widen<BFloat16>(slot.host, slot.wide);
    values = slot.wide.data();
  }
  slot.pending = comm_->start_all_reduce(values, slot.count, Element::f32, Reduction::sum, slot.name);
}

void DeviceReducer::wait(std::size_t number) {
  Slot& slot = slots_[number];
  if (std::find(waiting_.begin(), waiting_.end(), number) != waiting_.end()) flush();
  slot.pending.wait();
  if (slot.staged) take_back(slot);
}

void DeviceReducer::take_back(Slot& slot) {
  if (slot.type == DType::f16) narrow<Float16>(slot.wide, slot.host);
  if (slot.type == DType::bf16) narrow<BFloat16>(slot.wide, slot.host);
  device_->start_copy_in(slot.memory, slot.host, slot.count * size_of(slot.type));
  slot.staged = false;
}

void DeviceReducer::sum_now(void* memory, std::int64_t count, const std::string& name) {
  flush();
  if (device_->host_addressable()) {
    comm_->start_all_reduce(memory, count, Element::f64, Reduction::sum, name).wait();
    return;
  }
  std::vector<double> values(static_cast<std::size_t>(count));
  device_->copy_out(values.data(), memory, count * 8);
  comm_->all_reduce(values, Reduction::sum, name);
  device_->copy_in(memory, values.data(), count * 8);
}

}  // namespace convoy
