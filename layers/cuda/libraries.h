#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "layers/cuda/kernels/convolution.h"
#include "layers/graph/kernel_trial.h"

/// What kernel libraries do better than our own loops. They take no memory but what they are given.
namespace CONVOY_CUDA_NAMESPACE {

enum class ConvolutionPass : std::uint8_t {
  forward,  ///< input, weights → output
  data,     ///< gradient of the output, weights → gradient of the input
  weights,  ///< input, gradient of the output → gradient of the weights
};

/// One of a library's kernels for a pass of a convolution or a product: two operands, a result, and scratch
/// of the size that it was asked for with. The result is overwritten, never added to.
class LibraryKernel {
 public:
  virtual ~LibraryKernel() = default;
  /// What puts it into the queue with this memory. It may be kept as long as the library is there.
  virtual std::function<void()> bind(const void* first, const void* second, void* result,
                                     void* scratch) const = 0;
  /// Tells it from the others for the same problem, in every process with the same library and kind of GPU.
  virtual std::string name() const = 0;
  virtual bool on_tensor_cores() const { return false; }
};
using LibraryKernels = std::vector<std::shared_ptr<const LibraryKernel>>;

/// Which kernels to look for.
struct KernelQuery {
  std::int64_t scratch = 0;  ///< most bytes that it may need
  std::size_t most = 1;      ///< so many at most
  std::string name = {};     ///< "": any, otherwise the one of this name
};

class Libraries {
 public:
  virtual ~Libraries() = default;
  /// Whether they can round fp32 to TF32.
  virtual bool has_tf32() const { return false; }
  /// Kernels that give the same bits each time, the best by the library's own estimate first; none where it
  /// has none.
  virtual LibraryKernels convolutions(ConvolutionPass pass, DType type, const ConvolutionGeometry& geometry,
                                      const KernelQuery& query) = 0;
  virtual LibraryKernels products(DType type, const Product& product, const KernelQuery& query) = 0;

  /// What times depend on beside the problem: the kind of GPU, the libraries' versions.
  virtual std::string conditions() const = 0;
  /// Of kernels in its queue; see KernelTimer. `bytes`: most memory for trials.
  virtual std::unique_ptr<KernelTimer> make_timer(double budget_seconds, std::int64_t bytes) = 0;
};

}  // namespace CONVOY_CUDA_NAMESPACE
