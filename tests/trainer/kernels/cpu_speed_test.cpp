#include "trainer/kernels/cpu_speed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>

#include "layers/cpu/cold_timer.h"
#include "layers/cpu/cpu_backend.h"
#include "tests/layers/cpu/fake_timer.h"
#include "trainer/planner/plan.h"

namespace convoy::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class Speeds : public testing::Test {
 protected:
  ~Speeds() override { fs::remove_all(base_); }

  std::string base_ = (fs::temp_directory_path() / ("convoy-speeds-" + std::to_string(getpid()))).string();
  std::string folder_ = base_ + "/deep/er";
};

CpuSpeed some() {
  CpuSpeed speed;
  speed.speed = DeviceSpeed{3e11, 5e11, 2.5e10, 2e-6, 6e11, 7e11, 9e10, 4e6, false};
  speed.links[2] = {1e-5, 3e9};
  return speed;
}

TEST_F(Speeds, AreKeptFromOneRunToTheNext) {
  SpeedCache(folder_, "here, 2 threads").put(some());
  const SpeedCache cache(folder_, "here, 2 threads");
  EXPECT_THAT(cache.warnings(), IsEmpty());
  ASSERT_TRUE(cache.known().speed.has_value());
  EXPECT_EQ(*cache.known().speed, *some().speed);
  EXPECT_EQ(cache.known(), some());
  EXPECT_THAT(fs::path(cache.path()).filename().string(), "speed-here-2-threads.json");
}

TEST_F(Speeds, OfOtherConditionsAreOthers) {
  SpeedCache(folder_, "here, 2 threads").put(some());
  EXPECT_FALSE(SpeedCache(folder_, "here, 4 threads").known().speed);
  EXPECT_FALSE(SpeedCache(folder_, "here; 2 threads").known().speed)
      << "even where the file's name is the same";
}

TEST_F(Speeds, WithoutAFolderAreNotKept) {
  SpeedCache cache("", "here");
  cache.put(some());
  EXPECT_EQ(cache.known(), some());
  EXPECT_FALSE(SpeedCache("", "here").known().speed);
}

TEST_F(Speeds, ThatAreDamagedAreAWarning) {
  const std::string good = some().text("here");
  std::vector<std::string> bad{"",
                               "{",
                               "[]",
                               "{\"conditions\": \"here\"}",
                               "{\"conditions\": \"here\", \"links\": 3}",
                               "{\"conditions\": \"here\", \"links\": {\"two\": {}}}"};
  for (const char* value : {"0", "-1", "\"much\"", "null", "1e999"}) {
    std::string text = good;
    const std::size_t at = text.find("\"flops\":") + 8;
    bad.push_back(text.replace(at, text.find(',', at) - at, value));
  }
  for (const std::string& text : bad) {
    SpeedCache(folder_, "here").put(some());
    std::ofstream(SpeedCache(folder_, "here").path()) << text;
    SpeedCache cache(folder_, "here");
    EXPECT_FALSE(cache.known().speed) << text;
    EXPECT_THAT(cache.warnings(), ElementsAre(HasSubstr(cache.path()))) << text;
    cache.put(some());
    EXPECT_EQ(SpeedCache(folder_, "here").known(), some());
  }
}

TEST_F(Speeds, ThatCannotBeWrittenAreAWarning) {
  fs::create_directories(fs::path(folder_).parent_path());
  std::ofstream(folder_) << "a file where the folder should be";
  SpeedCache cache(folder_, "here");
  cache.put(some());
  EXPECT_THAT(cache.warnings(), ElementsAre(HasSubstr("measured again the next time")));
}

TEST(MeasureSpeed, DividesTheWorkByTheTime) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  FakeTimer timer;
  const auto speed = measure_speed(*backend, timer);
  ASSERT_TRUE(speed.has_value());
  // Every pass takes 1 ms: two convolutions of three passes, 16 samples.
  EXPECT_NEAR(speed->flops, 2.0 * 16 * (256 * 1024 * 14 * 14 + 64 * 96 * 25 * 28 * 28) * 3 / 6e-3, 1e6);
  EXPECT_NEAR(speed->window_flops, 2.0 * 16 * (128 * 128 * 28 * 28 + 256 * 256 * 14 * 14) * 9 * 3 / 6e-3,
              1e6);
  EXPECT_NEAR(speed->bytes_per_second, (8.0 * 8 * 64 * 128 * 128 + 20.0 * (4 << 20)) / 2e-3, 1e3);
  EXPECT_GT(speed->launch_seconds, 0);
  EXPECT_GE(speed->cache_bytes_per_second, speed->bytes_per_second);
}

TEST(MeasureSpeed, GivesUpWithoutMemoryAndIsQuickWhenLate) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  FakeTimer timer;
  timer.limit = 1000;
  EXPECT_FALSE(measure_speed(*backend, timer));
  FakeTimer late;
  late.budget = 0;
  EXPECT_TRUE(measure_speed(*backend, late));
  FakeTimer patient;
  EXPECT_TRUE(measure_speed(*backend, patient));
  EXPECT_LT(late.asked.size(), patient.asked.size() / 2);
}

TEST(MeasureSpeed, OfThisMachineIsPlausible) {
  set_cpu_threads(1);
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  ColdTimer timer(0.3, std::int64_t{1} << 30);
  const auto speed = measure_speed(*backend, timer);
  ASSERT_TRUE(speed.has_value());
  EXPECT_GT(speed->flops, 1e8);
  EXPECT_LT(speed->flops, 1e13);
  EXPECT_GT(speed->bytes_per_second, 1e7);
  EXPECT_LT(speed->bytes_per_second, 1e12);
  EXPECT_LT(speed->launch_seconds, 1e-2);
}

TEST(MeasureLink, IsTheSameOnAllRanks) {
  std::mutex mutex;
  std::vector<Link> links;
  run_ranks(3, [&](Communicator& comm) {
    const Link link = measure_link(comm);
    const std::lock_guard lock(mutex);
    links.push_back(link);
  });
  ASSERT_EQ(links.size(), 3U);
  for (const Link& link : links) {
    EXPECT_EQ(link.latency_seconds, links[0].latency_seconds);
    EXPECT_EQ(link.bytes_per_second, links[0].bytes_per_second);
    EXPECT_GT(link.bytes_per_second, 0);
  }
}

TEST_F(Speeds, OfTheLinkAreMeasuredOnceForANumberOfRanks) {
  std::string path;
  const auto remember = [&](int ranks) {
    run_ranks(ranks, [&](Communicator& comm) {
      EXPECT_THAT(remember_link(comm, comm.rank() == 0 ? folder_ : "", 1), IsEmpty());
    });
    return SpeedCache(folder_, cpu_kernel_conditions(ranks)).known().links;
  };
  const auto first = remember(2);
  ASSERT_TRUE(first.contains(2));
  EXPECT_EQ(remember(2).at(2).bytes_per_second, first.at(2).bytes_per_second);
  EXPECT_TRUE(remember(3).contains(3));
  EXPECT_TRUE(remember(1).empty());
}

}  // namespace
}  // namespace convoy::test
