#include "layers/cuda/kernels/elementwise.h"

#include "layers/cuda/kernels/map_values.h"
#include "layers/graph/arithmetic.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

struct Forward {
  NonlinearityFunction function;
  CONVOY_HD float operator()(std::int64_t, const float (&x)[1]) const { return function.forward(x[0]); }
};

/// From the output's gradient, and the output or the input.
struct Gradient {
  NonlinearityFunction function;
  bool from_output;
  CONVOY_HD float operator()(std::int64_t, const float (&given)[2]) const {
    return from_output ? function.gradient_from_output(given[0], given[1])
                       : function.gradient_from_input(given[0], given[1]);
  }
};

struct ClipValue {
  float low, high;
  CONVOY_HD float operator()(std::int64_t, const float (&x)[1]) const { return clip(x[0], low, high); }
};

/// From the output's gradient and the output.
struct ClipGradient {
  float low, high;
  CONVOY_HD float operator()(std::int64_t, const float (&given)[2]) const {
    return clip_gradient(given[0], given[1], low, high);
  }
};

/// The usual sum of layers: Combine of two.
struct SumOfTwo {
  bool relu;
  CONVOY_HD float operator()(std::int64_t, const float (&x)[2]) const {
    const float sum = x[0] + x[1];
    return relu && sum <= 0 ? 0.F : sum;
  }
};

template <class T>
struct Drop {
  Mask mask;
  Images rows;  ///< of one row for each sample, as wide as it has pixels
  RandomStream stream;
  const T* x;
  T* y;
  CONVOY_HD void operator()(std::int64_t i) const {
    const Place at = rows.place(i);
    const std::int64_t element = at.c * mask.pixels + at.x;
    const std::uint32_t word =
        stream.word(mask.values->iteration, mask.first_sample + static_cast<std::uint64_t>(at.n),
                    static_cast<std::uint64_t>(element));
    y[i] = T(drop(float(x[i]), word, mask.threshold, mask.scale));
  }
};

template <class T>
struct Combine {
  Elementwise::Kind kind;
  bool relu;
  int inputs;
  Pointers from;
  T* to;
  std::uint8_t* whose;
  CONVOY_HD float of(int input, std::int64_t i) const { return static_cast<const T*>(from.data()[input])[i]; }
  CONVOY_HD void operator()(std::int64_t i) const {
    float value = of(0, i);
    int number = 0;
    for (int input = 1; input < inputs; ++input) {
      const float x = of(input, i);
      if (kind == Elementwise::Kind::sum) {
        value += x;
      } else if (kind == Elementwise::Kind::product) {
        value *= x;
      } else if (x > value || x != x) {  // a NaN wins
        value = x;
        number = input;
      }
    }
    to[i] = T(relu && value <= 0 ? 0.F : value);
    if (whose != nullptr) whose[i] = static_cast<std::uint8_t>(number);
  }
};

template <class T>
struct ProductGradients {
  int inputs, targets;
  Pointers from;
  std::array<int, kMostInputs> wanted;
  Targets to;
  const T* gradient;
  CONVOY_HD void operator()(std::int64_t i) const {
    const float g = gradient[i];  // before a target takes its place
    for (int t = 0; t < targets; ++t) {
      float product = g;
      for (int input = 0; input < inputs; ++input) {
        if (input != wanted.data()[t]) product *= float(static_cast<const T*>(from.data()[input])[i]);
      }
      static_cast<T*>(to.data()[t])[i] = T(product);
    }
  }
};

template <class T>
struct MaximumGradients {
  int targets;
  std::array<int, kMostInputs> wanted;
  Targets to;
  const T* gradient;
  const std::uint8_t* whose;
  CONVOY_HD void operator()(std::int64_t i) const {
    const T g = gradient[i];
    for (int t = 0; t < targets; ++t)
      static_cast<T*>(to.data()[t])[i] = whose[i] == wanted.data()[t] ? g : T(0.F);
  }
};

struct AddBias {
  const float* bias;
  bool relu;
  CONVOY_HD float operator()(std::int64_t c, const float (&value)[1]) const {
    const float x = bias == nullptr ? value[0] : value[0] + bias[c];
    return relu && x <= 0 ? 0.F : x;
  }
};

template <class From, class To>
struct Convert {
  const From* source;
  To* target;
  bool add;
  CONVOY_HD void operator()(std::int64_t i) const {
    const float x = source[i];
    target[i] = To(add ? float(target[i]) + x : x);
  }
};

template <class T>
struct Softmax {
  std::int64_t channels;
  const T* x;
  T* y;
  CONVOY_HD void operator()(std::int64_t row) const {
    const T* from = x + row * channels;
    T* to = y + row * channels;
    float top = from[0];
    for (std::int64_t c = 1; c < channels; ++c) top = float(from[c]) > top ? float(from[c]) : top;
    float sum = 0;
    for (std::int64_t c = 0; c < channels; ++c) sum += std::exp(float(from[c]) - top);
    const float inverse = 1 / sum;
    for (std::int64_t c = 0; c < channels; ++c) to[c] = T(std::exp(float(from[c]) - top) * inverse);
  }
};

