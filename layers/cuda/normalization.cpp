#include "layers/cuda/kernels/batch_norm.h"
#include "layers/cuda/kernels/lrn.h"
#include "layers/cuda/kernels/per_channel.h"
#include "layers/cuda/lower.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

template <class Op>
Lowered lower_per_channel(const Op& op, ChannelFunction function, const Site& site, Engine& engine) {
  const PerChannel layer{function, rows_of(site), site.inputs[0].channels,
                         site.layer->parameters[0].elements() != site.inputs[0].channels,
                         static_cast<int>(site.layer->parameters.size())};
  const Queue queue = engine.queue;
  return make_layer(
      op, site, engine,
      [=, type = site.type, gives = sizes::gives_gradient(site)](const PassSpec& pass, Memory reads,
                                                                 Memory writes, void* scratch) -> Run {
        if (pass.kind == PassKind::forward) {
          const auto* second = layer.parameters > 1 ? static_cast<const float*>(reads[2]) : nullptr;
          return [=, x = reads[0], first = static_cast<const float*>(reads[1]), y = writes[0]](
                     const StepContext&) { per_channel(queue, type, layer, x, first, second, y); };
        }
        const std::size_t at = gives ? 1 : 0;
        std::array<void*, 2> gradients{writes[at], layer.parameters > 1 ? writes[at + 1] : nullptr};
        return [=, dy = reads[0], x = reads[1], first = static_cast<const float*>(reads[2]),
                dx = gives ? writes[0] : nullptr](const StepContext&) {
          per_channel_gradient(queue, type, layer, dy, x, first, static_cast<float*>(scratch),
                               gradients.data(), dx);
        };
      });
}

/// The share of a micro-batch in the iteration's statistics.
float share_of(const StepContext& context, std::int64_t samples) {
  return static_cast<float>(samples) * context.sample_weight;
}

/// Batch norm over this rank's micro-batch, and by running statistics.
class OwnBatchNorm {
 public:
  OwnBatchNorm(const BatchNorm& op, const Site& site, Engine& engine)
      : queue_(engine.queue),
        type_(site.type),
        rows_{rows_of(site), site.inputs[0].channels},
        samples_(site.batch),
        epsilon_(op.epsilon),
        relu_(site.relu_follows),
        training_(site.training),
        gives_(sizes::gives_gradient(site)) {}

  Run operator()(const PassSpec& pass, Memory reads, Memory writes, void* scratch) const {
    switch (pass.kind) {
      case PassKind::forward:
        return training_ ? forward(reads, writes, scratch) : inference(reads, writes);
      case PassKind::statistics:
        return statistics(reads, writes);
      default:
        return backward(reads, writes, scratch);
    }
  }

 private:
  Run forward(Memory reads, Memory writes, void* scratch) const {
    return [*this, x = reads[0], scale = static_cast<const float*>(reads[1]),
            shift = static_cast<const float*>(reads[2]), y = writes[0],
            mean = vector_in(writes[1], rows_.channels, 0), inverse = vector_in(writes[1], rows_.channels, 1),
            parts = static_cast<float*>(scratch)](const StepContext&) {
      batch_moments(queue_, type_, rows_, epsilon_, x, parts, mean, inverse);
      normalize_rows(queue_, type_, rows_, x, mean, inverse, scale, shift, relu_, y);
    };
  }

  Run inference(Memory reads, Memory writes) const {
    return [*this, x = reads[0], scale = static_cast<const float*>(reads[1]),
            shift = static_cast<const float*>(reads[2]), mean = static_cast<const float*>(reads[3]),
            variance = static_cast<const float*>(reads[4]), y = writes[0]](const StepContext&) {
      normalize_by_variance(queue_, type_, rows_, epsilon_, x, mean, variance, scale, shift, relu_, y);
    };
  }

  Run statistics(Memory reads, Memory writes) const {
    return [*this, mean = vector_in(reads[0], rows_.channels, 0),
            inverse = vector_in(reads[0], rows_.channels, 1), mean_sum = static_cast<float*>(writes[0]),
            variance_sum = static_cast<float*>(writes[1])](const StepContext& context) {
      add_statistics(queue_, rows_, epsilon_, mean, inverse, share_of(context, samples_), context.first_pass,
                     mean_sum, variance_sum);
    };
  }

  /// Scratch holds two vectors, and then the partial sums.
  Run backward(Memory reads, Memory writes, void* scratch) const {
    const std::size_t at = gives_ ? 1 : 0;
    const BatchNormGradient from{reads[0],
                                 reads[1],
                                 vector_in(reads[2], rows_.channels, 0),
                                 vector_in(reads[2], rows_.channels, 1),
                                 static_cast<const float*>(reads[3]),
                                 relu_ ? static_cast<const float*>(reads[4]) : nullptr,
                                 relu_};
    float* parts = vector_in(scratch, rows_.channels, 2);
    return [*this, from, parts, slope = vector_in(scratch, rows_.channels, 0),
            offset = vector_in(scratch, rows_.channels, 1), scale_gradient = writes[at],
            shift_gradient = writes[at + 1], dx = gives_ ? writes[0] : nullptr](const StepContext&) {
      float* sums[2] = {slope, offset};
      batch_norm_gradient(queue_, type_, rows_, from, parts, sums, scale_gradient, shift_gradient, dx);
    };
  }

