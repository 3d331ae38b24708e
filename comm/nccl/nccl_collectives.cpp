#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <optional>

#include "comm/device_watch.h"
#include "comm/nccl/nccl_communicator.h"
#include "layers/core/clock.h"
#include "layers/core/error.h"
#include "layers/device/cpu/host.h"
#include "layers/device/cuda/check.h"
#include "layers/device/cuda/cuda_device.h"

namespace convoy {
namespace {

ncclDataType_t nccl_type(DType type) {
  switch (type) {
    case DType::f32:
      return ncclFloat32;
    case DType::f16:
      return ncclFloat16;
    case DType::bf16:
      return ncclBfloat16;
    case DType::u8:
      return ncclUint8;
    case DType::s32:
      return ncclInt32;
  }
  return ncclUint8;
}

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// Memory of the device for a while, where it can be had.
class Spare {
 public:
  Spare(Device& device, std::int64_t bytes) : device_(device), bytes_(bytes) {
    try {
      memory_ = device.allocate(bytes);
    } catch (const Error&) {
      memory_ = nullptr;
    }
  }
  ~Spare() {
    if (memory_ != nullptr) device_.release(memory_, bytes_);
  }
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;
  void* get() const { return memory_; }

 private:
  Device& device_;
  std::int64_t bytes_;
  void* memory_ = nullptr;
};

/// NCCL chooses one for each size and does not tell which (NCCL_DEBUG=INFO with NCCL_DEBUG_SUBSYS=TUNING
/// makes it), unless the user did.
std::string asked_algorithm() {
  const char* algorithm = std::getenv("NCCL_ALGO");
  return algorithm == nullptr || *algorithm == '\0' ? "of its own choice"
                                                    : fmt::format("{} (NCCL_ALGO)", algorithm);
}

class NcclCollectives final : public DeviceCollectives {
 public:
  NcclCollectives(CudaDevice& device, Communicator& comm, const NcclOptions& options,
                  const NcclLibrary& library)
      : device_(device),
        comm_(comm),
        options_(options),
        library_(library),
        stream_(CudaStream::Priority::high),
        nccl_(library, comm, options.timeout_seconds) {
    watch_.emplace(DeviceWatch::Limits{options.timeout_seconds, options.grace_seconds},
                   DeviceWatch::Calls{[this] { device_.make_current(); }, [this] { return nccl_.trouble(); },
                                      [this](const std::string& problem) { give_up(problem); }});
    warm_up();
  }

  std::string kind() const override {
    const std::string library = fmt::format("NCCL {}, algorithm {}", nccl_.version(), asked_algorithm());
    if (bus_bandwidth_ <= 0) return library;
    return fmt::format("{}, bus bandwidth {:.1f} GB/s", library, 1e-9 * bus_bandwidth_);
  }
  void note(std::int64_t iteration) override { iteration_ = iteration; }
  bool can_be_recorded() const override { return true; }
  void played(const std::string& name) override { watch_->add({name, iteration_, nullptr, device_.mark()}); }

  void start_all_reduce(std::size_t slot, void* memory, std::int64_t count, DType type,
                        const std::string& name) override {
    start(slot, fmt::format("{} (all-reduce of {} {})", name, count, name_of(type)), [&](ncclComm_t nccl) {
      return library_.all_reduce(memory, memory, size(count), nccl_type(type), ncclSum, nccl, stream_.get());
    });
  }
  void start_reduce_scatter(std::size_t slot, void* memory, std::int64_t count_per_rank, DType type,
                            const std::string& name) override {
    const std::string text =
        fmt::format("{} (reduce-scatter of {} {} a rank)", name, count_per_rank, name_of(type));
    start(slot, text, [&](ncclComm_t nccl) {
      return library_.reduce_scatter(memory, slice(memory, count_per_rank * size_of(type)),
                                     size(count_per_rank), nccl_type(type), ncclSum, nccl, stream_.get());
    });
  }
  void start_all_gather(std::size_t slot, void* memory, std::int64_t bytes_per_rank,
                        const std::string& name) override {
    const std::string text = fmt::format("{} (all-gather of {} bytes a rank)", name, bytes_per_rank);
    start(slot, text, [&](ncclComm_t nccl) {
      return library_.all_gather(slice(memory, bytes_per_rank), memory, size(bytes_per_rank), ncclUint8, nccl,
                                 stream_.get());
    });
  }
  void flush() override {}  // nothing of it waits for the host
  void wait(std::size_t slot) override {
    if (slot < slots_.size()) wait(slots_[slot]);
  }
  void sum_now(void* memory, std::int64_t count, const std::string& name) override {
    start(now_, fmt::format("{} (all-reduce of {} fp64)", name, count), [&](ncclComm_t nccl) {
      return library_.all_reduce(memory, memory, size(count), ncclFloat64, ncclSum, nccl, stream_.get());
    });
    wait(now_);
  }

 private:
  struct Slot {
    CudaEvent ready;  ///< what the device computes of it is there
    CudaEvent done;
    bool under_way = false;
  };

  void* slice(void* memory, std::int64_t bytes) const {
    return static_cast<std::byte*>(memory) + bytes * comm_.rank();
  }

