// Parameters and running statistics between the device and the host.

#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/core/error.h"
#include "layers/core/index.h"
#include "trainer/executor.h"

namespace convoy {

int Executor::tensor_of(Buffer buffer) const {
  switch (buffer) {
    case Buffer::gradients:
      return plan_.program.gradients;
    case Buffer::momentum:
      return plan_.program.momentum;
    default:
      return plan_.program.weights;
  }
}

std::vector<float> Executor::get(Buffer buffer, const ParameterSlot& slot) const {
  std::vector<float> values(static_cast<std::size_t>(spec_of(slot).elements()));
  fetch(buffer, slot, values.data());
  return values;
}

const Layout& Executor::layout_of(Buffer buffer, const ParameterSlot& slot) const {
  return buffer == Buffer::gradients ? slot.gradient : slot.layout;
}

std::span<float> Executor::staging(Buffer buffer, const ParameterSlot& slot,
                                   std::vector<float>& spare) const {
  const Program& program = plan_.program;
  const std::int64_t elements = spec_of(slot).elements();
  // Where its own gradient lies, which is written anew before it is read. Divided parameters go there anyhow.
  if (program.gradients >= 0 && program.gradient_type == DType::f32 && program.choices.shards == 1 &&
      buffer != Buffer::gradients && device_->host_addressable())
    return {static_cast<float*>(at({program.gradients, slot.offset})), static_cast<std::size_t>(elements)};
  // Above all that outlives an iteration; what else lies there is only alive within one.
  const int last = static_cast<int>(program.steps.size()) - 1;
  std::int64_t start = 0;
  for (std::size_t i = 0; i < program.tensors.size(); ++i) {
    const Tensor& tensor = program.tensors[i];
    if (tensor.first == 0 && tensor.last == last)
      start = std::max(start, round_up(plan_.layout.offsets[i] + tensor.bytes, program.alignment));
  }
  if (device_->host_addressable() && arena_.bytes() - start >= elements * 4)
    return {static_cast<float*>(arena_.at(start)), static_cast<std::size_t>(elements)};
  spare.resize(static_cast<std::size_t>(elements));
  return spare;
}

std::span<const float> Executor::read(Buffer buffer, const ParameterSlot& slot,
                                      std::vector<float>& spare) const {
  const std::span<float> values = staging(buffer, slot, spare);
  fetch(buffer, slot, values.data());
  return values;
}

void Executor::write(Buffer buffer, const ParameterSlot& slot,
                     const std::function<void(std::span<float>)>& fill) {
  std::vector<float> spare;
  const std::span<float> values = staging(buffer, slot, spare);
  fill(values);
  set(buffer, slot, values);
}

void Executor::set(Buffer buffer, const ParameterSlot& slot, std::span<const float> values) {
  if (is_divided(buffer, slot)) {
    std::vector<float> spare;
    float* whole = whole_of(slot, spare);
    backend_->pack_parameter(spec_of(slot), layout_of(buffer, slot), values.data(), whole);
    if (leading_) tell_followers(kGiveOut, buffer, &slot);
    distribute(buffer, slot, leading_ ? comm_->rank() : -1, whole);
    return;
  }
  void* place = place_of(buffer, slot);
  backend_->store_parameter(spec_of(slot), layout_of(buffer, slot), values.data(), place);
  if (buffer == Buffer::weights) copy_half(place, slot.offset, slot.bytes());
}

void Executor::copy_half(const void* weights, std::int64_t offset, std::int64_t bytes) {
  const Program& program = plan_.program;
  if (program.half_weights < 0) return;
  for (const ParameterSlot& slot : program.parameters) {
    const std::int64_t first = std::max(offset, slot.offset);
    const std::int64_t count = (std::min(offset + bytes, slot.offset + slot.bytes()) - first) / 4;
    if (count <= 0) continue;
    backend_->copy_half(program.choices.precision, count, slot.interleave,
                        static_cast<const std::byte*>(weights) + (first - offset),
                        at({program.half_weights, first / 2}));
  }
}

void Executor::copy_half_piece(std::span<const float> values, std::int64_t offset) {
  if (plan_.program.half_weights < 0) return;
  const std::int64_t bytes = std::ssize(values) * 4;
  if (device_->host_addressable()) return copy_half(values.data(), offset, bytes);
  // Nobody needs the gradients between iterations; a piece is at most half of the parameters. They are left
  // empty, since what lies between those of two parameters is added up and measured with them.
  void* place = at({plan_.program.gradients, 0});
  device_->copy_in(place, values.data(), bytes);
  copy_half(place, offset, bytes);
  device_->clear(place, bytes);
}

std::vector<float> Executor::get_state(const StateSlot& slot) const {
  std::vector<float> values(static_cast<std::size_t>(slot.elements));
  device_->copy_out(values.data(), at({plan_.program.state, slot.offset}), slot.elements * 4);
  return values;
}

void Executor::set_state(const StateSlot& slot, const std::vector<float>& values) {
  device_->copy_in(at({plan_.program.state, slot.offset}), values.data(), slot.elements * 4);
}

void Executor::broadcast_from(int root) {
  std::vector<float> values;
  const Program& program = plan_.program;
  for (const auto& [tensor, start] : {std::pair{program.weights, whole_from(Buffer::weights)},
                                      {program.momentum, whole_from(Buffer::momentum)},
                                      {program.state, std::int64_t{0}}}) {
    if (tensor < 0) continue;
    const Tensor& buffer = program.tensors[index(tensor)];
    for (std::int64_t done = start; done < buffer.bytes; done += kPiece) {
      values.resize(static_cast<std::size_t>(std::min(kPiece, buffer.bytes - done) / 4));
      const auto bytes = static_cast<std::int64_t>(values.size()) * 4;
      device_->copy_out(values.data(), at({tensor, done}), bytes);
      comm_->broadcast(values, root, buffer.name);
      device_->copy_in(at({tensor, done}), values.data(), bytes);
    }
  }
  const std::int64_t divided = program.divides_weights() ? program.divided_values * 4 : 0;
  copy_half(at({program.weights, whole_from(Buffer::weights)}), divided, program.flat_bytes() - divided);
}

}  // namespace convoy
