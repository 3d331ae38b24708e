#include "layers/cpu/convolution_primitives.h"

#include <algorithm>

#include "layers/core/bytes.h"

namespace convoy::cpu {
namespace {

using Lie = ConvolutionVariant::Lie;
using Algorithm = ConvolutionVariant::Algorithm;
using Forward = dnnl::convolution_forward::primitive_desc;
using Weights = dnnl::convolution_backward_weights::primitive_desc;
using Data = dnnl::convolution_backward_data::primitive_desc;

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

/// Makes the primitives of a problem pass by pass, each once.
class Maker {
 public:
  Maker(const ConvolutionProblem& problem, const ConvolutionVariant& variant, Engine& engine)
      : p_(problem),
        engine_(engine),
        source_(activation(p_.source, p_, variant.lie)),
        target_(activation(p_.target, p_, variant.lie)),
        gradient_(any_like(canonical_parameter(*p_.weight))),
        kernel_(with_type(gradient_, p_.type)),
        bias_(p_.bias ? plain_vector(p_.target.channels) : memory::desc{}) {
    key_ = {0,
            0,
            static_cast<std::int64_t>(variant.lie),
            p_.source.channels,
            p_.source.height,
            p_.source.width,
            p_.target.channels,
            p_.target.height,
            p_.target.width,
            p_.batch,
            static_cast<std::int64_t>(p_.type),
            p_.bias,
            p_.training,
            p_.relu};
    for (const Dims& dims : {gradient_.dims(), p_.strides, p_.dilations, p_.begin, p_.end})
      key_.insert(key_.end(), dims.begin(), dims.end());
  }

  Forward forward(Algorithm algorithm) {
    return once<Forward>(PassKind::forward, algorithm, [&] {
      return settled(Forward{{forward_purpose(p_.training), algorithm_of(algorithm), source_, kernel_, bias_,
                              target_, p_.strides, p_.dilations, p_.begin, p_.end},
                             user_scratchpad_and(p_.relu),
                             engine_.get()},
                     algorithm);
    });
  }
  Weights weights(Algorithm algorithm, const Forward& forward) {
    return once<Weights>(PassKind::backward_weights, algorithm, [&] {
      return settled(Weights{{algorithm_of(algorithm), source_, gradient_, bias_, target_, p_.strides,
                              p_.dilations, p_.begin, p_.end},
                             user_scratchpad(),
                             engine_.get(),
                             forward},
                     algorithm);
    });
  }
  Data data(Algorithm algorithm, const Forward& forward) {
    return once<Data>(PassKind::backward_data, algorithm, [&] {
      return settled(Data{{algorithm_of(algorithm), source_, kernel_, target_, p_.strides, p_.dilations,
                           p_.begin, p_.end},
                          user_scratchpad(),
                          engine_.get(),
                          forward},
                     algorithm);
    });
  }

 private:
  /// oneDNN takes the forward pass as a hint for the others, which for convolutions changes nothing.
  template <class Pass, class Make>
  Pass once(PassKind kind, Algorithm algorithm, Make&& make) {
    key_[0] = static_cast<std::int64_t>(kind);
    key_[1] = static_cast<std::int64_t>(algorithm);
    return engine_.once<Pass>(key_, make);
  }

  const ConvolutionProblem& p_;
  Engine& engine_;
  memory::desc source_, target_, gradient_, kernel_, bias_;
  std::vector<std::int64_t> key_;  ///< pass, algorithm, and the problem
};

/// Bytes of a pass beside its operands: scratch, and copies of those that lie otherwise than in `usual`.
template <class PrimitiveDesc>
std::int64_t bytes_beside(const PrimitiveDesc& pd, const PrimitiveDesc& usual) {
  std::int64_t bytes = scratch_of(pd);
  for (const int operand : {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_DIFF_SRC,
                            DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST}) {
    const memory::desc desc = pd.query_md(dnnl::query::exec_arg_md, operand);
    if (desc != usual.query_md(dnnl::query::exec_arg_md, operand))
      bytes += static_cast<std::int64_t>(desc.get_size());
  }
  return bytes;
}

/// Puts what `make` gives in the place of `pass` where that must do with less scratch and so can.
template <class PrimitiveDesc, class Make>
bool lessen(PrimitiveDesc& pass, std::int64_t cap, Algorithm algorithm, Make&& make) {
  if (!pass || scratch_of(pass) <= cap || algorithm == Algorithm::direct) return false;
  try {
    PrimitiveDesc direct = make(Algorithm::direct);
    if (is_slow(direct) || bytes_beside(direct, pass) >= scratch_of(pass)) return false;
    pass = std::move(direct);
    return true;
  } catch (const dnnl::error&) {  // there is none
    return false;
  }
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
                                       Engine& engine) {
  Maker maker(p, variant, engine);
  const auto [forward, weights, data] = variant.algorithms;
  ConvolutionPrimitives made;
  made.forward = maker.forward(forward);
  if (p.weights) made.weights = maker.weights(weights, made.forward);
  if (p.data) made.data = maker.data(data, made.forward);
  return made;
}

bool keep_within(const ConvolutionCaps& caps, const ConvolutionProblem& p, const ConvolutionVariant& variant,
                 Engine& engine, ConvolutionPrimitives& made) {
  Maker maker(p, variant, engine);
  const auto [forward, weights, data] = variant.algorithms;
  bool lessened =
      lessen(made.forward, caps.forward, forward, [&](Algorithm direct) { return maker.forward(direct); });
  lessened |= lessen(made.weights, caps.weights, weights,
                     [&](Algorithm direct) { return maker.weights(direct, made.forward); });
  lessened |=
      lessen(made.data, caps.data, data, [&](Algorithm direct) { return maker.data(direct, made.forward); });
  return lessened;
}

}  // namespace convoy::cpu
