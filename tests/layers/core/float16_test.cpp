#include "layers/core/float16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace convoy {
namespace {

std::uint16_t bits_of(Float16 value) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
Float16 of_bits(std::uint16_t bits) {
  Float16 value;
  std::memcpy(static_cast<void*>(&value), &bits, sizeof bits);
  return value;
}

/// By its definition: a sign, 5 bits of exponent, 10 of fraction.
double meaning(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const double sign = bits >> 15 == 0 ? 1 : -1;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

TEST(Float16, MeansWhatItsBitsSay) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = of_bits(half);
    if (std::isnan(meaning(half))) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_TRUE(std::isnan(static_cast<float>(Float16(value)))) << bits;
      continue;
    }
    ASSERT_EQ(static_cast<double>(value), meaning(half)) << bits;
    ASSERT_EQ(bits_of(Float16(value)), half);
  }
}

// Between two neighbours the nearer one, and at the middle the even one.
TEST(Float16, RoundsToTheNearestAndTiesToEven) {
  for (std::uint16_t bits = 0; bits < 0x7bff; ++bits) {
    const double low = meaning(bits);
    const double high = meaning(static_cast<std::uint16_t>(bits + 1));
    const auto middle = static_cast<float>((low + high) / 2);
    const auto even = static_cast<std::uint16_t>(bits % 2 == 0 ? bits : bits + 1);
    ASSERT_EQ(bits_of(Float16(middle)), even) << bits;
    ASSERT_EQ(bits_of(Float16(std::nextafter(middle, 0.F))), bits);
    ASSERT_EQ(bits_of(Float16(std::nextafter(middle, 1e6F))), bits + 1);
    ASSERT_EQ(bits_of(Float16(-middle)), even | 0x8000);
  }
}

TEST(Float16, BecomesInfiniteFrom65520On) {
  EXPECT_EQ(bits_of(Float16(65519.996F)), 0x7bff);
  for (const float large : {65520.F, 65536.F, 1e30F, std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(bits_of(Float16(large)), 0x7c00);
    EXPECT_EQ(bits_of(Float16(-large)), 0xfc00);
  }
}

}  // namespace
}  // namespace convoy
