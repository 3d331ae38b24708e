#include "layers/cpu/shared_batch_norm.h"

#include "layers/core/bytes.h"
#include "layers/cpu/channel_tasks.h"
#include "layers/cpu/element.h"
#include "layers/cpu/norm_tiles.h"
#include "layers/graph/arithmetic/batch_norm.h"

namespace convoy::cpu {
namespace {

/// Places in the operands that are added up over the ranks, as fp64 values: C sums, C sums of squares (or of
/// products), and for forward the number of values.
struct SharedSums {
  double* first;
  double* second;
  double* count;
};

class SharedBatchNormLayer : public CpuLayer {
 public:
  SharedBatchNormLayer(const BatchNorm& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine), epsilon_(op.epsilon), channels_(site.inputs[0].channels) {
    const Shape shape = site.inputs[0];
    const Layout layout = accept_image(engine, inputs[0], shape, site.batch, site.type);
    tasks_ = ChannelTasks(*channel_view(engine.desc(layout), shape, site.batch));
    declare(layout);
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    auto* space = static_cast<float*>(scratch);
    return with_element(site_.type, [&]<class T>(T) -> std::unique_ptr<Kernel> {
      switch (spec_.passes[pass].kind) {
        case PassKind::moments:
          return bind_moments<T>(reads, writes, space);
        case PassKind::forward:
          return bind_forward<T>(reads, writes, space);
        case PassKind::statistics:
          return bind_statistics(reads, writes);
        case PassKind::gradient_moments:
          return bind_gradient_moments<T>(reads, writes, space);
        default:
          return bind_backward<T>(reads, writes, space);
      }
    });
  }

 private:
  void declare(const Layout& layout) {
    const Layout vector = engine_->layout(plain_vector(channels_));
    const Operand sums{Role::shared, 0, {-1, (2 * channels_ + 1) * 8}};
    const Operand gradient_sums{Role::shared, 1, {-1, 2 * channels_ * 8}};
    const Operand input{Role::input, 0, layout};
    const Operand output_gradient{Role::output_gradient, 0, layout};
    const Operand scale{Role::parameter, 0, vector};
    const std::int64_t parts = round_up(tasks_.part_values(), 16) * 4;
    const std::int64_t lanes = round_up(channels_, 16) * 4;
    spec_.passes = {
        {PassKind::forward,
         {input, scale, {Role::parameter, 1, vector}, sums},
         {{Role::output, 0, layout}},
         2 * lanes},
        {PassKind::moments, {input}, {sums}, parts + lanes},
        {PassKind::statistics, {sums}, {{Role::statistic, 0, vector}, {Role::statistic, 1, vector}}, 0},
        {PassKind::gradient_moments,
         {output_gradient, input, sums},
         {gradient_sums, {Role::parameter_gradient, 0, vector}, {Role::parameter_gradient, 1, vector}},
         2 * parts + lanes}};
    if (!site_.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward,
                            {output_gradient, input, sums, gradient_sums, scale},
                            {{Role::input_gradient, 0, layout}},
                            4 * lanes,
                            true});
  }

  SharedSums at(void* operand) const {
    auto* values = static_cast<double*>(operand);
    return {values, values + channels_, values + 2 * channels_};
  }
  ChannelMoments moments(const SharedSums& sums, std::int64_t c) const {
    return channel_moments(sums.first[c], sums.second[c], *sums.count, epsilon_);
  }
  /// The means of all channels, for the tiles.
  void write_means(const SharedSums& sums, float* means) const {
    for (std::int64_t c = 0; c < channels_; ++c) means[c] = static_cast<float>(sums.first[c] / *sums.count);
  }
  /// Runs `body(task, tile)` on all tiles.
  template <class Body>
  void for_all(Body&& body) const {
#pragma omp parallel for schedule(static)
    for (std::int64_t task = 0; task < tasks_.count(); ++task)
      tasks_.for_tiles(task, [&](const Tile& tile) { body(task, tile); });
  }
  /// The sum by channel of what `of(tile, sums)` leaves for each tile.
  template <class Of, class Take>
  void sum_tiles(float* parts, Of&& of, Take&& take) const {
#pragma omp parallel for schedule(static)
    for (std::int64_t task = 0; task < tasks_.count(); ++task) {
      tasks_.clear_part(parts, task);
      tasks_.for_tiles(task, [&](const Tile& tile) {
        Lanes sums{};
        of(tile, sums);
        tasks_.add_to_part(parts, task, tile, sums);
      });
    }
#pragma omp parallel for schedule(static)
    for (std::int64_t c = 0; c < channels_; ++c) take(c, tasks_.sum_of(parts, c));
  }

  /// The sums of this rank's values. Squares are summed around this rank's own mean first.
  template <class T>
  std::unique_ptr<Kernel> bind_moments(std::span<void* const> reads, std::span<void* const> writes,
                                       float* scratch) const {
    const auto* x = static_cast<const T*>(reads[0]);
    const SharedSums sums = at(writes[0]);
    float* means = scratch;
    float* parts = scratch + round_up(channels_, 16);
    const auto values = static_cast<double>(site_.batch * site_.inputs[0].pixels());
    return make_kernel([=, this](const StepContext&) {
      sum_tiles(
          parts, [&](const Tile& tile, Lanes& lanes) { sum_tile(x + tile.offset, tile, lanes); },
          [&](std::int64_t c, double sum) {
            sums.first[c] = sum;
            means[c] = static_cast<float>(sum / values);
          });
      sum_tiles(
          parts,
          [&](const Tile& tile, Lanes& lanes) {
            square_tile(x + tile.offset, tile, tasks_.lanes_of(means, tile), lanes);
          },
          [&](std::int64_t c, double squares) {
            const auto mean = static_cast<double>(means[c]);
            sums.second[c] = squares + mean * (2 * sums.first[c] - values * mean);
          });
      *sums.count = values;
    });
  }

