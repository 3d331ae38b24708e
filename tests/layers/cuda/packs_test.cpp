#include "layers/cuda/kernels/packs.h"

#include <gtest/gtest.h>

#include <vector>

#include "layers/core/bfloat16.h"
#include "layers/core/float16.h"

namespace convoy::cuda {
namespace {

/// Tells operands and channels apart.
struct Mix {
  float operator()(std::int64_t c, const float (&x)[2]) const {
    return x[0] - 2 * x[1] + 8 * static_cast<float>(c);
  }
};

/// Values that begin `shift` values after a multiple of 16 bytes, with one more on either side.
template <class T>
struct Operand {
  Operand(std::int64_t count, std::int64_t shift, int first)
      : memory(static_cast<std::size_t>(count / Pack<T>::kSize + 3)),
        begin(memory[1].values + shift),
        end(begin + count) {
    for (T* at = begin - 1; at <= end; ++at) *at = T(static_cast<float>((at - begin + first) % 13));
  }
  std::vector<Pack<T>> memory;
  T* begin;
  T* end;
};

template <class T>
void expect_all_values(std::int64_t count, std::int64_t channels, std::int64_t shift, bool in_place) {
  Operand<T> first(count, shift, 1);
  const Operand<T> second(count, 0, 5);
  Operand<T> other(count, shift, 3);
  Operand<T>& to = in_place ? first : other;
  std::vector<float> expected;
  for (std::int64_t i = 0; i < count; ++i)
    expected.push_back(float(T(Mix{}(i % channels, {float(first.begin[i]), float(second.begin[i])}))));
  const float before = to.begin[-1];
  const float after = *to.end;
  const bool aligned = begins_pack(first.begin) && begins_pack(to.begin);
  EXPECT_EQ(aligned, shift % Pack<T>::kSize == 0);
  const MapValues<T, 2, Mix> map{count, Divisor(channels), aligned, {first.begin, second.begin}, to.begin,
                                 Mix{}};
  for (std::int64_t p = 0; p * Pack<T>::kSize < count; ++p) map(p);
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(float(to.begin[i]), expected[i]) << i;
  EXPECT_EQ(float(to.begin[-1]), before);
  EXPECT_EQ(float(*to.end), after);
}

TEST(Packs, CoverAllValuesHoweverManyAndWhereverTheyLie) {
  for (const std::int64_t count : {1, 3, 4, 7, 8, 9, 40, 61}) {
    for (const std::int64_t channels : {1, 3, 8, 20}) {
      for (const std::int64_t shift : {0, 1, 4}) {
        for (const bool in_place : {false, true}) {
          SCOPED_TRACE(testing::Message()
                       << count << " of " << channels << " from " << shift << (in_place ? ", in place" : ""));
          expect_all_values<float>(count, channels, shift, in_place);
          expect_all_values<Float16>(count, channels, shift, in_place);
          expect_all_values<BFloat16>(count, channels, shift, in_place);
        }
      }
    }
  }
}

}  // namespace
}  // namespace convoy::cuda
