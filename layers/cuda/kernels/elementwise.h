#pragma once

#include <array>
#include <cstdint>

#include "layers/core/dtype.h"
#include "layers/cuda/kernels/queue.h"
#include "layers/cuda/kernels/step_values.h"
#include "layers/graph/arithmetic/nonlinearity.h"
#include "layers/graph/elementwise.h"

/// Kernels of single values and of rows of channels. Pointers are the device's; elements are of `type` where
/// not said otherwise. Results may take the place of the first operand.
namespace CONVOY_CUDA_NAMESPACE {

/// Most inputs of a layer that has several.
inline constexpr int kMostInputs = 64;
using Pointers = std::array<const void*, kMostInputs>;
using Targets = std::array<void*, kMostInputs>;

void nonlinearity(Queue queue, DType type, const NonlinearityFunction& function, std::int64_t count,
                  const void* x, void* y);
/// `value` is the output, or the input where not `from_output`.
void nonlinearity_gradient(Queue queue, DType type, const NonlinearityFunction& function, bool from_output,
                           std::int64_t count, const void* gradient, const void* value, void* result);

void clip_values(Queue queue, DType type, float low, float high, std::int64_t count, const void* x, void* y);
void clip_gradients(Queue queue, DType type, float low, float high, std::int64_t count, const void* gradient,
                    const void* output, void* result);

/// Dropout's mask of one micro-batch, times `scale` where values stay.
struct Mask {
  std::uint64_t seed = 0;
  std::uint32_t instance = 0;
  std::uint32_t threshold = 0;  ///< rate · 2^32
  float scale = 1;
  const StepValues* values = nullptr;  ///< the iteration
  std::uint64_t first_sample = 0;
  std::int64_t pixels = 0;  ///< of a sample. Masks count its values channel by channel, wherever they lie
  std::int64_t channels = 0;
};
void drop_values(Queue queue, DType type, const Mask& mask, std::int64_t count, const void* x, void* y);

/// Sum, product or maximum of `inputs` tensors; `whose` (a byte a value, or null) gets the maximum's input.
void combine(Queue queue, DType type, Elementwise::Kind kind, bool relu, int inputs, const Pointers& from,
             std::int64_t count, void* to, std::uint8_t* whose);
/// The gradients of inputs numbered `wanted`: gradient times the other inputs. Any target may lie over
/// `gradient`.
void product_gradients(Queue queue, DType type, int inputs, const Pointers& from, int targets,
                       const std::array<int, kMostInputs>& wanted, const Targets& to, std::int64_t count,
                       const void* gradient);
/// The same of a maximum.
void maximum_gradients(Queue queue, DType type, int targets, const std::array<int, kMostInputs>& wanted,
                       const Targets& to, std::int64_t count, const void* gradient,
                       const std::uint8_t* whose);

/// Adds to each row of channels a bias, which is fp32 or null, and applies a ReLU if asked for.
void add_bias(Queue queue, DType type, std::int64_t rows, std::int64_t channels, const float* bias, bool relu,
              void* values);

/// Values to another type, or added to what stands there (in fp32, then rounded).
void convert(Queue queue, DType from, DType to, std::int64_t count, const void* source, void* target,
             bool add);

/// Softmax over the channels of each row.
void softmax(Queue queue, DType type, std::int64_t rows, std::int64_t channels, const void* x, void* y);
void softmax_gradient(Queue queue, DType type, std::int64_t rows, std::int64_t channels, const void* gradient,
                      const void* output, void* result);

}  // namespace CONVOY_CUDA_NAMESPACE
