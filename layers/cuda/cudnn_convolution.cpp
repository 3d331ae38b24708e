#include "layers/cuda/cudnn_convolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "layers/cuda/cudnn_descriptor.h"
#include "layers/cuda/library_calls.h"

namespace convoy::cuda {
namespace {

/// Numbers of the tensors in a graph.
enum Tensor : std::int64_t { kInput = 1, kWeights = 2, kOutput = 3 };

cudnnDataType_t cudnn_type(DType type) {
  return type == DType::f32 ? CUDNN_DATA_FLOAT : type == DType::f16 ? CUDNN_DATA_HALF : CUDNN_DATA_BFLOAT16;
}

/// A tensor of four dimensions in the order N, C, H, W (weights: outputs, inputs, height, width) whatever the
/// order in memory.
CudnnDescriptor make_tensor(Tensor id, DType type, const std::vector<std::int64_t>& dims,
                            const std::vector<std::int64_t>& strides, std::int64_t alignment) {
  CudnnDescriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, std::int64_t{id});
  tensor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, cudnn_type(type));
  tensor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, alignment);
  tensor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, dims);
  tensor.set(CUDNN_ATTR_TENSOR_STRIDES, strides);
  tensor.finalize();
  return tensor;
}

/// An image whose pixels are `pixel` values apart; where these are more than the channels, it begins at any
/// multiple of its channels.
CudnnDescriptor make_image(Tensor id, DType type, std::int64_t batch, std::int64_t channels,
                           std::int64_t height, std::int64_t width, std::int64_t pixel) {
  const std::int64_t alignment = std::gcd<std::int64_t>(16, pixel == 0 ? 16 : channels * size_of(type));
  const std::int64_t step = pixel == 0 ? channels : pixel;
  return make_tensor(id, type, {batch, channels, height, width},
                     {height * width * step, 1, width * step, step}, alignment);
}

/// Rows or columns that lie past an input's end: as many as before its begin where that makes no difference.
std::int64_t padding_after(std::int64_t input, std::int64_t output, std::int64_t kernel, std::int64_t stride,
                           std::int64_t dilation, std::int64_t before) {
  const std::int64_t window = (kernel - 1) * dilation + 1;
  if (input + 2 * before >= window && (input + 2 * before - window) / stride + 1 == output) return before;
  return std::max<std::int64_t>((output - 1) * stride + window - input - before, 0);
}

CudnnDescriptor make_window(const ConvolutionGeometry& g) {
  CudnnDescriptor window(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  window.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2});
  window.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  window.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
  window.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {g.padding_y, g.padding_x});
  window.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS,
             {padding_after(g.in_y, g.out_y, g.kernel_y, g.stride_y, g.dilation_y, g.padding_y),
              padding_after(g.in_x, g.out_x, g.kernel_x, g.stride_x, g.dilation_x, g.padding_x)});
  window.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {g.stride_y, g.stride_x});
  window.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {g.dilation_y, g.dilation_x});
  window.finalize();
  return window;
}

/// What the descriptors of the three operations call their attributes.
struct OperationNames {
  cudnnBackendDescriptorType_t type;
  cudnnBackendAttributeName_t window, input, weights, output, alpha, beta;
};

OperationNames names_of(ConvolutionPass pass) {
  switch (pass) {
    case ConvolutionPass::forward:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
    case ConvolutionPass::data:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    default:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
  }
}

/// The tensors of LibraryKernel::bind, in its order.
std::vector<std::int64_t> operands_of(ConvolutionPass pass) {
  switch (pass) {
    case ConvolutionPass::forward:
      return {kInput, kWeights, kOutput};
    case ConvolutionPass::data:
      return {kOutput, kWeights, kInput};
    default:
      return {kInput, kOutput, kWeights};
  }
}

