#include "layers/cuda/library_calls.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "layers/core/error.h"

namespace convoy::cuda {
namespace {

/// The library that the headers belong to: where the system looks for it, else where the build found it.
/// Never unloaded.
void* load(const std::string& file) {
  for (const std::string& place : {file, std::string(CONVOY_CUDA_LIBRARIES) + "/" + file}) {
    if (void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
  }
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
