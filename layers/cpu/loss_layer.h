#pragma once

#include "layers/cpu/lower.h"
#include "layers/graph/arithmetic/loss.h"
#include "layers/graph/loss_reads.h"

namespace convoy::cpu {

/// Any loss on dense fp32 rows of scores, one a position of a sample (a map comes with its channels last);
/// `Arithmetic` is one of layers/graph/arithmetic/loss.h. Forward adds
/// to the iteration's Metrics: every loss to the sum of losses, the main one also to the rest. Padding
/// samples (StepContext::valid_samples) do not count.
template <class Arithmetic>
class LossLayer : public CpuLayer {
 public:
  LossLayer(const Loss& loss, const Arithmetic& arithmetic, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine),
        arithmetic_(arithmetic),
        weight_(site.training ? loss.weight : 1),
        main_(!loss.auxiliary),
        positions_(site.output.pixels()) {
    const memory::desc rows = positions_ == 1
                                  ? plain_activation(site.inputs[0], site.batch, DType::f32)
                                  : channels_last_activation(site.inputs[0], site.batch, DType::f32);
    const Layout scores = engine.accept(rows, inputs[0]);
    // Samples' losses wait here until one thread adds them up in order, so that the sum has one value; a
    // map's sums over positions stand after them.
    const std::int64_t sums = positions_ == 1 ? 0 : site.batch * site.output.channels * 4;
    spec_.passes.push_back({PassKind::forward,
                            loss_reads({Role::input, 0, scores}, site),
                            {{Role::output, 0, scores}, {Role::metrics, 0, {-1, sizeof(Metrics)}}},
                            site.batch * static_cast<std::int64_t>(sizeof(SampleLoss)) + sums,
                            true});
    if (!site.training || !site.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            loss_gradient_reads({Role::output, 0, scores}, site),
                            {{Role::input_gradient, 0, scores}},
                            0,
                            true});
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    return pass == 0 ? bind_forward(reads, writes, scratch) : bind_backward(reads, writes);
  }

 private:
  std::unique_ptr<Kernel> bind_forward(std::span<void* const> reads, std::span<void* const> writes,
                                       void* scratch) const {
    const auto* scores = static_cast<const float*>(reads[0]);
    const auto* labels = static_cast<const std::int32_t*>(reads[1]);
    const SecondLabel* second = second_labels_of(site_, reads);
    auto* output = static_cast<float*>(writes[0]);
    auto* metrics = static_cast<Metrics*>(writes[1]);
    auto* samples = static_cast<SampleLoss*>(scratch);
    auto* sums = reinterpret_cast<float*>(samples + site_.batch);
    const int classes = static_cast<int>(site_.output.channels);
    const int positions = static_cast<int>(positions_);
    return make_kernel([=, arithmetic = arithmetic_, batch = site_.batch, weight = weight_, main = main_,
                        starts = site_.starts_metrics](const StepContext& context) {
#pragma omp parallel for
      for (std::int64_t n = 0; n < batch; ++n) {
        const std::int64_t first = n * positions * classes;
        const float* row = scores + first;
        const SecondLabel* other = second == nullptr ? nullptr : second + n;
        if (positions == 1) {
          samples[n].rank =
              rank_of(row, classes, labels[n]);  // before the output takes the place of the scores
          samples[n].loss = mixed_loss(arithmetic, row, classes, labels[n], other, output + first);
        } else {
          samples[n] = loss_of_map(arithmetic, row, positions, classes, labels[n], other, output + first,
                                   sums + n * classes);
        }
      }
      if (context.first_pass && !context.keeps_metrics && starts) *metrics = Metrics{};
      for (std::int64_t n = 0; n < context.valid_samples; ++n) {
        metrics->loss += weight * static_cast<double>(samples[n].loss);
        if (!main) continue;
        metrics->top1 += samples[n].rank < 1 ? 1 : 0;
        metrics->top5 += samples[n].rank < 5 ? 1 : 0;
        metrics->samples += 1;
      }
    });
  }

  std::unique_ptr<Kernel> bind_backward(std::span<void* const> reads, std::span<void* const> writes) const {
    const auto* output = static_cast<const float*>(reads[0]);
    const auto* labels = static_cast<const std::int32_t*>(reads[1]);
    const SecondLabel* second = second_labels_of(site_, reads);
    const UpdateState* state = update_state_of(site_, reads);
    auto* gradient = static_cast<float*>(writes[0]);
    const auto classes = static_cast<int>(site_.output.channels);
    return make_kernel([=, arithmetic = arithmetic_, rows = site_.batch * positions_, positions = positions_,
                        weight = static_cast<float>(weight_)](const StepContext& context) {
      const float scale =
          weight * context.sample_weight * loss_scale_of(state) / static_cast<float>(positions);
#pragma omp parallel for
      for (std::int64_t r = 0; r < rows; ++r) {
        const std::int32_t label = labels[r / positions];
        const SecondLabel* other = second == nullptr ? nullptr : second + r / positions;
        for (int c = 0; c < classes; ++c) {
          const std::int64_t at = r * classes + c;
          gradient[at] = mixed_gradient(arithmetic, output[at], c, label, other) * scale;
        }
      }
    });
  }

  Arithmetic arithmetic_;
  double weight_;
  bool main_;
  std::int64_t positions_;
};

template <class Arithmetic>
Lowered lower_loss(const Loss& loss, const Arithmetic& arithmetic, const Site& site, Inputs inputs,
                   Engine& engine) {
  return std::make_shared<LossLayer<Arithmetic>>(loss, arithmetic, site, inputs, engine);
}

}  // namespace convoy::cpu
