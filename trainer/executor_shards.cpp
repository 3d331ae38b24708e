// Parameters whose optimizer state is divided among the ranks, on their way to and from files.

#include <algorithm>
#include <array>

#include "trainer/executor.h"

namespace convoy {
namespace {

/// A piece of a parameter that one rank keeps.
struct Piece {
  int rank = 0;
  std::int64_t whole = 0;  ///< bytes: where it lies in a whole buffer
  std::int64_t kept = 0;   ///< where the rank has it
  std::int64_t bytes = 0;
};

std::vector<Piece> pieces_of(const Program& program, const ParameterSlot& slot, std::int64_t most_bytes) {
  const std::int64_t begin = slot.offset / 4;
  const std::int64_t end = begin + slot.bytes() / 4;
  const Slice& bucket = *std::find_if(program.buckets.begin(), program.buckets.end(), [&](const Slice& b) {
    return begin >= b.first && begin < b.first + b.count;
  });
  std::vector<Piece> pieces;
  for (int rank = 0; rank < program.choices.shards; ++rank) {
    const Slice slice = program.slice_of(bucket, rank);
    const std::int64_t last = std::min(end, slice.first + slice.count);
    for (std::int64_t at = std::max(begin, slice.first); at < last; at += most_bytes / 4) {
      pieces.push_back({rank, at * 4, program.kept_offset(bucket.first * 4) + (at - slice.first) * 4,
                        std::min(last - at, most_bytes / 4) * 4});
    }
  }
  return pieces;
}

}  // namespace

std::int64_t Executor::whole_from(Buffer buffer) const {
  const Program& program = plan_.program;
  const bool keeps_slices = buffer == Buffer::momentum || program.divides_weights();
  return keeps_slices ? program.kept_offset(program.divided_values * 4) : 0;
}

bool Executor::is_divided(Buffer buffer, const ParameterSlot& slot) const {
  return buffer != Buffer::gradients && slot.offset < plan_.program.divided_values * 4 &&
         (buffer == Buffer::momentum || plan_.program.divides_weights());
}

void* Executor::place_of(Buffer buffer, const ParameterSlot& slot) const {
  const Program& program = plan_.program;
  if (buffer == Buffer::gradients) {
    if (program.gradients < 0) fail(ExitCode::internal, "gradients are not kept where backward updates");
    return at({program.gradients, program.gradient_offset(slot.offset)});
  }
  const bool keeps_slices = buffer == Buffer::momentum || program.divides_weights();
  return at({tensor_of(buffer), keeps_slices ? program.kept_offset(slot.offset) : slot.offset});
}

float* Executor::whole_of(const ParameterSlot& slot, std::vector<float>& spare) const {
  // Nobody needs the gradients between iterations, and in fp32 each parameter has room for itself there.
  const Program& program = plan_.program;
  if (device_->host_addressable() && program.gradient_type == DType::f32)
    return static_cast<float*>(at({program.gradients, slot.offset}));
  spare.resize(static_cast<std::size_t>(slot.bytes() / 4));
  return spare.data();
}

void Executor::fetch(Buffer buffer, const ParameterSlot& slot, float* values) const {
  const ParameterSpec& spec = spec_of(slot);
  const Layout& layout = layout_of(buffer, slot);
  if (!is_divided(buffer, slot))
    return backend_->load_parameter(spec, layout, place_of(buffer, slot), values);
  if (leading_) tell_followers(kCollect, buffer, &slot);
  std::vector<float> spare;
  float* whole = whole_of(slot, spare);
  collect(buffer, slot, whole);
  backend_->unpack_parameter(spec, layout, whole, values);
}

void Executor::collect(Buffer buffer, const ParameterSlot& slot, float* whole) const {
  std::vector<float> values;
  for (const Piece& piece : pieces_of(plan_.program, slot, kPiece)) {
    values.resize(static_cast<std::size_t>(piece.bytes / 4));
    if (piece.rank == comm_->rank())
      device_->copy_out(values.data(), at({tensor_of(buffer), piece.kept}), piece.bytes);
    comm_->broadcast(values, piece.rank, "divided parameter");
    if (whole != nullptr) std::copy(values.begin(), values.end(), whole + (piece.whole - slot.offset) / 4);
  }
}

void Executor::distribute(Buffer buffer, const ParameterSlot& slot, int from, const float* whole) {
  std::vector<float> values;
  for (const Piece& piece : pieces_of(plan_.program, slot, kPiece)) {
    values.resize(static_cast<std::size_t>(piece.bytes / 4));
    if (from < 0 || from == comm_->rank())
      std::copy_n(whole + (piece.whole - slot.offset) / 4, values.size(), values.begin());
    if (from >= 0) comm_->broadcast(values, from, "divided parameter");
    if (piece.rank == comm_->rank())
      device_->copy_in(at({tensor_of(buffer), piece.kept}), values.data(), piece.bytes);
    if (buffer == Buffer::weights) copy_half_piece(values, piece.whole);
  }
}

void Executor::tell_followers(Task task, Buffer buffer, const ParameterSlot* slot) const {
  std::array<std::int64_t, 3> words{task, static_cast<std::int64_t>(buffer),
                                    slot == nullptr ? 0 : slot - plan_.program.parameters.data()};
  comm_->broadcast(words, comm_->rank(), "divided parameters");
}

void Executor::lead(const std::function<void()>& work) {
  if (plan_.program.choices.shards == 1) return work();
  leading_ = true;
  try {
    work();
  } catch (...) {
    leading_ = false;
    tell_followers(kEnd, Buffer::weights, nullptr);
    throw;
  }
  leading_ = false;
  tell_followers(kEnd, Buffer::weights, nullptr);
}

void Executor::follow_lead(int leader) {
  while (plan_.program.choices.shards > 1) {
    std::array<std::int64_t, 3> words{};
    comm_->broadcast(words, leader, "divided parameters");
    if (words[0] == kEnd) return;
    const auto buffer = static_cast<Buffer>(words[1]);
    const ParameterSlot& slot = plan_.program.parameters[static_cast<std::size_t>(words[2])];
    if (words[0] == kCollect) {
      collect(buffer, slot, nullptr);
    } else {
      distribute(buffer, slot, leader, nullptr);
    }
  }
}

}  // namespace convoy
