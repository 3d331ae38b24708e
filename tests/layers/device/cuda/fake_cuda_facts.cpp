// What CUDA tells of its GPUs and errors, and what nvcc's code calls: no state is in it.

#include <cstdio>
#include <cstring>
#include <string>

#include "layers/device/cuda/check.h"
#include "tests/layers/device/cuda/fake_cuda.h"

extern "C" {

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  *properties = {};
  std::strcpy(properties->name, "the processor posing as a GPU");
  properties->totalGlobalMem = convoy::fake_cuda::kMemory;
  properties->multiProcessorCount = 1;
  properties->major = 9;
  properties->pciBusID = device;
  properties->uuid.bytes[15] = static_cast<char>(device);
  return cudaSuccess;
}
cudaError_t cudaDeviceGetPCIBusId(char* name, int bytes, int device) {
  return std::snprintf(name, static_cast<std::size_t>(bytes), "0000:%02x:00.0",
                       static_cast<unsigned>(device)) < bytes
             ? cudaSuccess
             : cudaErrorInvalidValue;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
  *value = 1;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
const char* cudaGetErrorName(cudaError_t code) {
  static thread_local std::string text;
  text = "fake CUDA error " + std::to_string(static_cast<int>(code));
  return text.c_str();
}
const char* cudaGetErrorString(cudaError_t code) {
  switch (code) {
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureUnjoined:
      return "capturing stream has unjoined work";
    case cudaErrorStreamCaptureIsolation:
      return "dependency created on uncaptured work in another stream";
    case cudaErrorCapturedEvent:
      return "operation not permitted on an event last recorded in a capturing stream";
    default:
      return "no words for it";
  }
}

// What nvcc's code for kernels calls. They are there, but none can be launched.
void** __cudaRegisterFatBinary(void*) {
  static void* handle = nullptr;
  return &handle;
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
void __cudaRegisterFunction(void**, const char*, char*, const char*, int, uint3*, uint3*, dim3*, dim3*,
                            int*) {}
cudaError_t __cudaGetKernel(cudaKernel_t*, const void*) { return cudaErrorNoKernelImageForDevice; }
cudaError_t __cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, std::size_t, cudaStream_t) {
  return cudaErrorNoKernelImageForDevice;
}
unsigned __cudaPushCallConfiguration(dim3, dim3, std::size_t, CUstream_st*) { return 0; }
cudaError_t __cudaPopCallConfiguration(dim3*, dim3*, std::size_t*, void*) {
  return cudaErrorNoKernelImageForDevice;
}

}  // extern "C"
