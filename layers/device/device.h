#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>

namespace convoy {

/// What a device is and can do.
struct DeviceInfo {
  std::string kind;  ///< "cpu", "cuda"
  std::string name;  ///< "Intel(R) Xeon(R) ...", "NVIDIA H100 80GB HBM3"
  int index = 0;
  std::int64_t memory_bytes = 0;   ///< all of it
  std::int64_t free_bytes = 0;     ///< what could be had now
  std::int64_t process_bytes = 0;  ///< what this process may still have of it (ulimit -v); 0: it has no bound
  int threads = 0;                 ///< CPU: cores this process may use; GPU: multiprocessors
  bool bf16 = false;
  bool fp16 = false;
  bool tf32 = false;  ///< products of fp32 from operands rounded to TF32
};

/// A point in a device's work.
class DeviceMark {
 public:
  virtual ~DeviceMark() = default;
  virtual bool done() const = 0;
  virtual void wait() = 0;
};

/// Work of a device that was recorded, to be put into its queue again as a whole.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void play() = 0;
};

/// One device: gives memory out and counts how often.
class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceInfo info() const = 0;
  /// Zeroed memory, aligned to 4096 bytes. Error(does_not_fit) when it cannot be had.
  virtual void* allocate(std::int64_t bytes) = 0;
  virtual void release(void* memory, std::int64_t bytes) noexcept = 0;
  virtual void copy_in(void* device, const void* host, std::int64_t bytes) = 0;
  virtual void copy_out(void* host, const void* device, std::int64_t bytes) = 0;
  virtual void clear(void* device, std::int64_t bytes) = 0;  ///< to zeros
  virtual void synchronize() = 0;
  /// Whether the host can read and write what allocate() gives.
  virtual bool host_addressable() const = 0;

  /// Host memory for copies that do not wait. By default any memory will do.
  virtual void* allocate_host(std::int64_t bytes) { return ::operator new(static_cast<std::size_t>(bytes)); }
  virtual void release_host(void* memory) noexcept { ::operator delete(memory); }
  /// Copies what the work until now leaves to memory of allocate_host, beside the work to come; the mark says
  /// when it is there.
  virtual std::unique_ptr<DeviceMark> start_copy_out(void* host, const void* device, std::int64_t bytes);
  /// Copies from memory of allocate_host in order with the work; what lies there must stay until that is
  /// done.
  virtual void start_copy_in(void* device, const void* host, std::int64_t bytes) {
    copy_in(device, host, bytes);
  }
  /// Copies from memory of allocate_host beside the device's work, as soon as that has reached `after` (null:
  /// at once). The mark says when it is there, and the host's memory free again.
  virtual std::unique_ptr<DeviceMark> start_copy_ahead(void* device, const void* host, std::int64_t bytes,
                                                       DeviceMark* after);
  /// From one place on the device to another, in order with the work.
  virtual void copy_within(void* to, const void* from, std::int64_t bytes) { copy_in(to, from, bytes); }
  /// Where the work put in until now ends.
  virtual std::unique_ptr<DeviceMark> mark();
  /// The work to come waits for a mark of this device; the host does not.
  virtual void wait_for(DeviceMark& mark) { mark.wait(); }

  /// Whether work can be recorded. From start_recording to stop_recording what is put into the queue is not
  /// done but recorded, and nothing may wait for the device or pass between it and the host.
  virtual bool records() const { return false; }
  virtual bool recording() const { return false; }
  virtual void start_recording();
  virtual std::unique_ptr<Recording> stop_recording();

  /// Bytes that this process has of the device in all, with the context and the code that libraries load,
  /// measured; nullopt where that cannot be told. Other processes must not have come or gone meanwhile.
  virtual std::optional<std::int64_t> taken_bytes() const { return std::nullopt; }

  /// How many times allocate() was called, and the most bytes that were out at a time.
  std::int64_t allocations() const { return allocations_; }
  std::int64_t used_bytes() const { return used_; }
  std::int64_t peak_bytes() const { return peak_; }
  /// From now on the most is that of what is out now and later.
  void reset_peak() { peak_ = used_; }

 protected:
  void count_allocation(std::int64_t bytes) {
    ++allocations_;
    used_ += bytes;
    peak_ = used_ > peak_ ? used_ : peak_;
  }
  void count_release(std::int64_t bytes) { used_ -= bytes; }

 private:
  std::int64_t allocations_ = 0;
  std::int64_t used_ = 0;
  std::int64_t peak_ = 0;
};

/// One block of device memory in which every tensor of a Plan lies.
class Arena {
 public:
  Arena(Device& device, std::int64_t bytes)
      : device_(&device), bytes_(bytes), base_(device.allocate(bytes)) {}
  ~Arena() { device_->release(base_, bytes_); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  std::int64_t bytes() const { return bytes_; }
  void* at(std::int64_t offset) const { return static_cast<std::byte*>(base_) + offset; }

 private:
  Device* device_;
  std::int64_t bytes_;
  void* base_;
};

}  // namespace convoy
