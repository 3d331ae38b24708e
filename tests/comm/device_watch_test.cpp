#include "comm/device_watch.h"

#include <gtest/gtest.h>

#include <atomic>

#include "layers/core/clock.h"
#include "layers/core/error.h"

namespace convoy {
namespace {

class Flag : public DeviceMark {
 public:
  bool done() const override {
    if (broken) fail(ExitCode::internal, "the device is gone");
    return set;
  }
  void wait() override {}
  std::atomic<bool> set{false};
  std::atomic<bool> broken{false};
};

class DeviceWatchTest : public ::testing::Test {
 protected:
  void start(double timeout, double grace = 0) {
    watch_ = std::make_unique<DeviceWatch>(DeviceWatch::Limits{timeout, grace},
                                           DeviceWatch::Calls{[this] { ++entered_; },
                                                              [this] {
                                                                const std::lock_guard lock(mutex_);
                                                                return trouble_;
                                                              },
                                                              [this](const std::string& problem) {
                                                                const std::lock_guard lock(mutex_);
                                                                problem_ = problem;
                                                                ++given_up_;
                                                              }});
  }
  std::shared_ptr<Flag> add(const std::string& name, std::int64_t iteration,
                            std::shared_ptr<Flag> begun = nullptr) {
    auto done = std::make_shared<Flag>();
    watch_->add({name, iteration, std::move(begun), done});
    return done;
  }
  /// What it gave up for within `seconds`, "" when it did not.
  std::string problem(double seconds) {
    for (const auto start = Clock::now(); seconds_since(start) < seconds && given_up_ == 0;)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const std::lock_guard lock(mutex_);
    return problem_;
  }

  std::mutex mutex_;
  std::string trouble_, problem_;
  std::atomic<int> entered_{0}, given_up_{0};
  std::unique_ptr<DeviceWatch> watch_;
};

TEST_F(DeviceWatchTest, LeavesAloneWhatIsDoneInTime) {
  start(0.3);
  for (int i = 0; i < 8; ++i) {
    const auto done = add("bucket", i);
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    done->set = true;
  }
  EXPECT_EQ(problem(0.5), "");
  EXPECT_EQ(entered_, 1);
}

TEST_F(DeviceWatchTest, NamesWhatIsNotDone) {
  start(0.2);
  const auto first = add("bucket 1", 6);
  add("bucket 2", 7);
  first->set = true;
  EXPECT_EQ(problem(10), "bucket 2 of step 7 is not done after 0.2 s (comm.timeout_seconds)");
  watch_.reset();
  EXPECT_EQ(given_up_, 1);
}

TEST_F(DeviceWatchTest, CountsFromWhenAnOperationBegan) {
  start(0.2);
  const auto begun = std::make_shared<Flag>();
  add("bucket 1", 6, begun);
  EXPECT_EQ(problem(0.8), "");
  begun->set = true;
  EXPECT_NE(problem(10), "");
}

TEST_F(DeviceWatchTest, TellsWhatTheLibrarySays) {
  start(60);
  add("bucket 1", 6);
  EXPECT_EQ(problem(0.2), "");
  {
    const std::lock_guard lock(mutex_);
    trouble_ = "connection lost";
  }
  EXPECT_EQ(problem(10), "bucket 1 of step 6: connection lost");
}

// A program that has failed by itself says so, and one that was done is not ended.
TEST_F(DeviceWatchTest, GivesWayToWhoEndsItWithinTheGrace) {
  start(0.1, 0.3);
  add("bucket 1", 6);
  EXPECT_NE(problem(10), "");
  start(0.1, 30);
  given_up_ = 0;
  problem_ = "";
  add("bucket 1", 6);
  EXPECT_EQ(problem(0.5), "");
  const auto before = Clock::now();
  watch_.reset();
  EXPECT_LT(seconds_since(before), 10);
  EXPECT_EQ(problem(0), "");
}

// Whoever works with the device hears of it, with better words.
TEST_F(DeviceWatchTest, LeavesABrokenDeviceToOthers) {
  start(0.2);
  add("bucket 1", 6)->broken = true;
  EXPECT_EQ(problem(0.6), "");
}

}  // namespace
}  // namespace convoy
