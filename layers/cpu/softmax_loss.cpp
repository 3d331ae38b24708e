#include "layers/cpu/lower.h"
#include "layers/graph/arithmetic.h"

namespace convoy::cpu {
namespace {

/// Softmax with cross-entropy on dense rows of scores. Forward adds to the iteration's Metrics; padding
/// samples (StepContext::valid_samples) do not count.
class SoftmaxLossLayer : public CpuLayer {
 public:
  SoftmaxLossLayer(const Site& site, Inputs inputs, Engine& engine) : CpuLayer(site, engine) {
    const Layout scores = engine.accept(plain_activation(site.inputs[0], site.batch, DType::f32), inputs[0]);
    const Layout labels{-1, site.batch * 4};
    // Rows' losses wait here until one thread adds them up in order, so that the sum has one value.
    spec_.passes.push_back({PassKind::forward,
                            {{Role::input, 0, scores}, {Role::labels, 0, labels}},
                            {{Role::output, 0, scores}, {Role::metrics, 0, {-1, sizeof(Metrics)}}},
                            site.batch * static_cast<std::int64_t>(sizeof(SampleLoss)),
                            true});
    if (!site.training || !site.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output, 0, scores}, {Role::labels, 0, labels}},
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
    auto* probabilities = static_cast<float*>(writes[0]);
    auto* metrics = static_cast<Metrics*>(writes[1]);
    auto* rows = static_cast<SampleLoss*>(scratch);
    const int classes = static_cast<int>(site_.output.channels);
    const std::int64_t batch = site_.batch;
    return make_kernel([=](const StepContext& context) {
#pragma omp parallel for
      for (std::int64_t n = 0; n < batch; ++n) {
        rows[n] =
            softmax_cross_entropy(scores + n * classes, classes, labels[n], probabilities + n * classes);
      }
      if (context.first_pass) *metrics = Metrics{};
      for (std::int64_t n = 0; n < context.valid_samples; ++n) {
        metrics->loss += static_cast<double>(rows[n].loss);
        metrics->top1 += rows[n].rank < 1 ? 1 : 0;
        metrics->top5 += rows[n].rank < 5 ? 1 : 0;
      }
      metrics->samples += static_cast<double>(context.valid_samples);
    });
  }

  std::unique_ptr<Kernel> bind_backward(std::span<void* const> reads, std::span<void* const> writes) const {
    const auto* probabilities = static_cast<const float*>(reads[0]);
    const auto* labels = static_cast<const std::int32_t*>(reads[1]);
    auto* gradient = static_cast<float*>(writes[0]);
    const std::int64_t classes = site_.output.channels;
    const std::int64_t batch = site_.batch;
    return make_kernel([=](const StepContext& context) {
#pragma omp parallel for
      for (std::int64_t n = 0; n < batch; ++n) {
        for (std::int64_t c = 0; c < classes; ++c) {
          const std::int64_t at = n * classes + c;
          gradient[at] = (probabilities[at] - (c == labels[n] ? 1.F : 0.F)) * context.sample_weight;
        }
      }
    });
  }
};

}  // namespace

Lowered lower(const SoftmaxLoss&, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<SoftmaxLossLayer>(site, inputs, engine);
}

}  // namespace convoy::cpu
