#include "layers/cuda/kernels/elementwise.h"

#include "layers/cuda/lower.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

std::int64_t values_of(const Site& site) { return site.batch * site.output.elements(); }

}  // namespace

Lowered lower(const Nonlinearity& op, const Site& site, Engine& engine) {
  const NonlinearityFunction function{op.kind, static_cast<float>(op.alpha)};
  const Queue queue = engine.queue;
  const std::int64_t count = values_of(site);
  return make_layer(op, site, engine,
                    [=, type = site.type, from_output = op.backward_from_output()](
                        const PassSpec& pass, Memory reads, Memory writes, void*) -> Run {
                      const void* from = reads[0];
                      void* to = writes[0];
                      if (pass.kind == PassKind::forward)
                        return
                            [=](const StepContext&) { nonlinearity(queue, type, function, count, from, to); };
                      return [=, value = reads[1]](const StepContext&) {
                        nonlinearity_gradient(queue, type, function, from_output, count, from, value, to);
                      };
                    });
}

Lowered lower(const Clip& op, const Site& site, Engine& engine) {
  const auto low = static_cast<float>(op.minimum);
  const auto high = static_cast<float>(op.maximum);
  const Queue queue = engine.queue;
  const std::int64_t count = values_of(site);
  return make_layer(op, site, engine,
                    [=, type = site.type](const PassSpec& pass, Memory reads, Memory writes, void*) -> Run {
                      const void* from = reads[0];
                      void* to = writes[0];
                      if (pass.kind == PassKind::forward)
                        return
                            [=](const StepContext&) { clip_values(queue, type, low, high, count, from, to); };
                      return [=, output = reads[1]](const StepContext&) {
                        clip_gradients(queue, type, low, high, count, from, output, to);
                      };
                    });
}

Lowered lower(const Dropout& op, const Site& site, Engine& engine) {
  Mask usual;
  usual.instance = static_cast<std::uint32_t>(site.layer_index);
  usual.threshold = static_cast<std::uint32_t>(op.rate * 0x1p32);
  usual.scale = static_cast<float>(1 / (1 - op.rate));
  usual.pixels = site.output.pixels();
  usual.channels = site.output.channels;
  const Queue queue = engine.queue;
  const std::int64_t count = values_of(site);
  // Forward and backward alike.
  return make_layer(
      op, site, engine,
      [=, type = site.type, step = engine.step](const PassSpec&, Memory reads, Memory writes, void*) -> Run {
        return [=, from = reads[0], to = writes[0]](const StepContext& context) {
          Mask mask = usual;
          mask.seed = context.seed;
          mask.values = step->set(context);
          mask.first_sample = static_cast<std::uint64_t>(context.first_sample);
          drop_values(queue, type, mask, count, from, to);
        };
      });
}

Lowered lower(const Softmax& op, const Site& site, Engine& engine) {
  const Queue queue = engine.queue;
  const std::int64_t rows = rows_of(site);
  const std::int64_t channels = site.output.channels;
  return make_layer(op, site, engine,
                    [=, type = site.type](const PassSpec& pass, Memory reads, Memory writes, void*) -> Run {
                      const void* from = reads[0];
                      void* to = writes[0];
                      if (pass.kind == PassKind::forward)
                        return [=](const StepContext&) { softmax(queue, type, rows, channels, from, to); };
                      return [=, output = reads[1]](const StepContext&) {
                        softmax_gradient(queue, type, rows, channels, from, output, to);
                      };
                    });
}

Lowered lower(const Elementwise& op, const Site& site, Engine& engine) {
  using Kind = Elementwise::Kind;
  const Queue queue = engine.queue;
  const DType type = site.type;
  const std::int64_t count = values_of(site);
  const Kind kind = op.kind;
  const bool relu = kind == Kind::sum && site.relu_follows;
  const auto inputs = static_cast<int>(site.inputs.size());
  std::array<int, kMostInputs> wanted{};
  std::size_t targets = 0;
  for (int i = 0; i < inputs; ++i) {
    if (site.input_gradient[static_cast<std::size_t>(i)]) wanted[targets++] = i;
  }
  const bool saves = sizes::spec_of(op, site, engine.layouts).saved_bytes > 0;
  // A sum's gradient goes on as it is: its backward pass is never bound.
  return make_layer(op, site, engine, [=](const PassSpec& pass, Memory reads, Memory writes, void*) -> Run {
    Pointers from{};
    if (pass.kind == PassKind::forward) {
      std::copy(reads.begin(), reads.end(), from.begin());
      auto* whose = saves ? static_cast<std::uint8_t*>(writes[1]) : nullptr;
      return [=, to = writes[0]](const StepContext&) {
        combine(queue, type, kind, relu, inputs, from, count, to, whose);
      };
    }
    Targets to{};
    std::copy(writes.begin(), writes.end(), to.begin());
    const void* gradient = reads[0];
    const auto number = static_cast<int>(targets);
    if (kind == Kind::maximum) {
      return [=, whose = static_cast<const std::uint8_t*>(reads[1])](const StepContext&) {
        maximum_gradients(queue, type, number, wanted, to, count, gradient, whose);
      };
    }
    std::copy(reads.begin() + 1, reads.end(), from.begin());
    return [=](const StepContext&) {
      product_gradients(queue, type, inputs, from, number, wanted, to, count, gradient);
    };
  });
}

}  // namespace CONVOY_CUDA_NAMESPACE
