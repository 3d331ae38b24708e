#include <algorithm>
#include <bit>

#include "layers/core/bytes.h"
#include "layers/cpu/lower.h"
#include "layers/cpu/shared_batch_norm.h"

namespace convoy::cpu {
namespace {

using NormForward = dnnl::batch_normalization_forward;
using NormBackward = dnnl::batch_normalization_backward;
const auto kScaleShift = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;

/// Batch norm in the layout of its input. Forward in training leaves the batch's mean and variance for
/// backward, and for the step that folds them into the iteration's statistics.
class BatchNormLayer : public CpuLayer {
 public:
  BatchNormLayer(const BatchNorm& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine),
        desc_(as_image(engine.desc(inputs[0]), site.inputs[0], site.batch)),
        channels_(site.inputs[0].channels),
        variance_offset_(round_up(channels_ * 4, 64)) {
    checked(what_, [&] { choose(static_cast<float>(op.epsilon), inputs[0].id); });
    declare(inputs[0]);
  }

  std::string implementation(std::size_t pass) const override {
    switch (spec_.passes[pass].kind) {
      case PassKind::forward:
        return forward_.impl_info_str();
      case PassKind::backward:
        return backward_.impl_info_str();
      default:
        return "convoy";
    }
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    switch (spec_.passes[pass].kind) {
      case PassKind::forward:
        return bind_forward(reads, writes, scratch);
      case PassKind::statistics:
        return bind_statistics(reads, writes);
      default:
        return bind_backward(reads, writes, scratch);
    }
  }

 private:
  struct Primitives {
    NormForward::primitive_desc forward;
    NormBackward::primitive_desc backward;
  };

  void choose(float epsilon, std::int64_t layout) {
    const std::vector<std::int64_t> key{static_cast<std::int64_t>(Once::batch_norm),
                                        layout,
                                        site_.batch,
                                        site_.inputs[0].channels,
                                        site_.inputs[0].height,
                                        site_.inputs[0].width,
                                        site_.training,
                                        site_.relu_follows,
                                        std::bit_cast<std::int32_t>(epsilon)};
    const auto& made = engine_->once<Primitives>(key, [&] { return make(epsilon); });
    forward_ = made.forward;
    backward_ = made.backward;
  }

  Primitives make(float epsilon) const {
    const auto shared =
        site_.relu_follows ? kScaleShift | dnnl::normalization_flags::fuse_norm_relu : kScaleShift;
    const auto flags = site_.training ? shared : shared | dnnl::normalization_flags::use_global_stats;
    Primitives made;
    made.forward = {
        {forward_purpose(site_.training), desc_, epsilon, flags}, user_scratchpad(), engine_->get()};
    if (site_.training) {
      made.backward = {{dnnl::prop_kind::backward, desc_, desc_, epsilon, shared},
                       user_scratchpad(),
                       engine_->get(),
                       made.forward};
    }
    return made;
  }

  void declare(const Layout& layout) {
    const Layout vector = engine_->layout(plain_vector(channels_));
    if (site_.relu_follows) spec_.relu = ReluShare::all;
    PassSpec forward{PassKind::forward,
                     {{Role::input, 0, layout}, {Role::parameter, 0, vector}, {Role::parameter, 1, vector}},
                     {{Role::output, 0, layout}},
                     scratch_of(forward_)};
    if (!site_.training) {
      forward.reads.push_back({Role::state, 0, vector});
      forward.reads.push_back({Role::state, 1, vector});
      forward.in_place = true;
      spec_.passes.push_back(std::move(forward));
      return;
    }
    spec_.saved_bytes =
        2 * variance_offset_ + static_cast<std::int64_t>(forward_.workspace_desc().get_size());
    const Layout saved{-1, spec_.saved_bytes};
    forward.writes.push_back({Role::saved, 0, saved});
    spec_.passes.push_back(std::move(forward));
    spec_.passes.push_back({PassKind::statistics,
                            {{Role::saved, 0, saved}},
                            {{Role::statistic, 0, vector}, {Role::statistic, 1, vector}},
                            0});
    PassSpec backward{PassKind::backward,
                      {{Role::output_gradient, 0, layout},
                       {Role::input, 0, layout},
                       {Role::saved, 0, saved},
                       {Role::parameter, 0, vector}},
                      {},
                      scratch_of(backward_)};
    own_scratch_ = round_up(backward.scratch_bytes, 64);
    if (site_.input_gradient[0]) {
      backward.writes.push_back({Role::input_gradient, 0, layout});
      backward.in_place = true;
    } else {
      backward.scratch_bytes = own_scratch_ + layout.bytes;
    }
    backward.writes.push_back({Role::parameter_gradient, 0, vector});
    backward.writes.push_back({Role::parameter_gradient, 1, vector});
    spec_.passes.push_back(std::move(backward));
  }

