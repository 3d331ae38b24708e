#pragma once

#include "trainer/worker.h"

namespace convoy::test {

/// Of a network of train_here.h: ten iterations, each of which tells its loss.
inline constexpr const char* kGpuJob = R"(samples = 70
test_samples = 20
[train]
batch = 16
epochs = 2
[checkpoint]
every_epochs = 0
[log]
every = 1
)";

/// A rank's GPU, or the processor posing as one: what the test is linked with.
Worker worker_under_test(Communicator& comm);

}  // namespace convoy::test
