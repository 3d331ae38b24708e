#include "layers/device/cpu/host.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace convoy {
namespace {

using Cores = std::vector<int>;

std::vector<CoreClaim> same_claims(std::size_t ranks, const Cores& cores) {
  return std::vector<CoreClaim>(ranks, CoreClaim{"a", cores});
}

TEST(ShareOfCores, DividesThemEvenlyAndUsesAll) {
  const auto claims = same_claims(3, {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(share_of_cores(claims, 0), (Cores{0, 1}));
  EXPECT_EQ(share_of_cores(claims, 1), (Cores{2, 3, 4}));
  EXPECT_EQ(share_of_cores(claims, 2), (Cores{5, 6, 7}));
}

TEST(ShareOfCores, GivesOneEachWhenRanksOutnumberCores) {
  const auto claims = same_claims(3, {4, 5});
  EXPECT_EQ(share_of_cores(claims, 0), Cores{4});
  EXPECT_EQ(share_of_cores(claims, 1), Cores{5});
  EXPECT_EQ(share_of_cores(claims, 2), Cores{4});
}

TEST(ShareOfCores, KeepsWhatABatchSystemDivided) {
  const std::vector<CoreClaim> claims{{"a", {0, 1}}, {"a", {2, 3}}, {"b", {0, 1}}};
  EXPECT_EQ(share_of_cores(claims, 0), (Cores{0, 1}));
  EXPECT_EQ(share_of_cores(claims, 1), (Cores{2, 3}));
  EXPECT_EQ(share_of_cores(claims, 2), (Cores{0, 1}));
}

TEST(ShareOfCores, OfNothingIsNothing) { EXPECT_TRUE(share_of_cores(same_claims(2, {}), 1).empty()); }

TEST(CoreClaim, SurvivesItsText) {
  for (const Cores& cores : {Cores{}, Cores{3}, Cores{0, 5, 17}}) {
    const CoreClaim back = CoreClaim::parse(CoreClaim{"node7", cores}.text());
    EXPECT_EQ(back.host, "node7");
    EXPECT_EQ(back.cores, cores);
  }
}

TEST(BindToCores, MovesThreadsThatRunAlready) {
  const Cores before = allowed_cores();
  ASSERT_FALSE(before.empty());
  Cores seen;
  std::atomic<int> state{0};
  std::thread other([&] {
    state = 1;
    while (state != 2) std::this_thread::yield();
    seen = allowed_cores();
  });
  while (state != 1) std::this_thread::yield();
  EXPECT_TRUE(bind_to_cores({before.back()}));
  state = 2;
  other.join();
  EXPECT_EQ(seen, Cores{before.back()});
  EXPECT_EQ(allowed_cores(), Cores{before.back()});
  EXPECT_TRUE(bind_to_cores(before));
}

TEST(ParentOf, IsTheProcessThatStartedThisOne) { EXPECT_EQ(parent_of(getpid()), getppid()); }

}  // namespace
}  // namespace convoy
