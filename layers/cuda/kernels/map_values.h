#pragma once

#include <array>

#include "layers/cuda/kernels/launch.h"
#include "layers/cuda/kernels/packs.h"

namespace CONVOY_CUDA_NAMESPACE {

/// to[i] = function(c, {from[0][i], ...}) for every i in [0, count), values of T that are computed with as
/// floats; c is the place of i in its row of `channels`. The result may take the place of an operand.
template <class T, std::size_t inputs, class Function>
void map_values(Queue queue, std::int64_t count, std::int64_t channels,
                const std::array<const void*, inputs>& from, void* to, const Function& function) {
  MapValues<T, inputs, Function> work{count, Divisor(channels),   begins_pack(to),
                                      {},    static_cast<T*>(to), function};
  for (std::size_t k = 0; k < inputs; ++k) {
    work.from[k] = static_cast<const T*>(from[k]);
    work.aligned = work.aligned && begins_pack(from[k]);
  }
  for_each_index(queue, (count + Pack<T>::kSize - 1) / Pack<T>::kSize, work);
}

}  // namespace CONVOY_CUDA_NAMESPACE
