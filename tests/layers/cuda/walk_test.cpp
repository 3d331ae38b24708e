#include "layers/cuda/kernels/walk.h"

#include <gtest/gtest.h>

#include <random>

namespace convoy::cuda {
namespace {

TEST(Divisor, DividesAsTheProcessorDoes) {
  std::mt19937_64 random(1);
  std::vector<std::int64_t> divisors{(std::int64_t{1} << 31) - 1, std::int64_t{1} << 31,
                                     (std::int64_t{1} << 32) + 1};
  for (std::int64_t d = 1; d < 600; ++d) divisors.push_back(d);
  for (int i = 0; i < 2000; ++i) divisors.push_back(static_cast<std::int64_t>(random() >> (30 + i % 34)) + 1);
  for (const std::int64_t d : divisors) {
    const Divisor divisor(d);
    // As far as n · d is below 2^64.
    const std::uint64_t end =
        std::min(~std::uint64_t{0} / static_cast<std::uint64_t>(d), std::uint64_t{1} << 62);
    std::vector<std::uint64_t> numbers{0, 1, end - 1,
                                       end / static_cast<std::uint64_t>(d) * static_cast<std::uint64_t>(d)};
    for (int i = 0; i < 50; ++i) {
      const std::uint64_t multiple =
          random() % end / static_cast<std::uint64_t>(d) * static_cast<std::uint64_t>(d);
      for (const std::uint64_t n : {multiple, multiple + 1, multiple + static_cast<std::uint64_t>(d) - 1})
        numbers.push_back(n);
    }
    for (const std::uint64_t number : numbers) {
      if (number >= end) continue;
      const auto n = static_cast<std::int64_t>(number);
      ASSERT_EQ(divisor.quotient(n), n / d) << n << " / " << d;
      ASSERT_EQ(divisor.rest(n), n % d) << n << " / " << d;
    }
  }
}

TEST(Images, FindPlacesInTensorsOfMoreThanTwoBillionValues) {
  const Images images(1, 3, 5);
  for (std::int64_t i = 0; i < 60; ++i) {
    const Place at = images.place(i);
    EXPECT_EQ(images.index(at), i);
    EXPECT_EQ(at.c, i % 5);
    EXPECT_EQ(at.x, i / 5 % 3);
    EXPECT_EQ(at.y, 0);
    EXPECT_EQ(at.n, i / 15);
  }
  const Images large(1000, 1001, 513);
  const std::int64_t sample = std::int64_t{1000} * 1001 * 513;
  const Place at = large.place(7 * sample + 3 * 1001 * 513 + 2 * 513 + 1);
  EXPECT_EQ(at.n, 7);
  EXPECT_EQ(at.y, 3);
  EXPECT_EQ(at.x, 2);
  EXPECT_EQ(at.c, 1);
}

}  // namespace
}  // namespace convoy::cuda
