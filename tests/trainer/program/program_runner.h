#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/layers/cpu/guarded_buffer.h"
#include "trainer/program/program.h"

namespace convoy {

/// Runs a Program on the processor without trainer, optimizer settings or other ranks. Memory is full of NaNs
/// at the start; reductions do nothing.
class ProgramRunner {
 public:
  /// `offsets` (by tensor) and `arena_bytes` place the tensors in one arena; without them each has fenced
  /// memory of its own, shared with nobody.
  ProgramRunner(const Program& program, const Graph& graph, Backend& backend,
                std::vector<std::int64_t> offsets = {}, std::int64_t arena_bytes = 0);

  void set_parameter(const ParameterSlot& slot, const std::vector<float>& values);
  std::vector<float> gradient(const ParameterSlot& slot) const;
  std::vector<float> weight(const ParameterSlot& slot) const;
  void set_states(float mean, float variance);
  std::vector<float> state(const StateSlot& slot) const;
  void load(const Segment& segment, const std::vector<std::uint8_t>& pixels,
            const std::vector<std::int32_t>& labels);
  void run(const Segment& segment, const StepContext& context);
  Metrics metrics() const;
  std::vector<float> output(const Segment& segment) const;
  bool fences_stand() const;

 private:
  void* at(const Ref& ref) const;
  std::unique_ptr<Kernel> bind(std::size_t step);
  const ParameterSpec& spec_of(const ParameterSlot& slot) const;
  /// Where gradients are clipped, at a norm that they do not reach.
  UpdateRule rule() const { return {program_.choices.scales_loss, program_.choices.clips ? 1e30 : 0}; }
  UpdateState* state_place() const;

  const Program& program_;
  const Graph& graph_;
  Backend& backend_;
  std::vector<std::int64_t> offsets_;
  std::vector<GuardedBuffer> memory_;
  std::vector<std::unique_ptr<Kernel>> kernels_;
};

}  // namespace convoy
