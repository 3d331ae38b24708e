#include <algorithm>
#include <deque>
#include <exception>
#include <vector>

#include "comm/device_collectives.h"
#include "layers/core/bfloat16.h"
#include "layers/core/float16.h"

namespace convoy {
namespace {

enum class Kind : std::uint8_t { all_reduce, reduce_scatter, all_gather };

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

/// A run of bytes of a slot's memory.
struct Part {
  std::int64_t first = 0;
  std::int64_t bytes = 0;
};

class StagedCollectives final : public DeviceCollectives {
 public:
  StagedCollectives(Device& device, Communicator& comm) : device_(&device), comm_(&comm) {}
  ~StagedCollectives() override {
    try {
      device_->synchronize();  // what its slots hold may still be on its way to the device, or from there
    } catch (const std::exception&) {
      return;  // the device has failed: who knows what it still reads
    }
    for (Slot& slot : slots_) {
      if (slot.host != nullptr) device_->release_host(slot.host);
    }
  }
  StagedCollectives(const StagedCollectives&) = delete;
  StagedCollectives& operator=(const StagedCollectives&) = delete;

  std::string kind() const override { return "through the host"; }
  void start_all_reduce(std::size_t slot, void* memory, std::int64_t count, DType type,
                        const std::string& name) override {
    start(slot, {Kind::all_reduce, memory, count, type, name});
  }
  void start_reduce_scatter(std::size_t slot, void* memory, std::int64_t count_per_rank, DType type,
                            const std::string& name) override {
    start(slot, {Kind::reduce_scatter, memory, count_per_rank, type, name});
  }
  void start_all_gather(std::size_t slot, void* memory, std::int64_t bytes_per_rank,
                        const std::string& name) override {
    start(slot, {Kind::all_gather, memory, bytes_per_rank, DType::u8, name});
  }
  void flush() override;
  void wait(std::size_t slot) override;
  void sum_now(void* memory, std::int64_t count, const std::string& name) override;

 private:
  struct Operation {
    Kind kind = Kind::all_reduce;
    void* memory = nullptr;
    std::int64_t count = 0;  ///< values of all (all_reduce) or of one rank's slice
    DType type = DType::f32;
    std::string name;
  };
  struct Slot {
    Operation operation;
    void* host = nullptr;
    std::int64_t host_bytes = 0;
    std::vector<float> wide;  ///< half types as fp32
    std::unique_ptr<DeviceMark> copied;
    Pending pending;
    bool staged = false;  ///< the result must go back to the device
  };

  Part whole(const Operation& operation) const {
    const int slices = operation.kind == Kind::all_reduce ? 1 : comm_->size();
    return {0, operation.count * size_of(operation.type) * slices};
  }
  Part own_slice(const Operation& operation) const {
    const std::int64_t bytes = operation.count * size_of(operation.type);
    return {bytes * comm_->rank(), bytes};
  }
  static std::byte* at(void* memory, const Part& part) {
    return static_cast<std::byte*>(memory) + part.first;
  }

  void start(std::size_t number, Operation operation);
  /// Hands the operation over to the communicator, on values that the host can reach.
  Pending start_here(const Operation& operation, void* values) const;
  void start_copied();
  void launch(Slot& slot);
  void take_back(Slot& slot);

  Device* device_;
  Communicator* comm_;
  std::deque<Slot> slots_;            ///< does not move what it has when it grows
  std::vector<std::size_t> waiting_;  ///< slots whose copies are under way, in the order of start()
};

void StagedCollectives::start(std::size_t number, Operation operation) {
  while (slots_.size() <= number) slots_.emplace_back();
  Slot& slot = slots_[number];
  slot.operation = std::move(operation);
  const Operation& wanted = slot.operation;
  const bool half = wanted.type == DType::f16 || wanted.type == DType::bf16;
  if (device_->host_addressable() && !half) {
    slot.pending = start_here(wanted, wanted.memory);
    return;
  }
  const Part all = whole(wanted);
  if (slot.host_bytes < all.bytes) {
    if (slot.host != nullptr) {
      device_->synchronize();  // what was there may still be on its way to the device
      device_->release_host(slot.host);
    }
    slot.host = nullptr;
    slot.host = device_->allocate_host(all.bytes);
    slot.host_bytes = all.bytes;
  }
  const Part given = wanted.kind == Kind::all_gather ? own_slice(wanted) : all;
  slot.copied = device_->start_copy_out(at(slot.host, given), at(wanted.memory, given), given.bytes);
  slot.staged = true;
  waiting_.push_back(number);
  start_copied();
}

Pending StagedCollectives::start_here(const Operation& operation, void* values) const {
  switch (operation.kind) {
    case Kind::all_reduce:
      return comm_->start_all_reduce(values, operation.count, Element::f32, Reduction::sum, operation.name);
    case Kind::reduce_scatter:
      return comm_->start_reduce_scatter(values, operation.count, Element::f32, Reduction::sum,
                                         operation.name);
    case Kind::all_gather:
      return comm_->start_all_gather(values, operation.count, Element::u8, operation.name);
  }
  return {};
}

void StagedCollectives::start_copied() {
  std::size_t started = 0;
  while (started < waiting_.size() && slots_[waiting_[started]].copied->done())
    launch(slots_[waiting_[started++]]);
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(started));
}

void StagedCollectives::flush() {
  for (const std::size_t number : waiting_) {
    slots_[number].copied->wait();
    launch(slots_[number]);
  }
  waiting_.clear();
}

void StagedCollectives::launch(Slot& slot) {
  const Operation& operation = slot.operation;
  void* values = slot.host;
  if (operation.type == DType::f16 || operation.type == DType::bf16) {
    slot.wide.resize(static_cast<std::size_t>(whole(operation).bytes / size_of(operation.type)));
    operation.type == DType::f16 ? widen<Float16>(slot.host, slot.wide)
                                 : widen<BFloat16>(slot.host, slot.wide);
    values = slot.wide.data();
  }
  slot.pending = start_here(operation, values);
}

void StagedCollectives::wait(std::size_t number) {
  if (number >= slots_.size()) return;
  Slot& slot = slots_[number];
  if (std::find(waiting_.begin(), waiting_.end(), number) != waiting_.end()) flush();
  slot.pending.wait();
  if (slot.staged) take_back(slot);
}

void StagedCollectives::take_back(Slot& slot) {
  const Operation& operation = slot.operation;
  if (operation.type == DType::f16) narrow<Float16>(slot.wide, slot.host);
  if (operation.type == DType::bf16) narrow<BFloat16>(slot.wide, slot.host);
  const Part changed = operation.kind == Kind::reduce_scatter ? own_slice(operation) : whole(operation);
  device_->start_copy_in(at(operation.memory, changed), at(slot.host, changed), changed.bytes);
  slot.staged = false;
}

void StagedCollectives::sum_now(void* memory, std::int64_t count, const std::string& name) {
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

}  // namespace

std::unique_ptr<DeviceCollectives> make_staged_collectives(Device& device, Communicator& comm) {
  return std::make_unique<StagedCollectives>(device, comm);
}

}  // namespace convoy
