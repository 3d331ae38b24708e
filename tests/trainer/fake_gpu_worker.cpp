#include "tests/trainer/fake_gpu_worker.h"

#include "layers/device/cuda/cuda_device.h"
#include "tests/comm/nccl/fake_nccl.h"
#include "tests/layers/cuda/host_backend.h"
#include "tests/layers/device/cuda/fake_cuda.h"

namespace convoy::test {

Worker fake_gpu_worker(Communicator& comm, bool nccl) {
  static const NcclLibrary library = fake_nccl();
  fake_cuda::set_delay(20);
  auto device = std::make_unique<CudaDevice>(comm.rank());
  Worker worker;
  worker.backend = make_host_backend(*device, device->compute().get(), fake_cuda::put);
  worker.libraries = "no libraries";
  worker.overhead_bytes = worker.taken_bytes = device->used_bytes();
  if (nccl && comm.size() > 1) {
    worker.collectives = make_nccl_collectives(*device, comm, {60, 0.1, 1 << 16}, library);
    device->reset_peak();
  }
  worker.device = std::move(device);
  return worker;
}

}  // namespace convoy::test