  template <class T>
  std::unique_ptr<Kernel> bind_forward(std::span<void* const> reads, std::span<void* const> writes,
                                       float* scratch) const {
    const auto* x = static_cast<const T*>(reads[0]);
    const auto* scale = static_cast<const float*>(reads[1]);
    const auto* shift = static_cast<const float*>(reads[2]);
    const SharedSums sums = at(reads[3]);
    auto* y = static_cast<T*>(writes[0]);
    float* means = scratch;
    float* factors = scratch + round_up(channels_, 16);
    return make_kernel([=, this](const StepContext&) {
      write_means(sums, means);
      for (std::int64_t c = 0; c < channels_; ++c)
        factors[c] = scale[c] * static_cast<float>(moments(sums, c).inverse_deviation);
      for_all([&](std::int64_t, const Tile& tile) {
        normalize_tile(x + tile.offset, y + tile.offset, tile, tasks_.lanes_of(means, tile),
                       tasks_.lanes_of(factors, tile), tasks_.lanes_of(shift, tile));
      });
    });
  }

  /// statistic += share of this micro-batch · (mean, unbiased variance); the shares of all ranks make 1.
  std::unique_ptr<Kernel> bind_statistics(std::span<void* const> reads, std::span<void* const> writes) const {
    const SharedSums sums = at(reads[0]);
    auto* mean_sum = static_cast<float*>(writes[0]);
    auto* variance_sum = static_cast<float*>(writes[1]);
    const auto samples = static_cast<float>(site_.batch);
    return make_kernel([=, this](const StepContext& context) {
      const float share = samples * context.sample_weight;
      const double unbias = *sums.count / std::max(*sums.count - 1, 1.0);
      for (std::int64_t c = 0; c < channels_; ++c) {
        const ChannelMoments m = moments(sums, c);
        mean_sum[c] = (context.first_pass ? 0.F : mean_sum[c]) + share * static_cast<float>(m.mean);
        variance_sum[c] =
            (context.first_pass ? 0.F : variance_sum[c]) + share * static_cast<float>(unbias * m.variance);
      }
    });
  }

  template <class T>
  std::unique_ptr<Kernel> bind_gradient_moments(std::span<void* const> reads, std::span<void* const> writes,
                                                float* scratch) const {
    const auto* dy = static_cast<const T*>(reads[0]);
    const auto* x = static_cast<const T*>(reads[1]);
    const SharedSums sums = at(reads[2]);
    const SharedSums result = at(writes[0]);
    auto* scale_gradient = static_cast<float*>(writes[1]);
    auto* shift_gradient = static_cast<float*>(writes[2]);
    float* means = scratch;
    float* parts = scratch + round_up(channels_, 16);
    float* products = parts + round_up(tasks_.part_values(), 16);
    return make_kernel([=, this](const StepContext&) {
      write_means(sums, means);
#pragma omp parallel for schedule(static)
      for (std::int64_t task = 0; task < tasks_.count(); ++task) {
        tasks_.clear_part(parts, task);
        tasks_.clear_part(products, task);
        tasks_.for_tiles(task, [&](const Tile& tile) {
          Lanes gradient{};
          Lanes product{};
          gradient_sums_tile(x + tile.offset, dy + tile.offset, tile, tasks_.lanes_of(means, tile), gradient,
                             product);
          tasks_.add_to_part(parts, task, tile, gradient);
          tasks_.add_to_part(products, task, tile, product);
        });
      }
      for (std::int64_t c = 0; c < channels_; ++c) {
        result.first[c] = tasks_.sum_of(parts, c);
        result.second[c] = tasks_.sum_of(products, c) * moments(sums, c).inverse_deviation;
        shift_gradient[c] = static_cast<float>(result.first[c]);
        scale_gradient[c] = static_cast<float>(result.second[c]);
      }
    });
  }

  template <class T>
  std::unique_ptr<Kernel> bind_backward(std::span<void* const> reads, std::span<void* const> writes,
                                        float* scratch) const {
    const auto* dy = static_cast<const T*>(reads[0]);
    const auto* x = static_cast<const T*>(reads[1]);
    const SharedSums sums = at(reads[2]);
    const SharedSums gradient = at(reads[3]);
    const auto* scale = static_cast<const float*>(reads[4]);
    auto* dx = static_cast<T*>(writes[0]);
    const std::int64_t lanes = round_up(channels_, 16);
    float* means = scratch;
    float* direct = scratch + lanes;
    float* slope = direct + lanes;
    float* offset = slope + lanes;
    return make_kernel([=, this](const StepContext&) {
      write_means(sums, means);
      for (std::int64_t c = 0; c < channels_; ++c) {
        const NormGradient g = norm_gradient(moments(sums, c), static_cast<double>(scale[c]),
                                             gradient.first[c], gradient.second[c], *sums.count);
        direct[c] = g.direct;
        slope[c] = g.slope;
        offset[c] = g.offset;
      }
      for_all([&](std::int64_t, const Tile& tile) {
        gradient_tile(x + tile.offset, dy + tile.offset, dx + tile.offset, tile, tasks_.lanes_of(means, tile),
                      tasks_.lanes_of(direct, tile), tasks_.lanes_of(slope, tile),
                      tasks_.lanes_of(offset, tile));
      });
    });
  }

  double epsilon_;
  std::int64_t channels_;
  ChannelTasks tasks_;
};

}  // namespace

Lowered lower_shared(const BatchNorm& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<SharedBatchNormLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