template <class T>
struct SoftmaxGradient {
  std::int64_t channels;
  const T* gradient;
  const T* output;
  T* result;
  CONVOY_HD void operator()(std::int64_t row) const {
    const std::int64_t first = row * channels;
    float sum = 0;
    for (std::int64_t i = first; i < first + channels; ++i) sum += float(gradient[i]) * float(output[i]);
    for (std::int64_t i = first; i < first + channels; ++i)
      result[i] = T(float(output[i]) * (float(gradient[i]) - sum));
  }
};

}  // namespace

void nonlinearity(Queue queue, DType type, const NonlinearityFunction& function, std::int64_t count,
                  const void* x, void* y) {
  with_element(type, [&]<class T>(T) { map_values<T, 1>(queue, count, 1, {x}, y, Forward{function}); });
}

void nonlinearity_gradient(Queue queue, DType type, const NonlinearityFunction& function, bool from_output,
                           std::int64_t count, const void* gradient, const void* value, void* result) {
  with_element(type, [&]<class T>(T) {
    map_values<T, 2>(queue, count, 1, {gradient, value}, result, Gradient{function, from_output});
  });
}

void clip_values(Queue queue, DType type, float low, float high, std::int64_t count, const void* x, void* y) {
  with_element(type, [&]<class T>(T) {
    map_values<T, 1>(queue, count, 1, {x}, y, ClipValue{float(T(low)), float(T(high))});
  });
}

void clip_gradients(Queue queue, DType type, float low, float high, std::int64_t count, const void* gradient,
                    const void* output, void* result) {
  // The bounds as the output holds them: clipped values must be found equal to them.
  with_element(type, [&]<class T>(T) {
    map_values<T, 2>(queue, count, 1, {gradient, output}, result,
                     ClipGradient{float(T(low)), float(T(high))});
  });
}

void drop_values(Queue queue, DType type, const Mask& mask, std::int64_t count, const void* x, void* y) {
  const RandomStream stream(mask.seed, Purpose::dropout, mask.instance);
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, count,
                   Drop<T>{mask, Images(1, mask.pixels, mask.channels), stream, static_cast<const T*>(x),
                           static_cast<T*>(y)});
  });
}

void combine(Queue queue, DType type, Elementwise::Kind kind, bool relu, int inputs, const Pointers& from,
             std::int64_t count, void* to, std::uint8_t* whose) {
  with_element(type, [&]<class T>(T) {
    if (kind == Elementwise::Kind::sum && inputs == 2)
      return map_values<T, 2>(queue, count, 1, {from[0], from[1]}, to, SumOfTwo{relu});
    for_each_index(queue, count, Combine<T>{kind, relu, inputs, from, static_cast<T*>(to), whose});
  });
}

void product_gradients(Queue queue, DType type, int inputs, const Pointers& from, int targets,
                       const std::array<int, kMostInputs>& wanted, const Targets& to, std::int64_t count,
                       const void* gradient) {
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, count,
                   ProductGradients<T>{inputs, targets, from, wanted, to, static_cast<const T*>(gradient)});
  });
}

void maximum_gradients(Queue queue, DType type, int targets, const std::array<int, kMostInputs>& wanted,
                       const Targets& to, std::int64_t count, const void* gradient,
                       const std::uint8_t* whose) {
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, count,
                   MaximumGradients<T>{targets, wanted, to, static_cast<const T*>(gradient), whose});
  });
}

void add_bias(Queue queue, DType type, std::int64_t rows, std::int64_t channels, const float* bias, bool relu,
              void* values) {
  with_element(type, [&]<class T>(T) {
    map_values<T, 1>(queue, rows * channels, channels, {values}, values, AddBias{bias, relu});
  });
}

void convert(Queue queue, DType from, DType to, std::int64_t count, const void* source, void* target,
             bool add) {
  if (from == to && add) {  // gradients of several consumers
    return with_element(from, [&]<class T>(T) {
      map_values<T, 2>(queue, count, 1, {target, source}, target, SumOfTwo{false});
    });
  }
  with_element(from, [&]<class From>(From) {
    with_element(to, [&]<class To>(To) {
      for_each_index(queue, count,
                     Convert<From, To>{static_cast<const From*>(source), static_cast<To*>(target), add});
    });
  });
}

void softmax(Queue queue, DType type, std::int64_t rows, std::int64_t channels, const void* x, void* y) {
  with_element(type, [&]<class T>(T) {
    for_each_long_index(queue, rows, Softmax<T>{channels, static_cast<const T*>(x), static_cast<T*>(y)});
  });
}

void softmax_gradient(Queue queue, DType type, std::int64_t rows, std::int64_t channels, const void* gradient,
                      const void* output, void* result) {
  with_element(type, [&]<class T>(T) {
    for_each_long_index(queue, rows,
                        SoftmaxGradient<T>{channels, static_cast<const T*>(gradient),
                                           static_cast<const T*>(output), static_cast<T*>(result)});
  });
}

}  // namespace CONVOY_CUDA_NAMESPACE
