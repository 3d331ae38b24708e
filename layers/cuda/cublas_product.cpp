#include "layers/cuda/cublas_product.h"

#include <fmt/format.h>

#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/cuda/library_calls.h"

namespace convoy::cuda {
namespace {

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
  Preference() { CONVOY_CUDA(CONVOY_CUBLAS(cublasLtMatmulPreferenceCreate)(&preference_)); }
  ~Preference() { (void)CONVOY_CUBLAS(cublasLtMatmulPreferenceDestroy)(preference_); }
  Preference(const Preference&) = delete;
  Preference& operator=(const Preference&) = delete;
  template <class T>
  void set(cublasLtMatmulPreferenceAttributes_t which, T value) {
    CONVOY_CUDA(
        CONVOY_CUBLAS(cublasLtMatmulPreferenceSetAttribute)(preference_, which, &value, sizeof value));
  }
  cublasLtMatmulPreference_t get() const { return preference_; }

 private:
  cublasLtMatmulPreference_t preference_ = nullptr;
};

/// Rows that lie one after another are cuBLAS's columns: it computes Cᵀ = Bᵀ · Aᵀ, for which no matrix moves.
class CublasProduct : public LibraryKernel {
 public:
  CublasProduct(cublasLtHandle_t handle, Queue queue, DType type, const Product& p, bool tf32)
      : handle_(handle),
        queue_(queue),
        operation_(p.turn_b, p.turn_a, type == DType::f32 && tf32),
        first_(type, p.turn_b ? p.k : p.n, p.turn_b ? p.n : p.k),
        second_(type, p.turn_a ? p.m : p.k, p.turn_a ? p.k : p.m),
        result_(type, p.n, p.m) {}

  bool choose(std::int64_t scratch) {
    // Gradients of half types lie at multiples of 64 bytes in their flat buffer.
    constexpr std::uint32_t kAlignment = 64;
    Preference preference;
    preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<std::uint64_t>(scratch));
    for (const auto which :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
      preference.set(which, kAlignment);
    int count = 0;
    const cublasStatus_t status = CONVOY_CUBLAS(cublasLtMatmulAlgoGetHeuristic)(
        handle_, operation_.get(), first_.get(), second_.get(), result_.get(), result_.get(),
        preference.get(), 1, &chosen_, &count);
    return status == CUBLAS_STATUS_SUCCESS && count == 1 && chosen_.state == CUBLAS_STATUS_SUCCESS;
  }

  void run(const void* a, const void* b, void* c, void* scratch) override {
    const float one = 1;
    const float zero = 0;
    CONVOY_CUDA(CONVOY_CUBLAS(cublasLtMatmul)(handle_, operation_.get(), &one, b, first_.get(), a,
                                              second_.get(), &zero, c, result_.get(), c, result_.get(),
                                              &chosen_.algo, scratch, chosen_.workspaceSize, queue_.stream));
  }

  std::string name() const override {
    return fmt::format("cuBLASLt, {}", format_bytes(static_cast<std::int64_t>(chosen_.workspaceSize)));
  }

 private:
  cublasLtHandle_t handle_;
  Queue queue_;
  Operation operation_;
  Matrix first_, second_, result_;
  cublasLtMatmulHeuristicResult_t chosen_{};
};

}  // namespace

std::shared_ptr<LibraryKernel> choose_cublas_product(cublasLtHandle_t handle, Queue queue, DType type,
                                                     const Product& product, std::int64_t scratch,
                                                     bool tf32) {
  if (product.m < 1 || product.n < 1 || product.k < 1) return nullptr;
  auto made = std::make_shared<CublasProduct>(handle, queue, type, product, tf32);
  return made->choose(scratch) ? made : nullptr;
}

}  // namespace convoy::cuda
