#include "layers/cuda/kernels/elementwise.h"
#include "layers/cuda/kernels/per_channel.h"
#include "layers/cuda/library_work.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

/// A pass by a library where it has a kernel within the scratch, else by our own loops, `own`.
Run bind_pass(const LibraryWork& work, const PassSpec& pass, Engine& engine, const void* first,
              const void* second, void* result, void* scratch, Run own) {
  const auto kernel = chosen_kernel(work, pass, engine);
  if (kernel == nullptr) return own;
  return [put = kernel->bind(first, second, result, scratch)](const StepContext&) { put(); };
}

Name name_of_kernel(const LibraryWork& work, Engine& engine) {
  return [=, &engine](const PassSpec& pass) {
    const auto kernel = chosen_kernel(work, pass, engine);
    return kernel == nullptr ? "convoy" : kernel->name();
  };
}

/// What a layer with weights runs before bias and ReLU, one function a pass kind.
struct WeightedPasses {
  std::function<Run(const PassSpec&, Memory, Memory, void*)> forward, weights, data;
};

bool has_bias(const Site& site) { return site.layer->parameters.size() > 1; }

/// Runs `passes`, and around them the bias of each channel and the ReLU that the spec promises.
Bind with_bias(const Site& site, Engine& engine, bool relu, WeightedPasses passes) {
  const Queue queue = engine.queue;
  const std::int64_t rows = site.batch * site.output.pixels();
  const std::int64_t channels = site.output.channels;
  const bool bias = has_bias(site);
  return [=, type = site.type](const PassSpec& pass, Memory reads, Memory writes, void* scratch) -> Run {
    if (pass.kind == PassKind::backward_data) return passes.data(pass, reads, writes, scratch);
    if (pass.kind == PassKind::backward_weights) {
      const Run weights = passes.weights(pass, reads, writes, scratch);
      if (!bias) return weights;
      // After the weights, so that the scratch can serve twice.
      return [=, gradient = reads[1], sums = writes[1]](const StepContext& context) {
        weights(context);
        sum_channels(queue, type, rows, channels, gradient, static_cast<float*>(scratch), sums);
      };
    }
    const Run forward = passes.forward(pass, reads, writes, scratch);
    if (!bias && !relu) return forward;
    const auto* added = bias ? static_cast<const float*>(reads[2]) : nullptr;
    return [=, output = writes[0]](const StepContext& context) {
      forward(context);
      add_bias(queue, type, rows, channels, added, relu, output);
    };
  };
}

ConvolutionGeometry geometry_of(const Convolution& op, const Site& site) {
  const Shape in = site.inputs[0];
  const Shape out = site.output;
  return {site.batch,      in.channels,   in.height,     in.width,    out.channels, out.height,
          out.width,       op.kernel_y,   op.kernel_x,   op.stride_y, op.stride_x,  op.padding_top,
          op.padding_left, op.dilation_y, op.dilation_x, op.groups,   false};
}

/// The convolution from its output to its input.
ConvolutionGeometry geometry_of(const Deconvolution& op, const Site& site) {
  const Shape in = site.output;
  const Shape out = site.inputs[0];
  return {site.batch,   in.channels,   in.height,     in.width,    out.channels, out.height,
          out.width,    op.kernel_y,   op.kernel_x,   op.stride_y, op.stride_x,  op.padding_y,
          op.padding_x, op.dilation_y, op.dilation_x, op.groups,   false};
}

ConvolutionGeometry geometry_of(const LocallyConnected& op, const Site& site) {
  const Shape in = site.inputs[0];
  const Shape out = site.output;
  return {site.batch,   in.channels, in.height,   in.width,    out.channels, out.height,
          out.width,    op.kernel_y, op.kernel_x, op.stride_y, op.stride_x,  op.padding_y,
          op.padding_x, 1,           1,           1,           true};
}

