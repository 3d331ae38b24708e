#pragma once

/// Before a function of plain loops: compiled for several vector widths, chosen when the program starts.
/// Without contraction of multiply and add (standard C++ mode) every width gives the same bits. Sanitizers
/// cannot instrument the choice, so their builds have one version.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define CONVOY_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CONVOY_SIMD
#endif
