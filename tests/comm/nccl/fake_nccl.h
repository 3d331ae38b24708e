#pragma once

#include "comm/nccl/nccl_library.h"

namespace convoy {

/// NCCL between threads of this process, for tests: work goes into the streams of fake_cuda, ranks meet
/// there, and sums go in their order. Like communicators that do not block, calls return ncclInProgress and
/// are settled a few questions later, which is when their work is in the stream; a call before that is
/// ncclInvalidUsage. As in NCCL (2.28, init.cc) an abort returns, and a finalize is settled, when no graph
/// has work of the communicator any more. Ranks that meet in different collectives, or of which only some
/// have recorded theirs, end the program.
NcclLibrary fake_nccl();

/// What is to go wrong, in communicators to come and in those that are.
struct FakeNcclFaults {
  int fails_to_join = -1;  ///< a rank whose communicator cannot be made
  int never_joins = -1;    ///< a rank that NCCL waits for in vain
  int fails = -1;          ///< a rank whose communicator has failed, as ncclRemoteError
  int hangs = -1;          ///< a rank whose collectives do not begin
};
void set_faults(const FakeNcclFaults& faults);

}  // namespace convoy
