#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "layers/cuda/kernels/convolution.h"

/// What kernel libraries do better than our own loops. They take no memory but what they are given.
namespace CONVOY_CUDA_NAMESPACE {

enum class ConvolutionPass : std::uint8_t {
  forward,  ///< input, weights → output
  data,     ///< gradient of the output, weights → gradient of the input
  weights,  ///< input, gradient of the output → gradient of the weights
};

/// A product or a pass of a convolution as a library will run it: two operands, a result, and scratch of the
/// size that it was chosen for.
class LibraryKernel {
 public:
  virtual ~LibraryKernel() = default;
  virtual void run(const void* first, const void* second, void* result, void* scratch) = 0;
  /// The library's name of the algorithm, and its scratch, for reports.
  virtual std::string name() const = 0;
};

class Libraries {
 public:
  virtual ~Libraries() = default;
  /// Whether they can round fp32 to TF32.
  virtual bool has_tf32() const { return false; }
  /// The best deterministic algorithm by the library's own estimate that needs at most `scratch` bytes; null
  /// where it has none for the problem. Results are overwritten, never added to.
  virtual std::shared_ptr<LibraryKernel> convolution(ConvolutionPass pass, DType type,
                                                     const ConvolutionGeometry& geometry,
                                                     std::int64_t scratch) = 0;
  virtual std::shared_ptr<LibraryKernel> product(DType type, const Product& product,
                                                 std::int64_t scratch) = 0;
};

}  // namespace CONVOY_CUDA_NAMESPACE
