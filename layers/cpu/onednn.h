#pragma once

#include <any>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "layers/core/error.h"
#include "layers/graph/backend.h"

namespace convoy::cpu {

using dnnl::memory;
using Tag = memory::format_tag;
using Dims = memory::dims;
using ArgMap = std::unordered_map<int, memory>;

/// What else than convolutions is made once for a key: the key begins with it (those of convolutions begin
/// with a PassKind).
enum class Once : std::int64_t { batch_norm = -2, reorder_scratch = -1 };

/// Runs `call`; a failure of oneDNN becomes an Error that says what was tried, where, and the library's own
/// words.
template <class Call>
auto checked(const std::string& what, Call&& call) -> decltype(call()) {
  try {
    return call();
  } catch (const dnnl::error& problem) {
    const bool memory_lack = problem.status == dnnl_out_of_memory;
    fail(memory_lack ? ExitCode::does_not_fit : ExitCode::internal, "oneDNN failed on {}: {} (status {}{})",
         what, problem.message, static_cast<int>(problem.status),
         problem.status == dnnl_unimplemented ? ", not implemented for this shape" : "");
  }
}

/// oneDNN's engine and stream, the table that gives layouts their numbers, the choices of kernels, and what
/// was made for layers that are alike.
class Engine {
 public:
  explicit Engine(KernelChoices choices = {})
      : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_), choices_(std::move(choices)) {}

  const dnnl::engine& get() const { return engine_; }
  dnnl::stream& stream() { return stream_; }

  /// The Layout of a memory descriptor; equal descriptors get equal ids.
  Layout layout(const memory::desc& desc);
  const memory::desc& desc(const Layout& layout) const {
    return table_.at(static_cast<std::size_t>(layout.id));
  }

  /// `incoming` when its bytes lie as `wanted` says (shapes that differ by dimensions of 1 count as equal),
  /// otherwise the layout of `wanted`.
  Layout accept(const memory::desc& wanted, const Layout& incoming);

  /// The way chosen for a problem, or null.
  const std::string* choice(const std::string& problem) const {
    const auto found = choices_.find(problem);
    return found == choices_.end() ? nullptr : &found->second;
  }

  /// What `make` gives, made once for a key, which says all that it depends on: networks repeat their layers,
  /// and oneDNN takes most of the time of a plan.
  template <class Value, class Make>
  const Value& once(const std::vector<std::int64_t>& key, Make&& make) {
    std::any& value = made_[key];
    if (!value.has_value()) value = make();
    return *std::any_cast<Value>(&value);
  }

  memory bind(const memory::desc& desc, const void* data) const {
    return {desc, engine_, const_cast<void*>(data)};
  }

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::vector<memory::desc> table_;
  std::unordered_multimap<std::size_t, int> places_;  ///< in the table, by a hash of the descriptor
  std::map<std::vector<std::int64_t>, std::any> made_;
  KernelChoices choices_;
};

/// oneDNN's name of an element type, and back.
memory::data_type data_type_of(DType type);
DType type_of(const memory::desc& desc);

/// Descriptor of an activation as a dense row-major tensor: N×C for vectors, N×C×H×W otherwise.
memory::desc plain_activation(Shape shape, std::int64_t batch, DType type);
/// Descriptor of an activation as N×H×W×C in memory.
memory::desc channels_last_activation(Shape shape, std::int64_t batch, DType type);
/// Descriptor of an activation with the layout left to oneDNN.
memory::desc any_activation(Shape shape, std::int64_t batch, DType type);
/// Descriptor of a parameter in its canonical layout; groups become a leading dimension.
memory::desc canonical_parameter(const ParameterSpec& parameter);
/// The same shape and type, the layout left to oneDNN.
memory::desc any_like(const memory::desc& desc);
/// The same shape and layout with elements of another type.
memory::desc with_type(const memory::desc& desc, DType type);

/// How the fp32 master copy lies of a weight that kernels read as `used`.
struct Master {
  memory::desc desc;
  std::int64_t interleave = 0;  ///< Backend::interleave
};
/// Of a half type whose kernels want pairs of inputs side by side ("16b64a2b"), the master copy has them
/// apart
/// ("16b64a"), as the gradients of such weights come from oneDNN, if it lies in blocks of 16 inputs then and
/// takes as many values. Otherwise, and for fp32, it lies as `used` does.
Master master_of(const memory::desc& used);
memory::desc plain_vector(std::int64_t elements);
/// The same bytes seen as N×C×H×W, or as N×C.
memory::desc as_image(const memory::desc& desc, Shape shape, std::int64_t batch);

/// A oneDNN primitive bound to its memory.
class PrimitiveKernel : public Kernel {
 public:
  PrimitiveKernel(dnnl::stream& stream, dnnl::primitive primitive, ArgMap args, std::string what)
      : stream_(&stream), primitive_(std::move(primitive)), args_(std::move(args)), what_(std::move(what)) {}
  void run(const StepContext&) override {
    checked(what_, [&] { primitive_.execute(*stream_, args_); });
  }

 private:
  dnnl::stream* stream_;
  dnnl::primitive primitive_;
  ArgMap args_;
  std::string what_;
};

/// A kernel from a callable.
template <class Call>
class CallKernel : public Kernel {
 public:
  explicit CallKernel(Call call) : call_(std::move(call)) {}
  void run(const StepContext& context) override { call_(context); }

 private:
  Call call_;
};

template <class Call>
std::unique_ptr<Kernel> make_kernel(Call call) {
  return std::make_unique<CallKernel<Call>>(std::move(call));
}

/// Whether oneDNN multiplies matrices of bf16 by AMX here.
inline bool has_matrix_units() {
  return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_amx) == dnnl_cpu_isa_avx512_core_amx;
}

/// Attributes that every primitive gets: its scratchpad is a tensor of the Program.
dnnl::primitive_attr user_scratchpad();
/// The same, and the result goes through a ReLU when `relu`.
dnnl::primitive_attr user_scratchpad_and(bool relu);

/// True for no implementation, and for oneDNN's reference implementations.
template <class PrimitiveDesc>
bool is_slow(const PrimitiveDesc& pd) {
  return !pd || std::string(pd.impl_info_str()).find("ref") != std::string::npos;  // "ref:any", "lrn_ref:any"
}

/// What oneDNN calls a forward pass that a backward pass follows, or one alone.
inline dnnl::prop_kind forward_purpose(bool training) {
  return training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
}

/// Bytes of a primitive's scratchpad.
template <class PrimitiveDesc>
std::int64_t scratch_of(const PrimitiveDesc& pd) {
  return static_cast<std::int64_t>(pd.scratchpad_desc().get_size());
}

}  // namespace convoy::cpu
