#include "layers/cuda/kernels/per_channel.h"

#include "layers/cuda/kernels/map_values.h"
#include "layers/graph/arithmetic/per_channel.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

CONVOY_HD float forward_of(ChannelFunction function, float x, float first, float second) {
  return function == ChannelFunction::scale ? ScaleFunction::forward(x, first, second)
                                            : PreluFunction::forward(x, first, second);
}
CONVOY_HD ChannelGradient backward_of(ChannelFunction function, float x, float gradient, float first) {
  return function == ChannelFunction::scale ? ScaleFunction::backward(x, gradient, first)
                                            : PreluFunction::backward(x, gradient, first);
}

struct Forward {
  PerChannel layer;
  const float* first;
  const float* second;
  CONVOY_HD float operator()(std::int64_t c, const float (&x)[1]) const {
    const std::int64_t p = layer.shared ? 0 : c;
    return forward_of(layer.function, x[0], first[p], second == nullptr ? 0.F : second[p]);
  }
};

template <class T, int quantities>
struct ParameterSums {
  PerChannel layer;
  const T* gradient;
  const T* x;
  const float* first;
  CONVOY_HD void operator()(std::int64_t row, std::int64_t c, float* sums) const {
    const std::int64_t i = row * layer.channels + c;
    const ChannelGradient g =
        backward_of(layer.function, float(x[i]), float(gradient[i]), first[layer.shared ? 0 : c]);
    sums[0] += g.first;
    if constexpr (quantities > 1) sums[1] += g.second;
  }
};

/// The parts of one parameter's gradient together: a channel's, or of all channels.
template <class T>
struct FinishSums {
  std::int64_t parts_count, channels;
  int quantities, quantity;
  bool shared;
  const float* parts;
  T* result;
  CONVOY_HD void operator()(std::int64_t p) const {
    double sum = 0;
    const std::int64_t end = shared ? channels : p + 1;
    for (std::int64_t c = shared ? 0 : p; c < end; ++c)
      sum += sum_of_parts(parts, parts_count, quantities, quantity, channels, c);
    result[p] = T(static_cast<float>(sum));
  }
};

/// From the output's gradient and the input.
struct InputGradient {
  PerChannel layer;
  const float* first;
  CONVOY_HD float operator()(std::int64_t c, const float (&given)[2]) const {
    return backward_of(layer.function, given[1], given[0], first[layer.shared ? 0 : c]).input;
  }
};

template <class T>
struct Value {
  std::int64_t channels;
  const T* values;
  CONVOY_HD void operator()(std::int64_t row, std::int64_t c, float* sums) const {
    sums[0] += float(values[row * channels + c]);
  }
};

}  // namespace

void per_channel(Queue queue, DType type, const PerChannel& layer, const void* x, const float* first,
                 const float* second, void* y) {
  with_element(type, [&]<class T>(T) {
    map_values<T, 1>(queue, layer.rows * layer.channels, layer.channels, {x}, y,
                     Forward{layer, first, second});
  });
}

void per_channel_gradient(Queue queue, DType type, const PerChannel& layer, const void* gradient,
                          const void* x, const float* first, float* parts, void* const parameter_gradients[2],
                          void* result) {
  with_element(type, [&]<class T>(T) {
    const auto* dy = static_cast<const T*>(gradient);
    const auto* from = static_cast<const T*>(x);
    if (layer.parameters > 1) {
      sum_rows<2>(queue, layer.rows, layer.channels, parts, ParameterSums<T, 2>{layer, dy, from, first});
    } else {
      sum_rows<1>(queue, layer.rows, layer.channels, parts, ParameterSums<T, 1>{layer, dy, from, first});
    }
    for (int p = 0; p < layer.parameters; ++p) {
      for_each_index(queue, layer.shared ? 1 : layer.channels,
                     FinishSums<T>{parts_of(layer.rows, layer.channels), layer.channels, layer.parameters, p,
                                   layer.shared, parts, static_cast<T*>(parameter_gradients[p])});
    }
    if (result == nullptr) return;
    map_values<T, 2>(queue, layer.rows * layer.channels, layer.channels, {gradient, x}, result,
                     InputGradient{layer, first});
  });
}

void sum_channels(Queue queue, DType type, std::int64_t rows, std::int64_t channels, const void* values,
                  float* parts, void* sums) {
  with_element(type, [&]<class T>(T) {
    sum_rows<1>(queue, rows, channels, parts, Value<T>{channels, static_cast<const T*>(values)});
    for_each_index(
        queue, channels,
        FinishSums<T>{parts_of(rows, channels), channels, 1, 0, false, parts, static_cast<T*>(sums)});
  });
}

}  // namespace CONVOY_CUDA_NAMESPACE
