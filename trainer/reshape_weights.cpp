#include "trainer/reshape_weights.h"

#include <fmt/ranges.h>

#include <map>

#include "layers/core/error.h"

namespace convoy {
namespace {

using Dims = std::vector<std::int64_t>;

/// "500x800", "1" for a scalar.
std::string text_of(const Dims& dims) {
  return dims.empty() ? "a scalar" : fmt::format("{}", fmt::join(dims, "x"));
}

/// Name and dimensions of each tensor of a layer.
std::vector<std::pair<std::string, Dims>> tensors_of(const Layer& layer) {
  std::vector<std::pair<std::string, Dims>> tensors;
  for (const ParameterSpec& parameter : layer.parameters)
    tensors.emplace_back(layer.name + "." + parameter.name, parameter.dims);
  for (const StateSpec& state : layer.states)
    tensors.emplace_back(layer.name + "." + state.name, Dims{state.elements});
  return tensors;
}

}  // namespace

std::vector<TensorView> reshaped_weights(const SafetensorsFile& file, const std::string& path,
                                         const Graph& from, const Graph& to) {
  std::map<std::string, Dims> target;
  for (const Layer& layer : to.layers()) {
    for (auto& [name, dims] : tensors_of(layer)) target.emplace(name, dims);
  }
  std::vector<TensorView> views;
  for (int i = 0; i < static_cast<int>(from.layers().size()); ++i) {
    for (const auto& [name, dims] : tensors_of(from.layers()[static_cast<std::size_t>(i)])) {
      const TensorView* tensor = file.find(name);
      if (tensor == nullptr && from.auxiliary(i)) continue;
      const std::string network = fmt::format("the network \"{}\"", from.name());
      for (const SafetensorsFile::Unsupported& other : file.unsupported()) {
        if (other.name == name)
          fail(ExitCode::usage, "{}: tensor \"{}\" is {}; weights must be fp32", path, name, other.dtype);
      }
      if (tensor == nullptr) {
        fail(ExitCode::usage, "{}: has no tensor \"{}\", which {} needs, of shape {}", path, name, network,
             text_of(dims));
      }
      if (tensor->dtype != DType::f32) {
        fail(ExitCode::usage, "{}: tensor \"{}\" is {}; weights must be fp32", path, name,
             name_of(tensor->dtype));
      }
      if (tensor->dims != dims) {
        fail(ExitCode::usage, "{}: tensor \"{}\" is {}, but {} needs {}", path, name, text_of(tensor->dims),
             network, text_of(dims));
      }
      views.push_back({name, tensor->dtype, target.at(name), tensor->data});
    }
  }
  return views;
}

}  // namespace convoy
