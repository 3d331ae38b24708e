#pragma once

/// Marks arithmetic that is written once and driven by a loop on the CPU and by a launch on the GPU.
#ifdef __CUDACC__
#define CONVOY_HD __host__ __device__
#else
#define CONVOY_HD
#endif
