#include "layers/cuda/kernels/elementwise.h"
#include "layers/cuda/kernels/per_channel.h"
#include "layers/cuda/lower.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

/// One pass of a convolution: by a library where it has an algorithm within the scratch, else by our own
/// loops.
Run bind_convolution(Engine& engine, ConvolutionPass pass, DType type, const ConvolutionGeometry& geometry,
                     std::int64_t scratch_bytes, const void* first, const void* second, void* result,
                     void* scratch) {
  if (engine.libraries != nullptr) {
    if (const auto kernel = engine.libraries->convolution(pass, type, geometry, scratch_bytes)) {
      return [=](const StepContext&) { kernel->run(first, second, result, scratch); };
    }
  }
  const auto own = pass == ConvolutionPass::forward ? convolve
                   : pass == ConvolutionPass::data  ? convolve_gradient
                                                    : convolve_weights;
  return [=, queue = engine.queue](const StepContext&) { own(queue, type, geometry, first, second, result); };
}

Run bind_product(Engine& engine, DType type, const Product& shape, std::int64_t scratch_bytes,
                 const void* first, const void* second, void* result, void* scratch) {
  if (engine.libraries != nullptr) {
    if (const auto kernel = engine.libraries->product(type, shape, scratch_bytes)) {
      return [=](const StepContext&) { kernel->run(first, second, result, scratch); };
    }
  }
  return
      [=, queue = engine.queue](const StepContext&) { multiply(queue, type, shape, first, second, result); };
}

std::string name_of_kernel(const std::shared_ptr<LibraryKernel>& kernel) {
  return kernel == nullptr ? "convoy" : kernel->name();
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

/// The pass of a convolution that does the work of a layer's pass; a deconvolution runs the other way round.
ConvolutionPass pass_of(PassKind kind, bool turned) {
  if (kind == PassKind::backward_weights) return ConvolutionPass::weights;
  return (kind == PassKind::forward) != turned ? ConvolutionPass::forward : ConvolutionPass::data;
}

template <class Op>
Lowered lower_convolution(const Op& op, const Site& site, Engine& engine, bool turned) {
  const ConvolutionGeometry geometry = geometry_of(op, site);
  const DType type = site.type;
  const auto bind = [=, &engine](const PassSpec& pass, Memory reads, Memory writes, void* scratch) {
    // A convolution's weights come from its input and its output's gradient: turned, these change places.
    const bool swap = turned && pass.kind == PassKind::backward_weights;
    return bind_convolution(engine, pass_of(pass.kind, turned), type, geometry, pass.scratch_bytes,
                            reads[swap ? 1 : 0], reads[swap ? 0 : 1], writes[0], scratch);
  };
  const bool relu = !turned && site.relu_follows;
  return make_layer(op, site, engine, with_bias(site, engine, relu, {bind, bind, bind}),
                    [=, &engine](const PassSpec& pass) {
                      return engine.libraries == nullptr
                                 ? "convoy"
                                 : name_of_kernel(engine.libraries->convolution(
                                       pass_of(pass.kind, turned), type, geometry, pass.scratch_bytes));
                    });
}

/// Outputs × inputs, however they are multiplied.
Product product_of(PassKind kind, std::int64_t batch, std::int64_t inputs, std::int64_t outputs) {
  switch (kind) {
    case PassKind::backward_weights:  // gradientᵀ · input
      return {outputs, inputs, batch, true, false};
    case PassKind::backward_data:  // gradient · weights
      return {batch, inputs, outputs, false, false};
    default:  // input · weightsᵀ
      return {batch, outputs, inputs, false, true};
  }
}

}  // namespace

Lowered lower(const Convolution& op, const Site& site, Engine& engine) {
  return lower_convolution(op, site, engine, false);
}

Lowered lower(const Deconvolution& op, const Site& site, Engine& engine) {
  return lower_convolution(op, site, engine, true);
}

Lowered lower(const FullyConnected& op, const Site& site, Engine& engine) {
  const DType type = site.type;
  const auto product = [batch = site.batch, inputs = site.inputs[0].elements(), outputs = op.outputs](
                           PassKind kind) { return product_of(kind, batch, inputs, outputs); };
  const auto bind = [=, &engine](const PassSpec& pass, Memory reads, Memory writes, void* scratch) {
    const bool swap = pass.kind == PassKind::backward_weights;
    return bind_product(engine, type, product(pass.kind), pass.scratch_bytes, reads[swap ? 1 : 0],
                        reads[swap ? 0 : 1], writes[0], scratch);
  };
  return make_layer(op, site, engine, with_bias(site, engine, site.relu_follows, {bind, bind, bind}),
                    [=, &engine](const PassSpec& pass) {
                      return engine.libraries == nullptr ? "convoy"
                                                         : name_of_kernel(engine.libraries->product(
                                                               type, product(pass.kind), pass.scratch_bytes));
                    });
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