  void start(std::size_t number, const std::string& name,
             const std::function<ncclResult_t(ncclComm_t)>& work) {
    while (slots_.size() <= number) slots_.emplace_back();
    start(slots_[number], name, work);
  }
  void start(Slot& slot, const std::string& name, const std::function<ncclResult_t(ncclComm_t)>& work);
  void wait(Slot& slot);
  void warm_up();
  void measure(void* memory, std::int64_t bytes);
  void give_up(const std::string& problem);

  static constexpr std::int64_t kTrialSteps = 32;  ///< sizes of trials differ by it

  CudaDevice& device_;
  Communicator& comm_;
  const NcclOptions options_;
  const NcclLibrary& library_;
  CudaStream stream_;  ///< outlives the communicator, whose work is in it
  NcclCommunicator nccl_;
  std::deque<Slot> slots_;  ///< does not move what it has when it grows
  Slot now_;                ///< of sum_now
  std::int64_t iteration_ = 0;
  double bus_bandwidth_ = 0;          ///< bytes a second
  std::optional<DeviceWatch> watch_;  ///< the last, so that it stops first
};

void NcclCollectives::start(Slot& slot, const std::string& name,
                            const std::function<ncclResult_t(ncclComm_t)>& work) {
  slot.ready.record(device_.compute());
  CONVOY_CUDA(cudaStreamWaitEvent(stream_.get(), slot.ready.get(), 0));
  const bool watched = !device_.recording();  // events of a recording cannot be asked
  const auto mark = [&] {
    auto event = std::make_shared<CudaEvent>();
    event->record(stream_);
    return event;
  };
  DeviceWatch::Watched operation{name, iteration_, watched ? mark() : nullptr, nullptr};
  nccl_.call(name, work);
  if (watched) {
    operation.done = mark();
    watch_->add(std::move(operation));
  }
  slot.done.record(stream_);
  slot.under_way = true;
}

void NcclCollectives::wait(Slot& slot) {
  if (!slot.under_way) return;
  CONVOY_CUDA(cudaStreamWaitEvent(device_.compute().get(), slot.done.get(), 0));
  slot.under_way = false;
}

/// NCCL connects the ranks, and takes memory for it, at the first collective of a kind; since 2.22 also at
/// the first of a size for which it has another algorithm. Later there may be no memory left.
void NcclCollectives::warm_up() {
  const std::int64_t most = options_.trial_bytes;
  const Spare spare(device_, most);
  const std::int64_t has = spare.get() != nullptr ? 1 : 0;
  if (comm_.all_reduce(has, Reduction::min, "memory to try NCCL with") == 0) return;
  for (std::int64_t bytes = std::min<std::int64_t>(1 << 10, most);;
       bytes = std::min(bytes * kTrialSteps, most)) {
    for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
      start_all_reduce(0, spare.get(), bytes / size_of(type), type, "trial");
      wait(0);
    }
    const std::int64_t slice_bytes = std::max<std::int64_t>(bytes / comm_.size() / 256 * 256, 256);
    if (slice_bytes * comm_.size() <= most) {
      for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
        start_reduce_scatter(0, spare.get(), slice_bytes / size_of(type), type, "trial");
        wait(0);
      }
      start_all_gather(0, spare.get(), slice_bytes, "trial");
      wait(0);
    }
    if (bytes == most) break;
  }
  sum_now(spare.get(), 256, "trial");
  measure(spare.get(), most);
}

/// The bus bandwidth of an all-reduce as nccl-tests count it (PERFORMANCE.md there): each byte passes
/// 2 (n - 1) / n times through the slowest link of the best algorithm.
void NcclCollectives::measure(void* memory, std::int64_t bytes) {
  constexpr int kRounds = 5;
  const auto sum = [&] {
    start_all_reduce(0, memory, bytes / 4, DType::f32, "trial");
    wait(0);
  };
  sum();
  device_.synchronize();
  comm_.barrier("trial of NCCL");
  const auto start = Clock::now();
  for (int round = 0; round < kRounds; ++round) sum();
  device_.synchronize();
  const double seconds = seconds_since(start) / kRounds;
  const double ranks = comm_.size();
  bus_bandwidth_ = 2 * (ranks - 1) / ranks * static_cast<double>(bytes) / seconds;
}

/// In the watch's thread. The job ends first: while the Executor has recordings with collectives in them,
/// ncclCommAbort does not return. What comes after is for communicators whose abort() returns.
void NcclCollectives::give_up(const std::string& problem) {
  const std::string message = fmt::format(
      "on host {}: {}. A rank was lost or is stuck, or the network failed; NCCL_DEBUG=WARN makes NCCL say "
      "more",
      host_name(), problem);
  comm_.abort(ExitCode::lost_rank, message);
  nccl_.abort(message);
}

}  // namespace

std::unique_ptr<DeviceCollectives> make_nccl_collectives(CudaDevice& device, Communicator& comm,
                                                         const NcclOptions& options,
                                                         const NcclLibrary& library) {
  return std::make_unique<NcclCollectives>(device, comm, options, library);
}

}  // namespace convoy
