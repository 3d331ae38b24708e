#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "layers/core/host_device.h"

namespace convoy {

/// What a random number is for. Numbers of different purposes are independent. Values are part of the
/// checkpoint contract: never renumber.
enum class Purpose : std::uint32_t {
  initialise = 1,  ///< weights; instance = layer, sample = parameter of the layer, element = weight index
  shuffle = 2,     ///< order of an epoch; step = epoch
  augment = 3,     ///< crop, flip, ...; step = epoch, sample = index in the data set
  dropout = 4,     ///< masks; instance = layer, step = iteration, sample = global position in the batch
  synthetic = 5,   ///< synthetic images and labels; sample = index in the data set
};

/// Four independent 32-bit random words.
struct Random4 {
  std::uint32_t word[4];
};

/// Philox4x32-10 of Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
CONVOY_HD constexpr Random4 philox4x32(Random4 counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * counter.word[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * counter.word[2];
    counter = {{static_cast<std::uint32_t>(product1 >> 32) ^ counter.word[1] ^ key0,
                static_cast<std::uint32_t>(product1),
                static_cast<std::uint32_t>(product0 >> 32) ^ counter.word[3] ^ key1,
                static_cast<std::uint32_t>(product0)}};
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return counter;
}

/// A stream of random numbers that is a pure function of what it is for: no state is carried, so the same
/// (seed, purpose, instance, step, sample, element) gives the same number on any rank, thread or device.
class RandomStream {
 public:
  CONVOY_HD constexpr RandomStream(std::uint64_t seed, Purpose purpose, std::uint32_t instance)
      : key_(mix(mix(seed) ^ ((std::uint64_t{static_cast<std::uint32_t>(purpose)} << 32) | instance))) {}

  /// The four words of block `block` for one sample at one step. `sample` < 2^40, `step` < 2^56.
  CONVOY_HD constexpr Random4 block(std::uint64_t step, std::uint64_t sample, std::uint32_t block) const {
    return philox4x32(counter(step, sample, block), key0(), key1());
  }

  /// What block() hashes, and with which keys: for loops that make many blocks at once.
  CONVOY_HD static constexpr Random4 counter(std::uint64_t step, std::uint64_t sample, std::uint32_t block) {
    return {
        {block, static_cast<std::uint32_t>(sample), static_cast<std::uint32_t>(step),
         static_cast<std::uint32_t>((step >> 32) << 8) | static_cast<std::uint32_t>((sample >> 32) & 0xFF)}};
  }
  CONVOY_HD constexpr std::uint32_t key0() const { return static_cast<std::uint32_t>(key_); }
  CONVOY_HD constexpr std::uint32_t key1() const { return static_cast<std::uint32_t>(key_ >> 32); }

  /// The 32-bit word of element `element` (block element / 4, word element % 4).
  CONVOY_HD constexpr std::uint32_t word(std::uint64_t step, std::uint64_t sample,
                                         std::uint64_t element) const {
    return block(step, sample, static_cast<std::uint32_t>(element / 4)).word[element % 4];
  }

 private:
  /// Finaliser of splitmix64.
  CONVOY_HD static constexpr std::uint64_t mix(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
  }

  std::uint64_t key_;
};

/// Uniform in [0, 1) with 24 bits.
CONVOY_HD constexpr float uniform01(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24F; }

/// Uniform integer in [0, bound), bound > 0, by multiply-shift (bias below bound / 2^32).
CONVOY_HD constexpr std::uint32_t uniform_below(std::uint32_t word, std::uint32_t bound) {
  return static_cast<std::uint32_t>((std::uint64_t{word} * bound) >> 32);
}

/// A standard normal number from two words (Box and Muller 1958).
inline CONVOY_HD float normal(std::uint32_t word0, std::uint32_t word1) {
  const double u = (static_cast<double>(word0) + 1.0) * 0x1p-32;
  const double angle = 6.283185307179586476925 * static_cast<double>(word1) * 0x1p-32;
  return static_cast<float>(std::sqrt(-2.0 * std::log(u)) * std::cos(angle));
}

}  // namespace convoy