/// A graph of one operation: a pass of a convolution. The number of groups follows from the channels. False
/// where cuDNN has no such thing.
class Operation {
 public:
  Operation(const CudnnTarget& target, ConvolutionPass pass, DType type, const ConvolutionGeometry& g)
      : input_(make_image(kInput, type, g.batch, g.in_channels, g.in_y, g.in_x, g.in_pixel)),
        output_(make_image(kOutput, type, g.batch, g.out_channels, g.out_y, g.out_x, g.out_pixel)),
        weights_(make_weights(type, g)),
        window_(make_window(g)),
        operation_(names_of(pass).type),
        graph_(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR) {
    const OperationNames names = names_of(pass);
    operation_.set(names.window, window_);
    operation_.set(names.input, input_);
    operation_.set(names.weights, weights_);
    operation_.set(names.output, output_);
    operation_.set(names.alpha, 1.F);  // of the type of the sums, fp32, whatever the tensors hold
    operation_.set(names.beta, 0.F);
    supported_ = operation_.try_finalize();
    if (!supported_) return;
    if (target.handle != nullptr) graph_.set_handle(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, target.handle);
    graph_.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation_);
    supported_ = graph_.try_finalize();
  }
  bool supported() const { return supported_; }
  const CudnnDescriptor& graph() const { return graph_; }

 private:
  static CudnnDescriptor make_weights(DType type, const ConvolutionGeometry& g) {
    const std::int64_t inputs = g.in_channels / g.groups;
    return make_tensor(
        kWeights, type, {g.out_channels, inputs, g.kernel_y, g.kernel_x},
        {g.kernel_y * g.kernel_x * inputs, 1, g.kernel_x * inputs, inputs},
        std::gcd<std::int64_t>(
            16, g.in_pixel == 0 ? 16 : g.out_channels * g.kernel_y * g.kernel_x * inputs * size_of(type)));
  }

  CudnnDescriptor input_, output_, weights_, window_, operation_, graph_;
  bool supported_ = false;
};

/// What cuDNN's heuristics name for an operation, the best first.
std::vector<CudnnDescriptor> heuristics(const CudnnTarget& target, const Operation& operation,
                                        cudnnBackendHeurMode_t mode) {
  CudnnDescriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, operation.graph());
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
#if CUDNN_VERSION >= 90800
  if (target.properties != nullptr) heuristic.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *target.properties);
#else
  (void)target;
#endif
  std::vector<CudnnDescriptor> found;
  if (!heuristic.try_finalize()) return found;
  const std::int64_t count = heuristic.count(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR);
  for (std::int64_t i = 0; i < count; ++i) found.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  if (count == 0) return found;
  const std::int64_t filled = heuristic.descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, found);
  while (static_cast<std::int64_t>(found.size()) > filled) found.pop_back();
  return found;
}

