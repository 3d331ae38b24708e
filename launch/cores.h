#pragma once

#include "comm/communicator.h"

namespace convoy {

/// Divides the cores of each host among its ranks, so that none fights another for them, and binds this
/// process to its part. Cores that a user or a batch system bound the rank to are kept; the one core to which
/// Open MPI binds the ranks of small jobs unasked is not, since a rank has threads. All ranks must call it.
void share_cores(Communicator& comm);

}  // namespace convoy
