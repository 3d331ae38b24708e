#include "trainer/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>

#include "layers/core/philox.h"

namespace convoy {
namespace {

const Layer& layer_of(const Executor& executor, int layer) {
  return executor.graph().layers()[static_cast<std::size_t>(layer)];
}

const ParameterSpec& spec_of(const Executor& executor, const ParameterSlot& slot) {
  return layer_of(executor, slot.layer).parameters[static_cast<std::size_t>(slot.parameter)];
}

std::string name_of(const Executor& executor, const ParameterSlot& slot) {
  return layer_of(executor, slot.layer).name + "." + spec_of(executor, slot).name;
}

std::string name_of(const Executor& executor, const StateSlot& slot) {
  const Layer& layer = layer_of(executor, slot.layer);
  return layer.name + "." + layer.states[static_cast<std::size_t>(slot.state)].name;
}

/// Weights by which a deconvolution of kernel 2s − s mod 2 and stride s interpolates, one-dimensional; Long,
/// Shelhamer and Darrell 2015 start theirs so.
double bilinear_weight(std::int64_t place, std::int64_t kernel) {
  const auto half = static_cast<double>((kernel + 1) / 2);
  const double centre = kernel % 2 == 1 ? half - 1 : half - 0.5;
  return 1 - std::abs(static_cast<double>(place) - centre) / half;
}

/// Each input channel of a group goes to the output channel of its number in the group.
void bilinear_values(const ParameterSpec& spec, std::span<float> values) {
  std::fill(values.begin(), values.end(), 0.F);
  const std::int64_t inputs = spec.dims[0] / spec.groups;
  const std::int64_t height = spec.dims[2];
  const std::int64_t width = spec.dims[3];
  for (std::int64_t i = 0; i < spec.dims[0]; ++i) {
    if (i % inputs >= spec.dims[1]) continue;
    const std::int64_t map = (i * spec.dims[1] + i % inputs) * height * width;
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        values[static_cast<std::size_t>(map + y * width + x)] =
            static_cast<float>(bilinear_weight(y, height) * bilinear_weight(x, width));
      }
    }
  }
}

/// From the last layer to the first, however the flat buffers are arranged.
std::vector<const ParameterSlot*> in_file_order(const Program& program) {
  std::vector<const ParameterSlot*> slots;
  for (const ParameterSlot& slot : program.parameters) slots.push_back(&slot);
  std::sort(slots.begin(), slots.end(), [](const ParameterSlot* a, const ParameterSlot* b) {
    return a->layer != b->layer ? a->layer > b->layer : a->parameter < b->parameter;
  });
  return slots;
}

}  // namespace

void initial_values(const ParameterSpec& spec, std::uint64_t seed, int layer, int parameter,
                    std::span<float> values) {
  if (spec.init.kind == Initializer::Kind::bilinear) return bilinear_values(spec, values);
  if (spec.init.kind == Initializer::Kind::constant) {
    std::fill(values.begin(), values.end(), static_cast<float>(spec.init.value));
    return;
  }
  double scale = spec.init.value;
  if (spec.init.kind == Initializer::Kind::msra) scale = std::sqrt(2.0 / static_cast<double>(spec.fan_in));
  if (spec.init.kind == Initializer::Kind::xavier)
    scale = std::sqrt(6.0 / static_cast<double>(spec.fan_in + spec.fan_out));
  const RandomStream stream(seed, Purpose::initialise, static_cast<std::uint32_t>(layer));
  const auto sample = static_cast<std::uint64_t>(parameter);
  for (std::size_t i = 0; i < values.size(); i += 2) {
    const Random4 words = stream.block(0, sample, static_cast<std::uint32_t>(i / 2));
    for (std::size_t j = 0; j < 2 && i + j < values.size(); ++j) {
      const float number = spec.init.kind == Initializer::Kind::xavier
                               ? 2 * uniform01(words.word[2 * j]) - 1
                               : normal(words.word[2 * j], words.word[2 * j + 1]);
      values[i + j] = static_cast<float>(scale) * number;
    }
  }
}

std::vector<float> initial_values(const ParameterSpec& spec, std::uint64_t seed, int layer, int parameter) {
  std::vector<float> values(static_cast<std::size_t>(spec.elements()));
  initial_values(spec, seed, layer, parameter, values);
  return values;
}

