#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "layers/core/shape.h"

namespace convoy {

/// A shape that cannot be. The Graph adds file, line and layer and makes it an Error(usage).
class ShapeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How a parameter gets its first values.
struct Initializer {
  enum class Kind : std::uint8_t {
    constant,  ///< `value` everywhere
    gaussian,  ///< normal, mean 0, deviation `value`
    xavier,    ///< uniform in ±sqrt(6 / (fan_in + fan_out)); Glorot and Bengio 2010
    bilinear,  ///< of a deconvolution: input channel i of a group goes to its output channel i, interpolated
    msra,      ///< normal, deviation sqrt(2 / fan_in); He et al. 2015
  };
  Kind kind = Kind::constant;
  double value = 0;
  friend bool operator==(const Initializer&, const Initializer&) = default;
};

/// What a parameter is to the optimizer: weight decay and learning rate go by kind.
enum class ParameterKind : std::uint8_t { weight, bias, norm };

/// A trained tensor of a layer, in its canonical layout (convolution: outputs, inputs / groups, height,
/// width; fully connected: outputs, channels · height · width; others: one dimension).
struct ParameterSpec {
  std::string name;  ///< "weight", "bias", "scale", "shift"
  std::vector<std::int64_t> dims;
  ParameterKind kind = ParameterKind::weight;
  std::int64_t fan_in = 1;
  std::int64_t fan_out = 1;
  std::int64_t groups = 1;  ///< the first dimension falls into this many independent parts
  Initializer init;

  std::int64_t elements() const;
};

/// A tensor of a layer that is not trained but follows statistics of the batches (batch norm's running mean).
struct StateSpec {
  std::string name;
  std::int64_t elements = 0;
  double initial = 0;
  double momentum = 0.1;  ///< running = (1 - momentum) · running + momentum · batch statistic
};

/// Which forward values the backward pass of a layer reads.
struct BackwardNeeds {
  bool inputs = false;
  bool output = false;
};

/// What one output pixel sees of the layer's input, along one axis.
struct Window {
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t dilation = 1;
  std::int64_t upscale =
      1;               ///< outputs as far apart as input pixels one stride apart (deconvolution, upsampling)
  bool whole = false;  ///< sees the whole input (fully connected, global pooling)
};

struct Loss;
class TomlRow;

/// What most layers are: no parameters, no state, no multiply-accumulates, one input, a 1×1 window. A layer
/// type inherits this and declares what it does otherwise. `inputs` are shapes per sample.
struct LayerDefaults {
  std::vector<ParameterSpec> parameters(std::span<const Shape>) const { return {}; }
  std::vector<StateSpec> states(std::span<const Shape>) const { return {}; }
  void settle(std::span<const Shape>) {}  ///< finds what depends on the size of the inputs ("same" padding)
  std::int64_t macs(std::span<const Shape>) const { return 0; }
  Window window_y() const { return {}; }
  Window window_x() const { return {}; }
  std::size_t least_inputs() const { return 1; }
  std::size_t most_inputs() const { return 1; }
  const Loss* loss() const { return nullptr; }
  bool only_training() const { return false; }  ///< the identity in inference (dropout)
  void write(TomlRow&) const {}                 ///< its keys that `read` would not find by itself
  friend bool operator==(const LayerDefaults&, const LayerDefaults&) = default;
};

/// Padding for an output of ceil(input / stride) along one axis, as TensorFlow's "same": before the input and
/// after it, where the odd pixel goes.
std::pair<std::int64_t, std::int64_t> same_padding(std::int64_t input, const Window& window);

/// Output size along one axis; throws ShapeError when the kernel is larger than the padded input.
/// Caffe's rule for `round_up`: the last window must start inside the input or its left padding.
std::int64_t output_size(std::int64_t input, const Window& window, std::int64_t padding_end, bool round_up,
                         std::string_view axis);

}  // namespace convoy
