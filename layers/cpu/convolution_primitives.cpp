#include "layers/cpu/convolution_primitives.h"

#include <algorithm>

#include "layers/core/bytes.h"

namespace convoy::cpu {
namespace {

/// Input channels up to which direct kernels that do not pad them to 16 are the faster ones (images).
constexpr std::int64_t kFewChannels = 4;

/// Channels from which oneDNN may choose Winograd ("auto"). With fewer its transforms cost more than they
/// save once the rest of a step has emptied the caches: 16 to 48 channels on 14x14 took twice as long as the
/// direct kernel.
constexpr std::int64_t kWinogradChannels = 64;

}  // namespace

double blocked_efficiency(std::int64_t inputs, std::int64_t outputs, std::int64_t groups) {
  const auto filled = [](std::int64_t count) {
    return static_cast<double>(count) / static_cast<double>(round_up(count, 16));
  };
  return filled(outputs / groups) * (inputs <= kFewChannels ? 1.0 : filled(inputs / groups));
}

ConvolutionPrimitives choose_convolution(const ConvolutionProblem& p, const dnnl::engine& engine) {
  const std::int64_t inputs = p.source.channels;
  const std::int64_t outputs = p.target.channels;
  const bool blocked =
      !p.channels_last && blocked_efficiency(inputs, outputs, p.weight->groups) >= kLeastEfficiency;
  const auto activation = blocked ? any_activation : channels_last_activation;
  const bool narrow = std::min(inputs, outputs) < kWinogradChannels;
  const auto algorithm = narrow ? dnnl::algorithm::convolution_direct : dnnl::algorithm::convolution_auto;
  const memory::desc source = activation(p.source, p.batch, p.type);
  const memory::desc target = activation(p.target, p.batch, p.type);
  const memory::desc gradient = any_like(canonical_parameter(*p.weight));
  const memory::desc kernel = with_type(gradient, p.type);
  const memory::desc bias = p.bias ? plain_vector(outputs) : memory::desc{};
  const auto purpose = forward_purpose(p.training);
  ConvolutionPrimitives chosen;
  chosen.forward = {
      {purpose, algorithm, source, kernel, bias, target, p.strides, p.dilations, p.begin, p.end},
      user_scratchpad_and(p.relu),
      engine};
  if (p.weights) {
    chosen.weights = {{algorithm, source, gradient, bias, target, p.strides, p.dilations, p.begin, p.end},
                      user_scratchpad(),
                      engine,
                      chosen.forward};
  }
  if (p.data) {
    chosen.data = {{algorithm, source, kernel, target, p.strides, p.dilations, p.begin, p.end},
                   user_scratchpad(),
                   engine,
                   chosen.forward};
  }
  return chosen;
}

}  // namespace convoy::cpu
