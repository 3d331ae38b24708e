#include "layers/device/cuda/cuda_devices.h"

namespace convoy {

CudaDevices list_cuda_devices() { return {{}, "not in this build (configure with -DCONVOY_CUDA=ON)"}; }

}  // namespace convoy
