#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "layers/cuda/lower.h"

// The work of a layer that kernel libraries do: which of their kernels runs each pass, and trials that find
// the fastest. The usual way is a library's own first choice; a way is the names of the kernels of forward,
// backward by weights and backward by data, " | " between them.
namespace CONVOY_CUDA_NAMESPACE {

/// Of one layer at one place.
struct LibraryWork {
  /// Tells problems apart: shapes, windows, type, samples, and the cap of scratch.
  std::string problem;
  /// Whether the kernel of backward by weights takes the output's gradient first and the input second.
  bool weights_from_gradient = false;
  std::function<LibraryKernels(const PassSpec& pass, const KernelQuery& query)> find;
};

/// What libraries do of a layer; nullopt for layers of which they do nothing.
std::optional<LibraryWork> library_work(const Site& site, Engine& engine);

/// The convolution of a layer; a deconvolution's is `turned`: from its output to its input.
LibraryWork convolution_work(const ConvolutionGeometry& geometry, bool turned, const Site& site,
                             Engine& engine);
/// The product of a fully connected layer.
LibraryWork product_work(const Site& site, std::int64_t outputs, Engine& engine);
/// The pass of a convolution that does the work of a layer's pass.
ConvolutionPass pass_of(PassKind kind, bool turned);
/// Outputs × inputs, however a fully connected layer's pass multiplies them.
Product product_of(PassKind kind, std::int64_t batch, std::int64_t inputs, std::int64_t outputs);

/// The operand of a pass (0 or 1) that its kernel takes first.
inline std::size_t first_operand(const LibraryWork& work, PassKind kind) {
  return kind == PassKind::backward_weights && work.weights_from_gradient ? 1 : 0;
}

/// The kernel that runs a pass: as Engine::choices says, else the usual one. Null where no library has any.
std::shared_ptr<const LibraryKernel> chosen_kernel(const LibraryWork& work, const PassSpec& pass,
                                                   Engine& engine);

/// Backend::try_kernels of a layer whose passes are `spec`.
std::optional<KernelTrial> try_library_kernels(const LibraryWork& work, const LayerSpec& spec,
                                               KernelTimer& timer);

}  // namespace CONVOY_CUDA_NAMESPACE
