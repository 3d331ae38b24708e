#pragma once

#include <nccl.h>

#include <memory>
#include <string>

#include "comm/nccl/nccl.h"

namespace convoy {

/// The calls of NCCL that are made here. The library is loaded when it is asked for, not with the program, so
/// that a machine without it runs all else; tests put another one in its place.
struct NcclLibrary {
  decltype(&::ncclGetVersion) get_version = nullptr;
  decltype(&::ncclGetUniqueId) get_unique_id = nullptr;
  decltype(&::ncclCommInitRankConfig) init_rank = nullptr;
  decltype(&::ncclCommGetAsyncError) get_async_error = nullptr;
  decltype(&::ncclCommFinalize) finalize = nullptr;
  decltype(&::ncclCommDestroy) destroy = nullptr;
  decltype(&::ncclCommAbort) abort = nullptr;
  decltype(&::ncclGetErrorString) error_string = nullptr;
  decltype(&::ncclGetLastError) last_error = nullptr;
  decltype(&::ncclAllReduce) all_reduce = nullptr;
  decltype(&::ncclReduceScatter) reduce_scatter = nullptr;
  decltype(&::ncclAllGather) all_gather = nullptr;
};

/// That of this machine. Error(usage) where it cannot be loaded or lacks a call.
const NcclLibrary& installed_nccl();

/// As make_nccl_collectives, with another library.
std::unique_ptr<DeviceCollectives> make_nccl_collectives(CudaDevice& device, Communicator& comm,
                                                         const NcclOptions& options,
                                                         const NcclLibrary& library);

/// "2.28.9" of NCCL's version code.
std::string nccl_version_text(int code);

}  // namespace convoy
