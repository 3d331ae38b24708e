#include "layers/device/cuda/cuda_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "layers/core/bytes.h"
#include "layers/core/error.h"
#include "layers/device/cuda/check.h"
#include "layers/device/cuda/used_memory.h"

namespace convoy {
namespace {

std::size_t size(std::int64_t bytes) { return static_cast<std::size_t>(bytes); }

class CudaGraph : public Recording {
 public:
  /// Takes the graph's work over; the graph itself stays the caller's.
  CudaGraph(cudaGraph_t graph, cudaStream_t stream) : stream_(stream) {
    CONVOY_CUDA(cudaGraphInstantiate(&work_, graph, 0));
  }
  ~CudaGraph() override { (void)cudaGraphExecDestroy(work_); }
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;
  void play() override { CONVOY_CUDA(cudaGraphLaunch(work_, stream_)); }

 private:
  cudaStream_t stream_;
  cudaGraphExec_t work_ = nullptr;
};

}  // namespace

GpuId gpu_id(int index) {
  cudaDeviceProp properties{};
  CONVOY_CUDA(cudaGetDeviceProperties(&properties, index));
  GpuId id{fmt::format("{:04x}:{:02x}:{:02x}", properties.pciDomainID, properties.pciBusID,
                       properties.pciDeviceID),
           ""};
  constexpr std::array<int, 4> kHyphensBefore{4, 6, 8, 10};
  for (int i = 0; i < 16; ++i) {
    if (std::find(kHyphensBefore.begin(), kHyphensBefore.end(), i) != kHyphensBefore.end()) id.uuid += '-';
    id.uuid += fmt::format("{:02x}", static_cast<unsigned char>(properties.uuid.bytes[i]));
  }
  return id;
}

// Streams must not wait for the legacy default stream, in which nothing of ours runs.
CudaStream::CudaStream(Priority priority) {
  int least = 0;
  int greatest = 0;
  CONVOY_CUDA(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  CONVOY_CUDA(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking,
                                           priority == Priority::high ? greatest : least));
}

CudaEvent::CudaEvent() { CONVOY_CUDA(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming)); }

void CudaEvent::record(const CudaStream& stream) { CONVOY_CUDA(cudaEventRecord(event_, stream.get())); }

bool CudaEvent::done() const {
  const cudaError_t state = cudaEventQuery(event_);
  if (state == cudaErrorNotReady) {
    (void)cudaGetLastError();  // which it counts as, and the next launch would be said to have failed
    return false;
  }
  CONVOY_CUDA(state);
  return true;
}

void CudaEvent::wait() { CONVOY_CUDA(cudaEventSynchronize(event_)); }

CudaDevice::CudaDevice(int index, std::int64_t limit) : index_(index), limit_(limit) {
  std::array<char, 32> bus{};
  CONVOY_CUDA(cudaDeviceGetPCIBusId(bus.data(), static_cast<int>(bus.size()), index));
  bus_name_ = bus.data();
  used_before_ = used_memory(bus_name_);
  CONVOY_CUDA(cudaSetDevice(index));
  CONVOY_CUDA(cudaGetDeviceProperties(&properties_, index));
  compute_ = std::make_unique<CudaStream>();
  copies_ = std::make_unique<CudaStream>();
  inputs_ = std::make_unique<CudaStream>();
  computed_ = std::make_unique<CudaEvent>();
  for (Staging& staging : staging_) {
    staging.memory = allocate_host(kStagingBytes);
    staging.free = std::make_unique<CudaEvent>();
  }
}

CudaDevice::~CudaDevice() {
  (void)cudaDeviceSynchronize();
  for (const Staging& staging : staging_) release_host(staging.memory);
}

DeviceInfo CudaDevice::info() const {
  DeviceInfo info;
  info.kind = "cuda";
  info.name = properties_.name;
  info.index = index_;
  std::size_t free_bytes = 0;
  std::size_t all_bytes = 0;
  CONVOY_CUDA(cudaMemGetInfo(&free_bytes, &all_bytes));
  info.memory_bytes = static_cast<std::int64_t>(all_bytes);
  info.free_bytes = static_cast<std::int64_t>(free_bytes);
  if (limit_ > 0) info.free_bytes = std::min(info.free_bytes, limit_ - used_bytes());
  info.threads = properties_.multiProcessorCount;
  info.bf16 = properties_.major >= 8;
  info.fp16 = properties_.major >= 6;
  info.tf32 = properties_.major >= 8;
  return info;
}

std::string CudaDevice::capability() const {
  return fmt::format("{}.{}", properties_.major, properties_.minor);
}

std::optional<std::int64_t> CudaDevice::taken_bytes() const {
  const std::optional<std::int64_t> now = used_before_ ? used_memory(bus_name_) : std::nullopt;
  if (!now) return std::nullopt;
  return *now - *used_before_;
}

void CudaDevice::make_current() const { CONVOY_CUDA(cudaSetDevice(index_)); }

void* CudaDevice::allocate(std::int64_t bytes) {
  if (limit_ > 0 && used_bytes() + bytes > limit_) {
    fail(ExitCode::does_not_fit, "cannot allocate {} on GPU {}: {} of the limit of {} are in use",
         format_bytes(bytes), index_, format_bytes(used_bytes()), format_bytes(limit_));
  }
  void* memory = nullptr;
  const std::int64_t taken = std::max<std::int64_t>(bytes, 1);
  CONVOY_CUDA(cudaMalloc(&memory, size(taken)));
  count_allocation(bytes);
  try {
    clear(memory, taken);
    synchronize();
  } catch (...) {
    release(memory, bytes);
    throw;
  }
  return memory;
}

