#include "layers/cuda/cublas_product.h"

#include <fmt/format.h>

#include "layers/cuda/library_calls.h"

namespace convoy::cuda {
namespace {

constexpr int kMostAsked = 8;

cudaDataType_t cublas_type(DType type) {
  return type == DType::f32 ? CUDA_R_32F : type == DType::f16 ? CUDA_R_16F : CUDA_R_16BF;
}

/// A matrix as cuBLAS sees it: column by column.
class Matrix {
 public:
  Matrix(DType type, std::int64_t rows, std::int64_t columns) {
    CONVOY_CUDA(CONVOY_CUBLAS(cublasLtMatrixLayoutCreate)(&layout_, cublas_type(type),
                                                          static_cast<std::uint64_t>(rows),
                                                          static_cast<std::uint64_t>(columns), rows));
  }
  ~Matrix() { (void)CONVOY_CUBLAS(cublasLtMatrixLayoutDestroy)(layout_); }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  cublasLtMatrixLayout_t get() const { return layout_; }

 private:
  cublasLtMatrixLayout_t layout_ = nullptr;
};

class Operation {
 public:
  Operation(bool turn_first, bool turn_second, bool tf32) {
    const cublasComputeType_t compute = tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    CONVOY_CUDA(CONVOY_CUBLAS(cublasLtMatmulDescCreate)(&desc_, compute, CUDA_R_32F));
    turn(CUBLASLT_MATMUL_DESC_TRANSA, turn_first);
    turn(CUBLASLT_MATMUL_DESC_TRANSB, turn_second);
  }
  ~Operation() { (void)CONVOY_CUBLAS(cublasLtMatmulDescDestroy)(desc_); }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  cublasLtMatmulDesc_t get() const { return desc_; }

 private:
  void turn(cublasLtMatmulDescAttributes_t which, bool turned) {
    const cublasOperation_t operation = turned ? CUBLAS_OP_T : CUBLAS_OP_N;
    CONVOY_CUDA(CONVOY_CUBLAS(cublasLtMatmulDescSetAttribute)(desc_, which, &operation, sizeof operation));
  }
  cublasLtMatmulDesc_t desc_ = nullptr;
};

class Preference {
 public:
  explicit Preference(std::int64_t scratch) {
    CONVOY_CUDA(CONVOY_CUBLAS(cublasLtMatmulPreferenceCreate)(&preference_));
    set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<std::uint64_t>(scratch));
    // Parts of a sum that are added up apart are rounded to the result's type by the other schemes.
    set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
    // Gradients of half types lie at multiples of 64 bytes in their flat buffer.
    constexpr std::uint32_t kAlignment = 64;
    for (const auto which :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
      set(which, kAlignment);
  }
  ~Preference() { (void)CONVOY_CUBLAS(cublasLtMatmulPreferenceDestroy)(preference_); }
  Preference(const Preference&) = delete;
  Preference& operator=(const Preference&) = delete;
  cublasLtMatmulPreference_t get() const { return preference_; }

