#include "layers/cuda/cuda_backend.h"

#include <fmt/format.h>

#include "layers/cuda/cublas_product.h"
#include "layers/cuda/cudnn_convolution.h"
#include "layers/cuda/event_timer.h"
#include "layers/cuda/library_calls.h"
#include "layers/cuda/own_backend.h"
#include "layers/device/cuda/cuda_device.h"

namespace convoy {
namespace {

/// cuDNN's and cuBLASLt's handles, bound to the device's compute stream.
class CudaLibraries : public cuda::Libraries {
 public:
  CudaLibraries(CudaDevice& device, bool tf32)
      : device_(&device), queue_{device.compute().get()}, tf32_(tf32), has_tf32_(device.info().tf32) {
    CONVOY_CUDA(CONVOY_CUDNN(cudnnCreate)(&cudnn_));
    try {
      CONVOY_CUDA(CONVOY_CUDNN(cudnnSetStream)(cudnn_, device.compute().get()));
      CONVOY_CUDA(CONVOY_CUBLAS(cublasLtCreate)(&cublas_));
    } catch (...) {
      (void)CONVOY_CUDNN(cudnnDestroy)(cudnn_);
      throw;
    }
  }
  ~CudaLibraries() override {
    (void)CONVOY_CUBLAS(cublasLtDestroy)(cublas_);
    (void)CONVOY_CUDNN(cudnnDestroy)(cudnn_);
  }
  CudaLibraries(const CudaLibraries&) = delete;
  CudaLibraries& operator=(const CudaLibraries&) = delete;

  bool has_tf32() const override { return has_tf32_; }
  cuda::LibraryKernels convolutions(cuda::ConvolutionPass pass, DType type,
                                    const cuda::ConvolutionGeometry& geometry,
                                    const cuda::KernelQuery& query) override {
    return cuda::find_cudnn_convolutions({cudnn_, nullptr, tf32_}, pass, type, geometry, query);
  }
  cuda::LibraryKernels products(DType type, const cuda::Product& product,
                                const cuda::KernelQuery& query) override {
    return cuda::find_cublas_products(cublas_, queue_, type, product, query, tf32_);
  }
  std::string conditions() const override {
    // Raise when ways are added or mean something else: trials of before know nothing of them.
    constexpr int kSetOfWays = 1;
    return fmt::format("{} ({}), {}, ways {}{}", device_->info().name, device_->capability(),
                       cuda_library_versions(), kSetOfWays, tf32_ ? ", TF32" : "");
  }
  std::unique_ptr<KernelTimer> make_timer(double budget_seconds, std::int64_t bytes) override {
    return std::make_unique<cuda::EventTimer>(*device_, budget_seconds, bytes);
  }

 private:
  CudaDevice* device_;
  cuda::Queue queue_;
  bool tf32_, has_tf32_;
  cudnnHandle_t cudnn_ = nullptr;
  cublasLtHandle_t cublas_ = nullptr;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_backend(CudaDevice& device, bool tf32) {
  return cuda::make_own_backend(device, {device.compute().get()},
                                std::make_unique<CudaLibraries>(device, tf32), "cuda");
}

std::int64_t cuda_backend_bytes() { return cuda::own_backend_bytes(); }

std::string cuda_library_versions() {
  int runtime = 0;
  CONVOY_CUDA(cudaRuntimeGetVersion(&runtime));
  const std::size_t dnn = CONVOY_CUDNN(cudnnGetVersion)();
  const std::size_t blas = CONVOY_CUBLAS(cublasLtGetVersion)();
  return fmt::format("CUDA {}.{}, cuDNN {}.{}.{}, cuBLASLt {}.{}.{}", runtime / 1000, runtime % 1000 / 10,
                     dnn / 10000, dnn % 10000 / 100, dnn % 100, blas / 10000, blas % 10000 / 100, blas % 100);
}

}  // namespace convoy