  Queue queue_;
  DType type_;
  Rows rows_;
  std::int64_t samples_;
  double epsilon_;
  bool relu_, training_, gives_;
};

/// Batch norm over the statistics of all ranks.
class SharedBatchNorm {
 public:
  SharedBatchNorm(const BatchNorm& op, const Site& site, Engine& engine)
      : queue_(engine.queue),
        type_(site.type),
        rows_{rows_of(site), site.inputs[0].channels},
        samples_(site.batch),
        epsilon_(op.epsilon) {}

  Run operator()(const PassSpec& pass, Memory reads, Memory writes, void* scratch) const {
    switch (pass.kind) {
      case PassKind::moments:
        return [*this, x = reads[0], sums = static_cast<double*>(writes[0]),
                parts = static_cast<float*>(scratch)](const StepContext&) {
          shared_moments(queue_, type_, rows_, x, parts, sums);
        };
      case PassKind::forward:
        return forward(reads, writes, scratch);
      case PassKind::statistics:
        return [*this, sums = static_cast<const double*>(reads[0]), mean_sum = static_cast<float*>(writes[0]),
                variance_sum = static_cast<float*>(writes[1])](const StepContext& context) {
          add_shared_statistics(queue_, rows_.channels, epsilon_, sums, share_of(context, samples_),
                                context.first_pass, mean_sum, variance_sum);
        };
      case PassKind::gradient_moments:
        return gradient_moments(reads, writes, scratch);
      default:
        return backward(reads, writes, scratch);
    }
  }

 private:
  float* vector(void* scratch, int number) const { return vector_in(scratch, rows_.channels, number); }

  Run forward(Memory reads, Memory writes, void* scratch) const {
    return [*this, x = reads[0], scale = static_cast<const float*>(reads[1]),
            shift = static_cast<const float*>(reads[2]), sums = static_cast<const double*>(reads[3]),
            y = writes[0], mean = vector(scratch, 0), inverse = vector(scratch, 1)](const StepContext&) {
      moments_of_sums(queue_, rows_.channels, epsilon_, sums, mean, inverse);
      normalize_rows(queue_, type_, rows_, x, mean, inverse, scale, shift, false, y);
    };
  }

  Run gradient_moments(Memory reads, Memory writes, void* scratch) const {
    return [*this, dy = reads[0], x = reads[1], sums = static_cast<const double*>(reads[2]),
            gradient_sums = static_cast<double*>(writes[0]), scale_gradient = writes[1],
            shift_gradient = writes[2], mean = vector(scratch, 0),
            parts = vector(scratch, 2)](const StepContext&) {
      shared_gradient_moments(queue_, type_, rows_, epsilon_, dy, x, sums, parts, mean, gradient_sums,
                              scale_gradient, shift_gradient);
    };
  }

  Run backward(Memory reads, Memory writes, void* scratch) const {
    return [*this, dy = reads[0], x = reads[1], sums = static_cast<const double*>(reads[2]),
            gradient_sums = static_cast<const double*>(reads[3]), scale = static_cast<const float*>(reads[4]),
            dx = writes[0], scratch](const StepContext&) {
      float* vectors[4] = {vector(scratch, 0), vector(scratch, 1), vector(scratch, 2), vector(scratch, 3)};
      shared_gradient(queue_, type_, rows_, epsilon_, dy, x, sums, gradient_sums, scale, vectors, dx);
    };
  }

  Queue queue_;
  DType type_;
  Rows rows_;
  std::int64_t samples_;
  double epsilon_;
};

}  // namespace

Lowered lower(const Scale& op, const Site& site, Engine& engine) {
  return lower_per_channel(op, ChannelFunction::scale, site, engine);
}

Lowered lower(const Prelu& op, const Site& site, Engine& engine) {
  return lower_per_channel(op, ChannelFunction::prelu, site, engine);
}

Lowered lower(const BatchNorm& op, const Site& site, Engine& engine) {
  if (site.training && site.shared_statistics)
    return make_layer(op, site, engine, SharedBatchNorm(op, site, engine));
  return make_layer(op, site, engine, OwnBatchNorm(op, site, engine));
}

Lowered lower(const Lrn& op, const Site& site, Engine& engine) {
  const Shape shape = site.inputs[0];
  const bool within = op.region == Lrn::Region::within;
  const auto window = static_cast<double>(within ? op.size * op.size : op.size);
  const LrnGeometry geometry{site.batch,
                             shape.channels,
                             shape.height,
                             shape.width,
                             within,
                             op.size / 2,
                             static_cast<float>(op.k),
                             static_cast<float>(op.alpha / window),
                             static_cast<float>(op.beta)};
  const Queue queue = engine.queue;
  return make_layer(
      op, site, engine,
      [=, type = site.type](const PassSpec& pass, Memory reads, Memory writes, void* scratch) -> Run {
        const void* from = reads[0];
        void* to = writes[0];
        if (pass.kind == PassKind::forward)
          return [=](const StepContext&) { lrn(queue, type, geometry, from, to); };
        return [=, x = reads[1], shares = static_cast<float*>(scratch)](const StepContext&) {
          lrn_gradient(queue, type, geometry, from, x, to, shares);
        };
      });
}

}  // namespace CONVOY_CUDA_NAMESPACE
