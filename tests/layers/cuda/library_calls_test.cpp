#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/core/error.h"
#include "layers/cuda/cuda_backend.h"
#include "layers/cuda/library_calls.h"

namespace convoy {
namespace {

// Needs the libraries, but no GPU.
TEST(LibraryCalls, FindTheLibrariesOfTheHeaders) {
  EXPECT_THAT(cuda_library_versions(), testing::HasSubstr("cuDNN " + std::to_string(CUDNN_MAJOR) + "."));
}

TEST(LibraryCalls, NameTheFunctionThatIsMissing) {
  try {
    cuda::cublas_function("cublasLtNothing");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("cublasLtNothing"));
  }
}

}  // namespace
}  // namespace convoy
