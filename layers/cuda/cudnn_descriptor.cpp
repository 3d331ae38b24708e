#include "layers/cuda/cudnn_descriptor.h"

#include <algorithm>

#include "layers/cuda/library_calls.h"

namespace convoy::cuda {

CudnnDescriptor::CudnnDescriptor(cudnnBackendDescriptorType_t type) {
  CONVOY_CUDA(CONVOY_CUDNN(cudnnBackendCreateDescriptor)(type, &descriptor_));
}

CudnnDescriptor::~CudnnDescriptor() {
  if (descriptor_ != nullptr) (void)CONVOY_CUDNN(cudnnBackendDestroyDescriptor)(descriptor_);
}

void CudnnDescriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                          std::int64_t count, const void* values) {
  CONVOY_CUDA(CONVOY_CUDNN(cudnnBackendSetAttribute)(descriptor_, name, type, count, values));
}

void CudnnDescriptor::set(cudnnBackendAttributeName_t name, const std::vector<std::int64_t>& values) {
  set(name, CUDNN_TYPE_INT64, static_cast<std::int64_t>(values.size()), values.data());
}

void CudnnDescriptor::set(cudnnBackendAttributeName_t name, float value) {
  set(name, CUDNN_TYPE_FLOAT, 1, &value);
}

void CudnnDescriptor::set(cudnnBackendAttributeName_t name, cudnnDataType_t value) {
  set(name, CUDNN_TYPE_DATA_TYPE, 1, &value);
}

void CudnnDescriptor::set(cudnnBackendAttributeName_t name, cudnnConvolutionMode_t value) {
  set(name, CUDNN_TYPE_CONVOLUTION_MODE, 1, &value);
}

void CudnnDescriptor::set(cudnnBackendAttributeName_t name, cudnnBackendHeurMode_t value) {
  set(name, CUDNN_TYPE_HEUR_MODE, 1, &value);
}

void CudnnDescriptor::set(cudnnBackendAttributeName_t name, const CudnnDescriptor& value) {
  set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.descriptor_);
}

void CudnnDescriptor::set_handle(cudnnBackendAttributeName_t name, cudnnHandle_t handle) {
  set(name, CUDNN_TYPE_HANDLE, 1, &handle);
}

void CudnnDescriptor::set_pointers(cudnnBackendAttributeName_t name, const std::vector<void*>& pointers) {
  set(name, CUDNN_TYPE_VOID_PTR, static_cast<std::int64_t>(pointers.size()), pointers.data());
}

void CudnnDescriptor::finalize() { CONVOY_CUDA(CONVOY_CUDNN(cudnnBackendFinalize)(descriptor_)); }

bool CudnnDescriptor::try_finalize() {
  const cudnnStatus_t status = CONVOY_CUDNN(cudnnBackendFinalize)(descriptor_);
  // What the GPU itself refuses is an error, and a cuDNN that is not whole: without its parts it has nothing,
  // and all would run by our own loops. All else says that this cannot be done.
  const bool broken = status == CUDNN_STATUS_NOT_INITIALIZED ||
                      status == CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED ||
                      status == CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH;
  if (broken || CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_EXECUTION_FAILED) CONVOY_CUDA(status);
  return status == CUDNN_STATUS_SUCCESS;
}

std::int64_t CudnnDescriptor::read(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                   std::int64_t most, void* values) const {
  std::int64_t found = 0;
  CONVOY_CUDA(CONVOY_CUDNN(cudnnBackendGetAttribute)(descriptor_, name, type, most, &found, values));
  return most == 0 ? found : std::min(found, most);
}

std::int64_t CudnnDescriptor::integer(cudnnBackendAttributeName_t name) const {
  std::int64_t value = 0;
  read(name, CUDNN_TYPE_INT64, 1, &value);
  return value;
}

std::int64_t CudnnDescriptor::count(cudnnBackendAttributeName_t name,
                                    cudnnBackendAttributeType_t type) const {
  return read(name, type, 0, nullptr);
}

std::int64_t CudnnDescriptor::descriptors(cudnnBackendAttributeName_t name,
                                          const std::vector<CudnnDescriptor>& into) const {
  std::vector<cudnnBackendDescriptor_t> plain;
  for (const CudnnDescriptor& one : into) plain.push_back(one.descriptor_);
  return read(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<std::int64_t>(plain.size()), plain.data());
}

}  // namespace convoy::cuda