 private:
  template <class T>
  void set(cublasLtMatmulPreferenceAttributes_t which, T value) {
    CONVOY_CUDA(
        CONVOY_CUBLAS(cublasLtMatmulPreferenceSetAttribute)(preference_, which, &value, sizeof value));
  }
  cublasLtMatmulPreference_t preference_ = nullptr;
};

/// A product as cuBLASLt sees it. Rows that lie one after another are its columns: it computes
/// Cᵀ = Bᵀ · Aᵀ, for which no matrix moves.
struct Problem {
  Problem(DType type, const Product& p, bool tf32)
      : operation(p.turn_b, p.turn_a, type == DType::f32 && tf32),
        first(type, p.turn_b ? p.k : p.n, p.turn_b ? p.n : p.k),
        second(type, p.turn_a ? p.m : p.k, p.turn_a ? p.k : p.m),
        result(type, p.n, p.m) {}
  Operation operation;
  Matrix first, second, result;
};

template <class T>
T setting(const cublasLtMatmulAlgo_t& algorithm, cublasLtMatmulAlgoConfigAttributes_t which) {
  T value{};
  std::size_t written = 0;
  CONVOY_CUDA(
      CONVOY_CUBLAS(cublasLtMatmulAlgoConfigGetAttribute)(&algorithm, which, &value, sizeof value, &written));
  return value;
}

/// "cuBLASLt 66 20/35/1/0/0/0/0": the algorithm and its settings.
std::string name_of(const cublasLtMatmulAlgo_t& algorithm) {
  return fmt::format("cuBLASLt {} {}/{}/{}/{}/{}/{}/{}",
                     setting<std::int32_t>(algorithm, CUBLASLT_ALGO_CONFIG_ID),
                     setting<std::uint32_t>(algorithm, CUBLASLT_ALGO_CONFIG_TILE_ID),
                     setting<std::uint32_t>(algorithm, CUBLASLT_ALGO_CONFIG_STAGES_ID),
                     setting<std::int32_t>(algorithm, CUBLASLT_ALGO_CONFIG_SPLITK_NUM),
                     setting<std::uint32_t>(algorithm, CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING),
                     setting<std::uint32_t>(algorithm, CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION),
                     setting<std::uint16_t>(algorithm, CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID),
                     setting<std::uint16_t>(algorithm, CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID));
}

class CublasProduct : public LibraryKernel {
 public:
  CublasProduct(cublasLtHandle_t handle, Queue queue, std::shared_ptr<const Problem> problem,
                const cublasLtMatmulHeuristicResult_t& found)
      : handle_(handle),
        queue_(queue),
        problem_(std::move(problem)),
        found_(found),
        name_(name_of(found.algo)) {}

  std::function<void()> bind(const void* a, const void* b, void* c, void* scratch) const override {
    return [=, handle = handle_, queue = queue_, p = problem_, found = found_] {
      const float one = 1;
      const float zero = 0;
      CONVOY_CUDA(CONVOY_CUBLAS(cublasLtMatmul)(
          handle, p->operation.get(), &one, b, p->first.get(), a, p->second.get(), &zero, c, p->result.get(),
          c, p->result.get(), &found.algo, scratch, found.workspaceSize, queue.stream));
    };
  }
  std::string name() const override { return name_; }

 private:
  cublasLtHandle_t handle_;
  Queue queue_;
  std::shared_ptr<const Problem> problem_;
  cublasLtMatmulHeuristicResult_t found_;
  std::string name_;
};

}  // namespace

LibraryKernels find_cublas_products(cublasLtHandle_t handle, Queue queue, DType type, const Product& product,
                                    const KernelQuery& query, bool tf32) {
  LibraryKernels kernels;
  if (product.m < 1 || product.n < 1 || product.k < 1) return kernels;
  const auto problem = std::make_shared<const Problem>(type, product, tf32);
  const Preference preference(query.scratch);
  // One of a name may stand anywhere among them.
  const int most = query.name.empty() ? static_cast<int>(query.most) : kMostAsked;
  std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<std::size_t>(most));
  int count = 0;
  const cublasStatus_t status = CONVOY_CUBLAS(cublasLtMatmulAlgoGetHeuristic)(
      handle, problem->operation.get(), problem->first.get(), problem->second.get(), problem->result.get(),
      problem->result.get(), preference.get(), most, found.data(), &count);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) return kernels;
  CONVOY_CUDA(status);
  for (int i = 0; i < count; ++i) {
    const cublasLtMatmulHeuristicResult_t& one = found[static_cast<std::size_t>(i)];
    if (one.state != CUBLAS_STATUS_SUCCESS) continue;
    auto kernel = std::make_shared<CublasProduct>(handle, queue, problem, one);
    if (query.name.empty() || query.name == kernel->name()) kernels.push_back(std::move(kernel));
  }
  return kernels;
}

}  // namespace convoy::cuda
