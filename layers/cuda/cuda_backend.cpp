#include "layers/cuda/cuda_backend.h"

#include <fmt/format.h>

#include "layers/cuda/cublas_product.h"
#include "layers/cuda/cudnn_convolution.h"
#include "layers/cuda/library_calls.h"
#include "layers/cuda/own_backend.h"
#include "layers/device/cuda/cuda_device.h"

namespace convoy {
namespace {

/// cuDNN's and cuBLASLt's handles, bound to the device's compute stream.
class CudaLibraries : public cuda::Libraries {
 public:
  CudaLibraries(const CudaDevice& device, bool tf32)
      : queue_{device.compute().get()}, tf32_(tf32), has_tf32_(device.info().tf32) {
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
  std::shared_ptr<cuda::LibraryKernel> convolution(cuda::ConvolutionPass pass, DType type,
                                                   const cuda::ConvolutionGeometry& geometry,
                                                   std::int64_t scratch) override {
    return cuda::choose_cudnn_convolution(cudnn_, pass, type, geometry, scratch, tf32_);
  }
  std::shared_ptr<cuda::LibraryKernel> product(DType type, const cuda::Product& product,
                                               std::int64_t scratch) override {
    return cuda::choose_cublas_product(cublas_, queue_, type, product, scratch, tf32_);
  }

 private:
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
