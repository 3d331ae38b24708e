#include "layers/cpu/convolution_primitives.h"

#include <algorithm>

#include "layers/core/bytes.h"

namespace convoy::cpu {
namespace {

using Lie = ConvolutionVariant::Lie;
using Algorithm = ConvolutionVariant::Algorithm;

/// Input channels up to which direct kernels that do not pad them to 16 are the faster ones (images).
constexpr std::int64_t kFewChannels = 4;

/// Channels from which oneDNN may choose Winograd ("auto"). With fewer its transforms cost more than they
/// save once the rest of a step has emptied the caches: 16 to 48 channels on 14x14 took twice as long as the
/// direct kernel.
constexpr std::int64_t kWinogradChannels = 64;

memory::desc activation(Shape shape, const ConvolutionProblem& problem, Lie lie) {
  if (lie == Lie::any) return any_activation(shape, problem.batch, problem.type);
  const Tag tag = lie == Lie::plain ? Tag::abcd : Tag::acdb;
  return {{problem.batch, shape.channels, shape.height, shape.width}, data_type_of(problem.type), tag};
}

dnnl::algorithm algorithm_of(Algorithm algorithm) {
  return algorithm == Algorithm::automatic ? dnnl::algorithm::convolution_auto
                                           : dnnl::algorithm::convolution_direct;
}

/// The first implementation for what is asked, the second, or the first that is a product of matrices.
template <class PrimitiveDesc>
PrimitiveDesc settled(PrimitiveDesc pd, Algorithm algorithm) {
  if (algorithm == Algorithm::second && !pd.next_impl())
    throw dnnl::error(dnnl_unimplemented, "no second implementation");
  while (algorithm == Algorithm::gemm &&
         std::string(pd.impl_info_str()).find(":gemm:") == std::string::npos) {
    if (!pd.next_impl()) throw dnnl::error(dnnl_unimplemented, "no convolution by GEMM");
  }
  return pd;
}

}  // namespace

double blocked_efficiency(std::int64_t inputs, std::int64_t outputs, std::int64_t groups) {
  const auto filled = [](std::int64_t count) {
    return static_cast<double>(count) / static_cast<double>(round_up(count, 16));
  };
  return filled(outputs / groups) * (inputs <= kFewChannels ? 1.0 : filled(inputs / groups));
}

ConvolutionVariant usual_variant(const ConvolutionProblem& p) {
  const std::int64_t inputs = p.source.channels;
  const std::int64_t outputs = p.target.channels;
  const bool blocked = blocked_efficiency(inputs, outputs, p.weight->groups) >= kLeastEfficiency;
  const bool narrow = std::min(inputs, outputs) < kWinogradChannels;
  return {blocked ? Lie::any : Lie::channels_last,
          all_passes(narrow ? Algorithm::direct : Algorithm::automatic)};
}

ConvolutionPrimitives make_convolution(const ConvolutionProblem& p, const ConvolutionVariant& variant,
                                       const dnnl::engine& engine) {
  const memory::desc source = activation(p.source, p, variant.lie);
  const memory::desc target = activation(p.target, p, variant.lie);
  const memory::desc gradient = any_like(canonical_parameter(*p.weight));
  const memory::desc kernel = with_type(gradient, p.type);
  const memory::desc bias = p.bias ? plain_vector(p.target.channels) : memory::desc{};
  const auto [forward, weights, data] = variant.algorithms;
  ConvolutionPrimitives made;
  made.forward =
      settled(dnnl::convolution_forward::primitive_desc{{forward_purpose(p.training), algorithm_of(forward),
                                                         source, kernel, bias, target, p.strides, p.dilations,
                                                         p.begin, p.end},
                                                        user_scratchpad_and(p.relu),
                                                        engine},
              forward);
  if (p.weights) {
    made.weights = settled(
        dnnl::convolution_backward_weights::primitive_desc{
            {algorithm_of(weights), source, gradient, bias, target, p.strides, p.dilations, p.begin, p.end},
            user_scratchpad(),
            engine,
            made.forward},
        weights);
  }
  if (p.data) {
    made.data = settled(
        dnnl::convolution_backward_data::primitive_desc{
            {algorithm_of(data), source, kernel, target, p.strides, p.dilations, p.begin, p.end},
            user_scratchpad(),
            engine,
            made.forward},
        data);
  }
  return made;
}

}  // namespace convoy::cpu
