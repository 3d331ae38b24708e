#include "layers/cuda/library_calls.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "layers/core/error.h"
#include "layers/device/cuda/load_library.h"

namespace convoy::cuda {
namespace {

/// The library that the headers belong to.
void* load(const std::string& file) {
  if (void* library = load_library(file, CONVOY_CUDA_LIBRARIES)) return library;
  fail(ExitCode::internal, "{} cannot be loaded ({}); install it, or put its folder into LD_LIBRARY_PATH",
       file, dlerror());
}

void* find(void* library, const char* name) {
  void* function = dlsym(library, name);
  if (function == nullptr) fail(ExitCode::internal, "the CUDA libraries lack {} ({})", name, dlerror());
  return function;
}

}  // namespace

void* cudnn_function(const char* name) {
  static void* const library = load(fmt::format("libcudnn.so.{}", CUDNN_MAJOR));
  return find(library, name);
}

void* cublas_function(const char* name) {
  static void* const library = load(fmt::format("libcublasLt.so.{}", CUBLAS_VER_MAJOR));
  return find(library, name);
}

}  // namespace convoy::cuda
