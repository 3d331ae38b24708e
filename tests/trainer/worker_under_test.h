#pragma once

#include "trainer/worker.h"

namespace convoy::test {

/// A rank's GPU, or the processor posing as one: what the test is linked with.
Worker worker_under_test(Communicator& comm);

}  // namespace convoy::test
