#include "layers/cuda/lower.h"

#include "layers/core/bytes.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

class RunKernel : public Kernel {
 public:
  explicit RunKernel(Run run) : run_(std::move(run)) {}
  void run(const StepContext& context) override { run_(context); }

 private:
  Run run_;
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(Run run) { return std::make_unique<RunKernel>(std::move(run)); }

std::unique_ptr<Kernel> CudaLayer::bind(std::size_t pass, std::span<void* const> reads,
                                        std::span<void* const> writes, void* scratch) const {
  return make_kernel(bind_(spec_.passes[pass], reads, writes, scratch));
}

float* vector_in(void* memory, std::int64_t channels, int number) {
  return reinterpret_cast<float*>(static_cast<std::byte*>(memory) + number * round_up(channels * 4, 256));
}

const StepValues* StepMemory::set(const StepContext& context) {
  const StepValues values{static_cast<std::uint64_t>(context.iteration), context.learning_rate};
  if (last_ == values) return memory_;
  if (device_->recording()) fail(ExitCode::internal, "a step was recorded with values of its own");
  set_step_values(queue_, values, memory_);
  last_ = values;
  return memory_;
}

void refuse_type(DType type) {
  fail(ExitCode::internal, "no kernels of the GPU for elements of type {}", name_of(type));
}

}  // namespace CONVOY_CUDA_NAMESPACE
