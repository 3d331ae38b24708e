#include "comm/nccl/nccl_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "layers/core/error.h"
#include "layers/device/cuda/load_library.h"

namespace convoy {
namespace {

/// The first with all that is used here: communicators that do not block came with 2.14, and their repairs
/// until this one.
constexpr int kOldest = NCCL_VERSION(2, 18, 1);

void* load() {
  const std::string file = fmt::format("libnccl.so.{}", NCCL_MAJOR);
  if (void* library = load_library(file, CONVOY_NCCL_LIBRARY)) return library;
  fail(ExitCode::usage, "{} cannot be loaded ({})", file, dlerror());
}

template <class Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) fail(ExitCode::usage, "the installed NCCL lacks {}", name);
}

NcclLibrary load_all() {
  void* const handle = load();
  NcclLibrary library;
  find(handle, "ncclGetVersion", library.get_version);
  find(handle, "ncclGetUniqueId", library.get_unique_id);
  find(handle, "ncclCommInitRankConfig", library.init_rank);
  find(handle, "ncclCommGetAsyncError", library.get_async_error);
  find(handle, "ncclCommFinalize", library.finalize);
  find(handle, "ncclCommDestroy", library.destroy);
  find(handle, "ncclCommAbort", library.abort);
  find(handle, "ncclGetErrorString", library.error_string);
  find(handle, "ncclGetLastError", library.last_error);
  find(handle, "ncclAllReduce", library.all_reduce);
  find(handle, "ncclReduceScatter", library.reduce_scatter);
  find(handle, "ncclAllGather", library.all_gather);
  return library;
}

}  // namespace

const NcclLibrary& installed_nccl() {
  static const NcclLibrary library = load_all();
  return library;
}

std::string nccl_version_text(int code) {
  return fmt::format("{}.{}.{}", code / 10000, code % 10000 / 100, code % 100);
}

std::string nccl_problem() {
  try {
    int version = 0;
    if (installed_nccl().get_version(&version) != ncclSuccess) return "NCCL does not tell its version";
    if (version >= kOldest) return "";
    return fmt::format("NCCL {} is older than {}", nccl_version_text(version), nccl_version_text(kOldest));
  } catch (const Error& problem) {
    return problem.what();
  }
}

std::unique_ptr<DeviceCollectives> make_nccl_collectives(CudaDevice& device, Communicator& comm,
                                                         const NcclOptions& options) {
  return make_nccl_collectives(device, comm, options, installed_nccl());
}

}  // namespace convoy
