#include "layers/core/philox_blocks.h"

#include "layers/core/simd.h"

namespace convoy {
namespace {

constexpr int kBlocks = kRandomWords / 4;

/// philox4x32 of kBlocks counters that differ in their first word alone, a round of all at a time.
CONVOY_SIMD void hash_blocks(Random4 counter, std::uint32_t key0, std::uint32_t key1,
                             std::uint32_t* __restrict words) {
  std::uint32_t a[kBlocks];
  std::uint32_t b[kBlocks];
  std::uint32_t c[kBlocks];
  std::uint32_t d[kBlocks];
  for (int i = 0; i < kBlocks; ++i) {
    a[i] = counter.word[0] + static_cast<std::uint32_t>(i);
    b[i] = counter.word[1];
    c[i] = counter.word[2];
    d[i] = counter.word[3];
  }
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < kBlocks; ++i) {
      const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * a[i];
      const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * c[i];
      a[i] = static_cast<std::uint32_t>(product1 >> 32) ^ b[i] ^ key0;
      b[i] = static_cast<std::uint32_t>(product1);
      c[i] = static_cast<std::uint32_t>(product0 >> 32) ^ d[i] ^ key1;
      d[i] = static_cast<std::uint32_t>(product0);
    }
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  for (int i = 0; i < kBlocks; ++i) {
    words[4 * i] = a[i];
    words[4 * i + 1] = b[i];
    words[4 * i + 2] = c[i];
    words[4 * i + 3] = d[i];
  }
}

}  // namespace

void random_words(const RandomStream& stream, std::uint64_t step, std::uint64_t sample, std::uint64_t first,
                  std::uint32_t* words) {
  hash_blocks(RandomStream::counter(step, sample, static_cast<std::uint32_t>(first / 4)), stream.key0(),
              stream.key1(), words);
}

}  // namespace convoy
