#pragma once

#include <cudnn.h>

#include <cstdint>
#include <vector>

namespace convoy::cuda {

/// A descriptor of cuDNN's graph interface: attributes are set, then it is finalized and only read. Failing
/// calls throw, but for those that say what is supported.
class CudnnDescriptor {
 public:
  explicit CudnnDescriptor(cudnnBackendDescriptorType_t type);
  ~CudnnDescriptor();
  CudnnDescriptor(CudnnDescriptor&& other) noexcept : descriptor_(other.descriptor_) {
    other.descriptor_ = nullptr;
  }
  CudnnDescriptor(const CudnnDescriptor&) = delete;
  CudnnDescriptor& operator=(const CudnnDescriptor&) = delete;

  cudnnBackendDescriptor_t get() const { return descriptor_; }

  // One function a type of attributes; a descriptor, a handle and a pointer are all void* or nearly so.
  void set(cudnnBackendAttributeName_t name, const std::vector<std::int64_t>& values);
  void set(cudnnBackendAttributeName_t name, std::int64_t value) { set(name, std::vector{value}); }
  void set(cudnnBackendAttributeName_t name, float value);
  void set(cudnnBackendAttributeName_t name, cudnnDataType_t value);
  void set(cudnnBackendAttributeName_t name, cudnnConvolutionMode_t value);
  void set(cudnnBackendAttributeName_t name, cudnnBackendHeurMode_t value);
  void set(cudnnBackendAttributeName_t name, const CudnnDescriptor& value);
  void set_handle(cudnnBackendAttributeName_t name, cudnnHandle_t handle);
  void set_pointers(cudnnBackendAttributeName_t name, const std::vector<void*>& pointers);

  void finalize();
  /// False where cuDNN does not support what was described.
  bool try_finalize();

  std::int64_t integer(cudnnBackendAttributeName_t name) const;
  /// How many values an attribute has.
  std::int64_t count(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type) const;
  /// The values of an attribute, at most `most` of them.
  template <class T>
  std::vector<T> values(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                        std::int64_t most) const {
    std::vector<T> found(static_cast<std::size_t>(most));
    found.resize(static_cast<std::size_t>(read(name, type, most, found.data())));
    return found;
  }
  /// Fills `into`, made of the attribute's type before; the number of those that are filled.
  std::int64_t descriptors(cudnnBackendAttributeName_t name, const std::vector<CudnnDescriptor>& into) const;

 private:
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
           const void* values);
  std::int64_t read(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t most,
                    void* values) const;

  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

}  // namespace convoy::cuda
