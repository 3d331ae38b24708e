#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "layers/graph/backend.h"

namespace convoy::sizes {

/// How the values of a layout lie, densely.
struct LayoutForm {
  enum class Order : std::uint8_t {
    nhwc,             ///< an activation: dims are batch, height, width, channels
    vector,           ///< a parameter in its canonical order
    inputs_last,      ///< weights outputs × inputs × height × width, the inputs inside
    positions_first,  ///< of a locally connected layer: outputs × positions × (inputs × height × width),
                      ///< positions outside and inputs inside
  };
  DType type = DType::f32;
  Order order = Order::nhwc;
  std::vector<std::int64_t> dims;
  friend auto operator<=>(const LayoutForm&, const LayoutForm&) = default;

  /// The axes of `dims` in the order in which they lie, the last one innermost.
  std::vector<std::size_t> axes() const;
};

/// The layouts of a size model: dense values of one type. Equal ones have one id.
class Layouts {
 public:
  /// N × H × W × C: the channels of a pixel lie side by side.
  Layout activation(Shape shape, std::int64_t batch, DType type);
  /// Weights lie as tensor cores want them, the input's channels last: outputs × kernel × inputs.
  Layout parameter(const ParameterSpec& parameter, DType type);
  /// Weights of a fully connected layer: it takes an image as it lies, so they lie in the order of its
  /// values.
  Layout image_weights(std::int64_t outputs, Shape image, DType type);
  /// Weights of a locally connected layer, positions × outputs × kernel × inputs, and its bias.
  Layout local_weights(std::int64_t outputs, std::int64_t positions, Shape window, DType type);
  Layout local_bias(std::int64_t outputs, std::int64_t positions, DType type);
  /// The same values in another type.
  Layout with_type(const Layout& layout, DType type);
  const LayoutForm& form(const Layout& layout) const { return forms_[static_cast<std::size_t>(layout.id)]; }
  /// "fp16 nhwc 64x55x55x96".
  std::string describe(const Layout& layout) const;

 private:
  Layout intern(LayoutForm form);

  std::vector<LayoutForm> forms_;
  std::map<LayoutForm, int> ids_;
};

}  // namespace convoy::sizes
