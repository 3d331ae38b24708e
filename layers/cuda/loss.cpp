#include "layers/cuda/kernels/loss.h"

#include "layers/cuda/lower.h"
#include "layers/graph/loss_reads.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

/// Any loss; see loss_layer.h of the processor for what it adds to the metrics.
template <class Op>
Lowered lower_loss(const Op& op, LossFunction function, float smoothing, const Site& site, Engine& engine) {
  const LossRows rows{function, smoothing, site.batch, static_cast<int>(site.output.pixels()),
                      static_cast<int>(site.output.channels)};
  const double weight = site.training ? op.weight : 1;
  const Queue queue = engine.queue;
  return make_layer(
      op, site, engine,
      [=, main = !op.auxiliary](const PassSpec& pass, Memory reads, Memory writes, void* scratch) -> Run {
        const auto* from = static_cast<const float*>(reads[0]);
        const auto* labels = static_cast<const std::int32_t*>(reads[1]);
        const SecondLabel* second = second_labels_of(site, reads);
        auto* to = static_cast<float*>(writes[0]);
        if (pass.kind == PassKind::forward) {
          auto* samples = static_cast<SampleLoss*>(scratch);
          auto* sums = reinterpret_cast<float*>(samples + rows.batch);
          return [=, metrics = static_cast<Metrics*>(writes[1])](const StepContext& context) {
            loss_of_samples(queue, rows, from, labels, second, to, samples, sums);
            add_metrics(queue, samples, context.valid_samples, weight, main,
                        context.first_pass && !context.keeps_metrics && site.starts_metrics, metrics);
          };
        }
        return [=, state = update_state_of(site, reads)](const StepContext& context) {
          const float scale =
              static_cast<float>(weight) * context.sample_weight / static_cast<float>(rows.positions);
          loss_gradient(queue, rows, from, labels, second, scale, state, to);
        };
      });
}

}  // namespace

Lowered lower(const SoftmaxLoss& op, const Site& site, Engine& engine) {
  return lower_loss(op, LossFunction::softmax, static_cast<float>(op.label_smoothing), site, engine);
}

Lowered lower(const SquaredError& op, const Site& site, Engine& engine) {
  return lower_loss(op, LossFunction::squared_error, 0, site, engine);
}

Lowered lower(const Hinge& op, const Site& site, Engine& engine) {
  return lower_loss(op, op.norm == 2 ? LossFunction::squared_hinge : LossFunction::hinge, 0, site, engine);
}

Lowered lower(const SigmoidCrossEntropy& op, const Site& site, Engine& engine) {
  return lower_loss(op, LossFunction::sigmoid, 0, site, engine);
}

}  // namespace CONVOY_CUDA_NAMESPACE
