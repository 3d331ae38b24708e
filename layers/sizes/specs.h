#pragma once

#include "layers/sizes/layouts.h"

namespace convoy::sizes {

/// Backend::usual_workspace.
inline constexpr std::int64_t kUsualWorkspace = 64 << 20;

// How each layer runs on a GPU: its passes, what they read and write, and what they may take beside that. One
// function a layer type; std::visit over LayerOp refuses to compile when one is missing. Activations and
// their gradients are dense NHWC of Site::type throughout, so no reorder is ever needed between layers but to
// the fp32 scores of losses. Parameters of kind `weight` come in Site::type, others in fp32; the gradients
// of all parameters are given in Site::type, which is that of the flat gradients.
//
// What a layer's kernels must live within:
//   convolution, deconvolution   scratch of at most Site::workspace_bytes, and never more than the matrix
//                                that an explicit im2col would fill; with none, an implicit algorithm. The
//                                gradient of the bias may take partial sums in its place. Takes a ReLU in its
//                                forward pass.
//   fully connected              cuBLAS's workspace: at most 32 MiB, as NVIDIA advises for Hopper, within the
//                                cap. Takes a ReLU in its forward pass.
//   locally connected            gathers patches for batched products within the cap; with none, reads them
//                                where they lie
//   batch norm                   saves mean and inverse deviation. With a ReLU of its own, backward derives
//                                the signs again from the input, which it reads in any case
//   scale, PReLU                 partial sums of the parameters' gradients
//   LRN                          saves nothing: backward sums the squares again. Within channels it takes one
//                                fp32 map of quotients
//   max pooling                  saves where in its window each maximum was, a byte each (four where a window
//                                has more than 256 pixels); backward gathers, without atomic additions
//   average and L2 pooling, copies, functions of single values   nothing
//   dropout                      nothing: the mask is a hash (Dropout)
//   element-wise maximum         saves a byte a value: whose it was
//   losses                       fp32, the output in the place of the scores; a loss a sample as scratch
LayerSpec spec_of(const Convolution& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Deconvolution& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const LocallyConnected& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const FullyConnected& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Pooling& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Crop& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Upsample& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Nonlinearity& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Prelu& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Clip& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Lrn& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const BatchNorm& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Scale& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Dropout& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Elementwise& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Concat& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const ChannelSlice& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Flatten& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const PadChannels& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Softmax& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const SoftmaxLoss& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const SquaredError& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const Hinge& op, const Site& site, Layouts& layouts);
LayerSpec spec_of(const SigmoidCrossEntropy& op, const Site& site, Layouts& layouts);

/// The layouts of a layer's input and output.
inline Layout input_of(const Site& site, Layouts& layouts, std::size_t index = 0) {
  return layouts.activation(site.inputs[index], site.batch, site.type);
}
inline Layout output_of(const Site& site, Layouts& layouts) {
  return layouts.activation(site.output, site.batch, site.type);
}

/// Whether backward must give the gradient of the layer's first input.
inline bool gives_gradient(const Site& site) { return site.training && site.input_gradient[0]; }

/// Scratch of sums over all pixels, `quantities` of them a channel, that blocks of threads add up apart and
/// one of them then together: the same bits however they are scheduled.
std::int64_t partial_sum_bytes(const Site& site, Shape shape, int quantities);

/// Sums in fp64 into which the squares of so many flat gradients are added up, apart and then together.
constexpr std::int64_t squares_parts(std::int64_t count) {
  constexpr std::int64_t kMostParts = 1 << 16;  // threads enough for a large GPU
  constexpr std::int64_t kEach = 32;            // values a thread, where there are few
  const std::int64_t wanted = (count + kEach - 1) / kEach;
  return wanted < 1 ? 1 : (wanted < kMostParts ? wanted : kMostParts);
}

}  // namespace convoy::sizes