  memory mean(const void* saved) const { return engine_->bind(plain_vector(channels_), saved); }
  memory variance(const void* saved) const {
    return engine_->bind(plain_vector(channels_), static_cast<const std::byte*>(saved) + variance_offset_);
  }
  /// Where the result was above zero, when a ReLU is part of it.
  memory signs(const void* saved) const {
    return engine_->bind(forward_.workspace_desc(),
                         static_cast<const std::byte*>(saved) + 2 * variance_offset_);
  }
  memory vector(const void* data) const { return engine_->bind(plain_vector(channels_), data); }

  std::unique_ptr<Kernel> bind_forward(std::span<void* const> reads, std::span<void* const> writes,
                                       void* scratch) const {
    ArgMap args{{DNNL_ARG_SRC, engine_->bind(desc_, reads[0])},
                {DNNL_ARG_SCALE, vector(reads[1])},
                {DNNL_ARG_SHIFT, vector(reads[2])},
                {DNNL_ARG_DST, engine_->bind(desc_, writes[0])},
                {DNNL_ARG_MEAN, site_.training ? mean(writes[1]) : vector(reads[3])},
                {DNNL_ARG_VARIANCE, site_.training ? variance(writes[1]) : vector(reads[4])}};
    if (site_.training && site_.relu_follows) args.emplace(DNNL_ARG_WORKSPACE, signs(writes[1]));
    return primitive<NormForward>(forward_, std::move(args), scratch);
  }

  /// statistic += share of this micro-batch · (mean, unbiased variance).
  std::unique_ptr<Kernel> bind_statistics(std::span<void* const> reads, std::span<void* const> writes) const {
    const auto* means = static_cast<const float*>(reads[0]);
    const auto* variances =
        reinterpret_cast<const float*>(static_cast<const std::byte*>(reads[0]) + variance_offset_);
    auto* mean_sum = static_cast<float*>(writes[0]);
    auto* variance_sum = static_cast<float*>(writes[1]);
    const double values = static_cast<double>(site_.batch * site_.inputs[0].pixels());
    const auto unbias = static_cast<float>(values / std::max(values - 1.0, 1.0));
    const auto samples = static_cast<float>(site_.batch);
    return make_kernel([=, channels = channels_](const StepContext& context) {
      const float share = samples * context.sample_weight;
      for (std::int64_t c = 0; c < channels; ++c) {
        mean_sum[c] = (context.first_pass ? 0.F : mean_sum[c]) + share * means[c];
        variance_sum[c] = (context.first_pass ? 0.F : variance_sum[c]) + share * unbias * variances[c];
      }
    });
  }

  std::unique_ptr<Kernel> bind_backward(std::span<void* const> reads, std::span<void* const> writes,
                                        void* scratch) const {
    const bool gradient = site_.input_gradient[0];
    void* spare = static_cast<std::byte*>(scratch) + own_scratch_;
    const std::size_t first = gradient ? 1 : 0;
    ArgMap args{{DNNL_ARG_DIFF_DST, engine_->bind(desc_, reads[0])},
                {DNNL_ARG_SRC, engine_->bind(desc_, reads[1])},
                {DNNL_ARG_MEAN, mean(reads[2])},
                {DNNL_ARG_VARIANCE, variance(reads[2])},
                {DNNL_ARG_SCALE, vector(reads[3])},
                {DNNL_ARG_SHIFT,
                 vector(reads[3])},  // oneDNN 2 counts it among the inputs, but no gradient depends on it
                {DNNL_ARG_DIFF_SRC, engine_->bind(desc_, gradient ? writes[0] : spare)},
                {DNNL_ARG_DIFF_SCALE, vector(writes[first])},
                {DNNL_ARG_DIFF_SHIFT, vector(writes[first + 1])}};
    if (site_.relu_follows) args.emplace(DNNL_ARG_WORKSPACE, signs(reads[2]));
    return primitive<NormBackward>(backward_, std::move(args), scratch);
  }

  memory::desc desc_;
  std::int64_t channels_;
  std::int64_t variance_offset_;
  std::int64_t own_scratch_ = 0;
  NormForward::primitive_desc forward_;
  NormBackward::primitive_desc backward_;
};

}  // namespace

Lowered lower(const BatchNorm& op, const Site& site, Inputs inputs, Engine& engine) {
  if (site.training && site.shared_statistics) return lower_shared(op, site, inputs, engine);
  return std::make_shared<BatchNormLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
