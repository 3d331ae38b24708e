#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "layers/graph/backend.h"

namespace convoy::sizes {

/// The layouts of a size model: dense values of one type. Equal ones have one id.
class Layouts {
 public:
  /// N × H × W × C: the channels of a pixel lie side by side.
  Layout activation(Shape shape, std::int64_t batch, DType type);
  /// Weights lie as tensor cores want them, the input's channels last: outputs × kernel × inputs. A fully
  /// connected layer takes an image as it lies, so its weights lie in the order of those values.
  Layout parameter(const ParameterSpec& parameter, DType type);
  /// The same values in another type.
  Layout with_type(const Layout& layout, DType type);
  /// "fp16 nhwc 64x55x55x96".
  std::string describe(const Layout& layout) const;

 private:
  using Form = std::tuple<DType, std::string, std::vector<std::int64_t>>;
  Layout intern(Form form);

  std::vector<Form> forms_;
  std::map<Form, int> ids_;
};

}  // namespace convoy::sizes
