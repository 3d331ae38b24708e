#include "layers/device/cuda/load_library.h"

#include <dlfcn.h>

namespace convoy {

void* load_library(const std::string& file, const std::string& folder) {
  for (const std::string& place : {file, folder + "/" + file}) {
    if (void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
  }
  return nullptr;
}

}  // namespace convoy