template <class Op>
Lowered lower_convolution(const Op& op, const Site& site, Engine& engine, bool turned) {
  const ConvolutionGeometry geometry = geometry_of(op, site);
  const LibraryWork work = convolution_work(geometry, turned, site, engine);
  const auto bind = [=, type = site.type, &engine](const PassSpec& pass, Memory reads, Memory writes,
                                                   void* scratch) {
    const ConvolutionPass kind = pass_of(pass.kind, turned);
    const void* first = reads[first_operand(work, pass.kind)];
    const void* second = reads[1 - first_operand(work, pass.kind)];
    void* result = writes[0];
    const auto own = kind == ConvolutionPass::forward ? convolve
                     : kind == ConvolutionPass::data  ? convolve_gradient
                                                      : convolve_weights;
    return bind_pass(
        work, pass, engine, first, second, result, scratch,
        [=, queue = engine.queue](const StepContext&) { own(queue, type, geometry, first, second, result); });
  };
  const bool relu = !turned && site.relu_follows;
  return make_layer(op, site, engine, with_bias(site, engine, relu, {bind, bind, bind}),
                    name_of_kernel(work, engine));
}

}  // namespace

Lowered lower(const Convolution& op, const Site& site, Engine& engine) {
  return lower_convolution(op, site, engine, false);
}

Lowered lower(const Deconvolution& op, const Site& site, Engine& engine) {
  return lower_convolution(op, site, engine, true);
}

Lowered lower(const FullyConnected& op, const Site& site, Engine& engine) {
  const LibraryWork work = product_work(site, op.outputs, engine);
  const auto bind = [=, type = site.type, batch = site.batch, inputs = site.inputs[0].elements(),
                     outputs = op.outputs,
                     &engine](const PassSpec& pass, Memory reads, Memory writes, void* scratch) {
    const void* first = reads[first_operand(work, pass.kind)];
    const void* second = reads[1 - first_operand(work, pass.kind)];
    void* result = writes[0];
    const Product shape = product_of(pass.kind, batch, inputs, outputs);
    return bind_pass(work, pass, engine, first, second, result, scratch,
                     [=, queue = engine.queue](const StepContext&) {
                       multiply(queue, type, shape, first, second, result);
                     });
  };
  return make_layer(op, site, engine, with_bias(site, engine, site.relu_follows, {bind, bind, bind}),
                    name_of_kernel(work, engine));
}

std::optional<LibraryWork> library_work(const Site& site, Engine& engine) {
  if (engine.libraries == nullptr) return std::nullopt;
  const LayerOp& op = site.layer->op;
  if (const auto* convolution = std::get_if<Convolution>(&op))
    return convolution_work(geometry_of(*convolution, site), false, site, engine);
  if (const auto* deconvolution = std::get_if<Deconvolution>(&op))
    return convolution_work(geometry_of(*deconvolution, site), true, site, engine);
  if (const auto* connected = std::get_if<FullyConnected>(&op))
    return product_work(site, connected->outputs, engine);
  return std::nullopt;
}

/// By our own loops, which read the patches where they lie.
Lowered lower(const LocallyConnected& op, const Site& site, Engine& engine) {
  const ConvolutionGeometry geometry = geometry_of(op, site);
  const Queue queue = engine.queue;
  const std::int64_t values = site.output.elements();
  const bool bias = has_bias(site);
  const auto bind = [=, type = site.type](const PassSpec& pass, Memory reads, Memory writes, void*) -> Run {
    const void* first = reads[0];
    const void* second = reads[1];
    void* result = writes[0];
    if (pass.kind == PassKind::backward_data)
      return [=](const StepContext&) { convolve_gradient(queue, type, geometry, first, second, result); };
    if (pass.kind == PassKind::backward_weights) {
      void* sums = bias ? writes[1] : nullptr;
      return [=](const StepContext&) {
        convolve_weights(queue, type, geometry, first, second, result);
        if (sums != nullptr) sum_samples(queue, type, geometry.batch, values, second, sums);
      };
    }
    const auto* added = bias ? static_cast<const float*>(reads[2]) : nullptr;
    return [=](const StepContext&) {
      convolve(queue, type, geometry, first, second, result);
      if (added != nullptr) add_sample_bias(queue, type, geometry.batch, values, added, result);
    };
  };
  return make_layer(op, site, engine, bind);
}

}  // namespace CONVOY_CUDA_NAMESPACE