void CudaDevice::release(void* memory, std::int64_t bytes) noexcept {
  (void)cudaFree(memory);  // waits for the device; after an error there is nothing left to do
  count_release(bytes);
}

CudaDevice::Staging& CudaDevice::next_staging() {
  Staging& staging = staging_[turn_];
  turn_ = (turn_ + 1) % staging_.size();
  staging.free->wait();  // at once where it was never recorded
  return staging;
}

void CudaDevice::copy_in(void* device, const void* host, std::int64_t bytes) {
  for (std::int64_t done = 0; done < bytes; done += kStagingBytes) {
    const std::int64_t piece = std::min(kStagingBytes, bytes - done);
    Staging& staging = next_staging();
    std::memcpy(staging.memory, static_cast<const std::byte*>(host) + done, size(piece));
    CONVOY_CUDA(cudaMemcpyAsync(static_cast<std::byte*>(device) + done, staging.memory, size(piece),
                                cudaMemcpyHostToDevice, compute_->get()));
    staging.free->record(*compute_);
  }
}

void CudaDevice::copy_out(void* host, const void* device, std::int64_t bytes) {
  for (std::int64_t done = 0; done < bytes; done += kStagingBytes) {
    const std::int64_t piece = std::min(kStagingBytes, bytes - done);
    Staging& staging = next_staging();
    CONVOY_CUDA(cudaMemcpyAsync(staging.memory, static_cast<const std::byte*>(device) + done, size(piece),
                                cudaMemcpyDeviceToHost, compute_->get()));
    staging.free->record(*compute_);
    staging.free->wait();
    std::memcpy(static_cast<std::byte*>(host) + done, staging.memory, size(piece));
  }
}

void CudaDevice::clear(void* device, std::int64_t bytes) {
  if (bytes > 0) CONVOY_CUDA(cudaMemsetAsync(device, 0, size(bytes), compute_->get()));
}

void CudaDevice::synchronize() { CONVOY_CUDA(cudaStreamSynchronize(compute_->get())); }

void* CudaDevice::allocate_host(std::int64_t bytes) {
  void* memory = nullptr;
  CONVOY_CUDA(cudaMallocHost(&memory, size(std::max<std::int64_t>(bytes, 1))));
  return memory;
}

void CudaDevice::release_host(void* memory) noexcept { (void)cudaFreeHost(memory); }

std::unique_ptr<DeviceMark> CudaDevice::start_copy_out(void* host, const void* device, std::int64_t bytes) {
  auto copied = std::make_unique<CudaEvent>();
  computed_->record(*compute_);
  CONVOY_CUDA(cudaStreamWaitEvent(copies_->get(), computed_->get(), 0));
  if (bytes > 0)
    CONVOY_CUDA(cudaMemcpyAsync(host, device, size(bytes), cudaMemcpyDeviceToHost, copies_->get()));
  copied->record(*copies_);
  return copied;
}

std::unique_ptr<DeviceMark> CudaDevice::start_copy_ahead(void* device, const void* host, std::int64_t bytes,
                                                         DeviceMark* after) {
  if (after != nullptr)
    CONVOY_CUDA(cudaStreamWaitEvent(inputs_->get(), dynamic_cast<CudaEvent&>(*after).get(), 0));
  if (bytes > 0)
    CONVOY_CUDA(cudaMemcpyAsync(device, host, size(bytes), cudaMemcpyHostToDevice, inputs_->get()));
  auto copied = std::make_unique<CudaEvent>();
  copied->record(*inputs_);
  return copied;
}

void CudaDevice::copy_within(void* to, const void* from, std::int64_t bytes) {
  if (bytes > 0)
    CONVOY_CUDA(cudaMemcpyAsync(to, from, size(bytes), cudaMemcpyDeviceToDevice, compute_->get()));
}

std::unique_ptr<DeviceMark> CudaDevice::mark() {
  auto reached = std::make_unique<CudaEvent>();
  reached->record(*compute_);
  return reached;
}

void CudaDevice::wait_for(DeviceMark& mark) {
  CONVOY_CUDA(cudaStreamWaitEvent(compute_->get(), dynamic_cast<CudaEvent&>(mark).get(), 0));
}

// Of this thread alone: others (NCCL's, the watch) go on with calls that a recording forbids.
void CudaDevice::start_recording() {
  CONVOY_CUDA(cudaStreamBeginCapture(compute_->get(), cudaStreamCaptureModeThreadLocal));
  recording_ = true;
}

std::unique_ptr<Recording> CudaDevice::stop_recording() {
  recording_ = false;
  cudaGraph_t graph = nullptr;
  CONVOY_CUDA(cudaStreamEndCapture(compute_->get(), &graph));
  const std::unique_ptr<CUgraph_st, void (*)(cudaGraph_t)> owned(
      graph, [](cudaGraph_t g) { (void)cudaGraphDestroy(g); });
  return std::make_unique<CudaGraph>(graph, compute_->get());
}

void CudaDevice::start_copy_in(void* device, const void* host, std::int64_t bytes) {
  if (bytes > 0)
    CONVOY_CUDA(cudaMemcpyAsync(device, host, size(bytes), cudaMemcpyHostToDevice, compute_->get()));
}

}  // namespace convoy