/// The engine of a configuration.
CudnnDescriptor engine_of(const CudnnDescriptor& configuration) {
  std::vector<CudnnDescriptor> engine;
  engine.emplace_back(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  configuration.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
  return std::move(engine.front());
}

using NumericalNotes = std::vector<cudnnBackendNumericalNote_t>;
NumericalNotes numerical_notes(const CudnnDescriptor& engine) {
  return engine.values<cudnnBackendNumericalNote_t>(
      CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
}
constexpr auto has = [](const auto& notes, auto note) {
  return std::find(notes.begin(), notes.end(), note) != notes.end();
};

bool is_allowed(const CudnnDescriptor& engine, const NumericalNotes& numerical, DType type, bool tf32) {
  const auto behaviour = engine.values<cudnnBackendBehaviorNote_t>(
      CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE, CUDNN_BEHAVIOR_NOTE_TYPE_COUNT);
  if (has(numerical, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) return false;
  if (has(behaviour, CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION)) return false;
  // To half types: what rounds to TF32 has the note of tensor cores alone.
  if (has(numerical, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)) return false;
  if (has(numerical, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)) return false;
  // Tensor cores take fp32 as TF32. Winograd's large tiles lose digits, and in half types so do all of them.
  if (type == DType::f32)
    return (tf32 || !has(numerical, CUDNN_NUMERICAL_NOTE_TENSOR_CORE)) &&
           !has(numerical, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6) &&
           !has(numerical, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13);
  return !has(numerical, CUDNN_NUMERICAL_NOTE_WINOGRAD) && !has(numerical, CUDNN_NUMERICAL_NOTE_FFT);
}

/// "cuDNN 37 2=1 14=0": the engine, and its knobs.
std::string name_of(const CudnnDescriptor& configuration, const CudnnDescriptor& engine) {
  std::string name = fmt::format("cuDNN {}", engine.integer(CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
  std::vector<CudnnDescriptor> knobs;
  for (int i = 0; i < CUDNN_KNOB_TYPE_COUNTS; ++i) knobs.emplace_back(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
  const std::int64_t count = configuration.descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, knobs);
  for (std::int64_t i = 0; i < count; ++i) {
    const CudnnDescriptor& knob = knobs[static_cast<std::size_t>(i)];
    const auto type =
        knob.values<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1);
    if (type.empty()) continue;
    name += fmt::format(" {}={}", static_cast<int>(type[0]), knob.integer(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
  }
  return name;
}

/// A configuration made ready to run.
struct Plan {
  CudnnDescriptor configuration;
  CudnnDescriptor plan;
};

class CudnnConvolution : public LibraryKernel {
 public:
  CudnnConvolution(cudnnHandle_t handle, ConvolutionPass pass, std::shared_ptr<const Plan> plan,
                   std::string name, bool on_tensor_cores)
      : handle_(handle),
        pass_(pass),
        plan_(std::move(plan)),
        name_(std::move(name)),
        on_tensor_cores_(on_tensor_cores) {}

  std::function<void()> bind(const void* first, const void* second, void* result,
                             void* scratch) const override {
    const auto pack = std::make_shared<CudnnDescriptor>(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack->set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, operands_of(pass_));
    pack->set_pointers(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
                       {const_cast<void*>(first), const_cast<void*>(second), result});
    pack->set_pointers(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {scratch});
    pack->finalize();
    return [handle = handle_, plan = plan_, pack] {
      CONVOY_CUDA(CONVOY_CUDNN(cudnnBackendExecute)(handle, plan->plan.get(), pack->get()));
    };
  }
  std::string name() const override { return name_; }
  bool on_tensor_cores() const override { return on_tensor_cores_; }

 private:
  cudnnHandle_t handle_;
  ConvolutionPass pass_;
  std::shared_ptr<const Plan> plan_;
  std::string name_;
  bool on_tensor_cores_;
};

/// Null where the GPU cannot run it, or it needs more than `scratch`.
std::shared_ptr<const Plan> make_plan(const CudnnTarget& target, CudnnDescriptor configuration,
                                      std::int64_t scratch) {
  CudnnDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
  if (target.handle != nullptr) plan.set_handle(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, target.handle);
#if CUDNN_VERSION >= 90800
  if (target.properties != nullptr) plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *target.properties);
#endif
  if (!plan.try_finalize() || plan.integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE) > scratch)
    return nullptr;
  return std::make_shared<const Plan>(Plan{std::move(configuration), std::move(plan)});
}

}  // namespace

LibraryKernels find_cudnn_convolutions(const CudnnTarget& target, ConvolutionPass pass, DType type,
                                       const ConvolutionGeometry& geometry, const KernelQuery& query) {
  LibraryKernels kernels;
  const Operation operation(target, pass, type, geometry);
  if (!operation.supported()) return kernels;
  std::vector<std::string> seen;
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (CudnnDescriptor& configuration : heuristics(target, operation, mode)) {
      if (kernels.size() >= query.most) return kernels;
      const CudnnDescriptor engine = engine_of(configuration);
      const NumericalNotes notes = numerical_notes(engine);
      if (!is_allowed(engine, notes, type, target.tf32)) continue;
      std::string name = name_of(configuration, engine);
      if (!query.name.empty() && query.name != name) continue;
      if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
      seen.push_back(name);
      if (auto plan = make_plan(target, std::move(configuration), query.scratch))
        kernels.push_back(std::make_shared<CudnnConvolution>(target.handle, pass, std::move(plan),
                                                             std::move(name),
                                                             has(notes, CUDNN_NUMERICAL_NOTE_TENSOR_CORE)));
    }
  }
  return kernels;
}

}  // namespace convoy::cuda
