// The loops of resample_rows.h, included by one source file for each instruction set. Everything is local to
// the including file, and nothing inline of other headers is called: code of a newer instruction set must not
// leak into functions that the linker shares.

#include <cstring>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "trainer/data/resample_rows.h"

namespace convoy {
namespace {

/// N values side by side, as wide as the registers are.
template <int N>
struct Lanes {
  typedef float Float __attribute__((vector_size(4 * N)));
  typedef std::int32_t Int __attribute__((vector_size(4 * N)));
};

/// The lowest byte of each number.
template <int N>
[[gnu::always_inline]] inline void narrow(const typename Lanes<N>::Int& numbers, std::uint8_t* out) {
#ifdef __AVX2__
  const auto pairs = reinterpret_cast<__m256i>(numbers);
  const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm_packus_epi16(words, words));
#else
  for (int i = 0; i < N; ++i) out[i] = static_cast<std::uint8_t>(numbers[i]);
#endif
}

template <int N>
[[gnu::always_inline]] inline void to_bytes(const typename Lanes<N>::Float& sums, std::uint8_t* out) {
  narrow<N>(__builtin_convertvector((sums + 32768.F) * 0x1p-16F, typename Lanes<N>::Int), out);
}

/// N bytes as values. GCC 12 makes single values of such a conversion unless it is told the instruction.
template <int N>
[[gnu::always_inline]] inline void to_values(const std::uint8_t* in, typename Lanes<N>::Float& values) {
#ifdef __AVX2__
  values = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(in))));
#else
  for (int i = 0; i < N; ++i) values[i] = static_cast<float>(in[i]);
#endif
}

/// `bytes` of the four of a pixel may be read or written: what follows the last one may be somebody else's.
template <int N>
[[gnu::always_inline]] inline void load_column(const RowsTask& task, std::size_t x, std::size_t bytes,
                                               float* out) {
  std::uint32_t pixels[kTogether] = {};
  for (std::size_t r = 0; r < kTogether; ++r) std::memcpy(&pixels[r], task.in[r] + 3 * x, bytes);
  std::uint8_t column[kColumn];
  std::memcpy(column, pixels, kColumn);
  for (std::size_t i = 0; i < kColumn; i += N) {
    typename Lanes<N>::Float values;
    to_values<N>(column + i, values);
    std::memcpy(out + i, &values, sizeof(values));
  }
}

template <int N>
[[gnu::always_inline]] inline void resize_pixel(const RowsTask& task, std::size_t x, std::size_t bytes) {
  constexpr std::size_t kParts = kColumn / N;
  const float* column = task.line + kColumn * static_cast<std::size_t>(task.first[x] - task.left);
  const float* weights = task.weights + x * task.count;
  typename Lanes<N>::Float sums[kParts] = {};
  for (std::size_t i = 0; i < task.count; ++i, column += kColumn) {
    for (std::size_t part = 0; part < kParts; ++part) {
      typename Lanes<N>::Float values;
      std::memcpy(&values, column + part * N, sizeof(values));
      sums[part] += values * weights[i];
    }
  }
  std::uint8_t pixels[kColumn];
  for (std::size_t part = 0; part < kParts; ++part) to_bytes<N>(sums[part], pixels + part * N);
  for (std::size_t r = 0; r < kTogether; ++r) std::memcpy(task.out[r] + 3 * x, pixels + 4 * r, bytes);
}

template <int N>
void resize_rows(const RowsTask& task) {
  for (std::size_t x = 0; x + 1 < task.columns; ++x) load_column<N>(task, x, 4, task.line + kColumn * x);
  load_column<N>(task, task.columns - 1, 3, task.line + kColumn * (task.columns - 1));
  for (std::size_t x = 0; x + 1 < task.width; ++x) resize_pixel<N>(task, x, 4);
  resize_pixel<N>(task, task.width - 1, 3);
}

template <int N>
void mix_rows(const std::uint8_t* in, std::size_t bytes, const float* weights, std::size_t count,
              std::uint8_t* out) {
  constexpr std::size_t kBlocks = 4;  // of N sums that stay in registers
  std::size_t at = 0;
  for (; at + kBlocks * N <= bytes; at += kBlocks * N) {
    typename Lanes<N>::Float sums[kBlocks] = {};
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t block = 0; block < kBlocks; ++block) {
        typename Lanes<N>::Float values;
        to_values<N>(in + i * bytes + at + block * N, values);
        sums[block] += values * weights[i];
      }
    }
    for (std::size_t block = 0; block < kBlocks; ++block) to_bytes<N>(sums[block], out + at + block * N);
  }
  for (; at < bytes; ++at) {
    float sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += weights[i] * static_cast<float>(in[i * bytes + at]);
    out[at] = static_cast<std::uint8_t>(static_cast<int>((sum + 32768.F) * 0x1p-16F));
  }
}

}  // namespace
}  // namespace convoy
