#include "comm/reduce.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace convoy {
namespace {

TEST(Reduce, GoesFromLeftToRight) {
  // 1e8 swallows a 1 in fp32, so the order shows.
  const std::vector<float> a(5000, 1e8F);
  const std::vector<float> b(5000, -1e8F);
  const std::vector<float> c(5000, 1.0F);
  std::vector<float> out(5000);
  reduce_in_order(std::vector<const void*>{a.data(), b.data(), c.data()}, out.data(), 5000, Element::f32,
                  Reduction::sum);
  EXPECT_EQ(out, std::vector<float>(5000, 1.0F));
  reduce_in_order(std::vector<const void*>{a.data(), c.data(), b.data()}, out.data(), 5000, Element::f32,
                  Reduction::sum);
  EXPECT_EQ(out, std::vector<float>(5000, 0.0F));
}

TEST(Reduce, MayWriteOverOneOfItsParts) {
  for (const std::size_t over : {0U, 1U, 2U}) {
    std::vector<std::vector<double>> parts;
    for (int part = 0; part < 3; ++part) parts.emplace_back(3001, part + 1.0);
    reduce_in_order(std::vector<const void*>{parts[0].data(), parts[1].data(), parts[2].data()},
                    parts[over].data(), 3001, Element::f64, Reduction::sum);
    EXPECT_EQ(parts[over], std::vector<double>(3001, 6.0)) << over;
  }
}

TEST(Reduce, MaxAndMinKeepANaN) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Reduction reduction : {Reduction::max, Reduction::min}) {
    for (int place = 0; place < 3; ++place) {
      std::vector<float> parts{1, 2, 3};
      parts[static_cast<std::size_t>(place)] = nan;
      float out = 0;
      reduce_in_order(std::vector<const void*>{&parts[0], &parts[1], &parts[2]}, &out, 1, Element::f32,
                      reduction);
      EXPECT_TRUE(std::isnan(out)) << place;
    }
  }
}

}  // namespace
}  // namespace convoy