void initialise(Executor& executor, std::uint64_t seed) {
  const Program& program = executor.plan().program;
  for (const ParameterSlot& slot : program.parameters) {
    executor.write(Executor::Buffer::weights, slot, [&](std::span<float> values) {
      initial_values(spec_of(executor, slot), seed, slot.layer, slot.parameter, values);
    });
  }
  for (const StateSlot& slot : program.states) {
    const StateSpec& state = layer_of(executor, slot.layer).states[static_cast<std::size_t>(slot.state)];
    executor.set_state(
        slot, std::vector<float>(static_cast<std::size_t>(slot.elements), static_cast<float>(state.initial)));
  }
}

std::vector<TensorSource> export_sources(const Executor& executor, bool momentum) {
  std::vector<TensorSource> sources;
  const auto spare = std::make_shared<std::vector<float>>();
  const auto add = [&](const std::string& name, Executor::Buffer buffer, const ParameterSlot& slot) {
    sources.push_back({name, DType::f32, spec_of(executor, slot).dims, [spare, &executor, buffer, &slot] {
                         return std::as_bytes(executor.read(buffer, slot, *spare));
                       }});
  };
  const Program& program = executor.plan().program;
  for (const ParameterSlot* slot : in_file_order(program)) {
    const std::string name = name_of(executor, *slot);
    add(name, Executor::Buffer::weights, *slot);
    if (momentum && executor.has_momentum()) add("momentum." + name, Executor::Buffer::momentum, *slot);
  }
  for (const StateSlot& slot : program.states) {
    sources.push_back({name_of(executor, slot), DType::f32, {slot.elements}, [spare, &executor, &slot] {
                         *spare = executor.get_state(slot);
                         return std::as_bytes(std::span(std::as_const(*spare)));
                       }});
  }
  return sources;
}

std::vector<HostTensor> export_tensors(const Executor& executor, bool momentum) {
  std::vector<HostTensor> tensors;
  for (TensorSource& source : export_sources(executor, momentum)) {
    const std::span<const std::byte> data = source.read();
    HostTensor tensor{std::move(source.name), std::move(source.dims), std::vector<float>(data.size() / 4)};
    std::memcpy(tensor.values.data(), data.data(), data.size());
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

void import_tensors(Executor& executor, std::span<const StoredTensor> tensors, bool momentum,
                    const std::string& source, std::span<const SafetensorsFile::Unsupported> unsupported) {
  std::map<std::string, const StoredTensor*> by_name;
  for (const StoredTensor& tensor : tensors) by_name.emplace(tensor.name, &tensor);
  std::map<std::string, std::string> other_types;
  for (const auto& tensor : unsupported) other_types.emplace(tensor.name, tensor.dtype);
  for (const StoredTensor& tensor : tensors)
    if (tensor.dtype != DType::f32) other_types.emplace(tensor.name, convoy::name_of(tensor.dtype));
  const auto find = [&](const std::string& name, const std::vector<std::int64_t>& dims) {
    if (const auto other = other_types.find(name); other != other_types.end()) {
      fail(ExitCode::usage, "{}: tensor \"{}\" holds {} elements, and only fp32 is read; convert it", source,
           name, other->second);
    }
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      fail(ExitCode::usage,
           "{}: has no tensor \"{}\", which the network \"{}\" needs; it belongs to another network", source,
           name, executor.graph().name());
    }
    const StoredTensor& tensor = *found->second;
    if (tensor.dims != dims) {
      fail(ExitCode::usage,
           "{}: tensor \"{}\" is {}, but the network \"{}\" needs {}; it belongs to another network", source,
           name, fmt::join(tensor.dims, "x"), executor.graph().name(), fmt::join(dims, "x"));
    }
    return &tensor;
  };
  // All are looked at before the first is taken, so that a file that does not fit changes nothing.
  std::vector<std::function<void()>> taking;
  const auto take = [&](Executor::Buffer buffer, const ParameterSlot& slot, const std::string& name) {
    taking.emplace_back([&executor, buffer, &slot, tensor = find(name, spec_of(executor, slot).dims)] {
      executor.write(buffer, slot,
                     [&](std::span<float> values) { tensor->read(std::as_writable_bytes(values)); });
    });
  };
  const Program& program = executor.plan().program;
  for (const ParameterSlot& slot : program.parameters) {
    const std::string name = name_of(executor, slot);
    take(Executor::Buffer::weights, slot, name);
    if (momentum && executor.has_momentum()) take(Executor::Buffer::momentum, slot, "momentum." + name);
  }
  for (const StateSlot& slot : program.states) {
    taking.emplace_back([&executor, &slot, tensor = find(name_of(executor, slot), {slot.elements})] {
      std::vector<float> values(static_cast<std::size_t>(slot.elements));
      tensor->read(std::as_writable_bytes(std::span(values)));
      executor.set_state(slot, values);
    });
  }
  for (const auto& one : taking) one();
}

}  // namespace convoy
