#include <gtest/gtest.h>

#include <set>

#include "tests/trainer/data/count_allocations.h"
#include "tests/trainer/data/counting_dataset.h"
#include "tests/trainer/data/data_files.h"
#include "trainer/data/loader.h"

// What the loader promises of its threads: bounded, in order, errors on time, and a clean end at any moment.

namespace convoy {
namespace {

LoaderOptions ring_options(std::int64_t batch, int threads, int ahead) {
  LoaderOptions options;
  options.batch = batch;
  options.threads = threads;
  options.ahead = ahead;
  return options;
}

/// Waits, at most some seconds, until `condition` holds.
bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 5000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return condition();
}

TEST(LoaderRing, ReadsAheadAsFarAsTheRingGoesAndNoFurther) {
  const auto set = std::make_shared<CountingDataset>(1000);
  Loader loader(set, kCountingShape, ring_options(10, 3, 4));
  EXPECT_TRUE(eventually([&] { return loader.statistics().ready == 4; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(set->reads, 40);
  loader.next();  // its batch is still held: no room yet
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(set->reads, 40);
  EXPECT_EQ(loader.statistics().ready, 3);
  loader.next();  // gives back the first
  EXPECT_TRUE(eventually([&] { return set->reads == 50 && loader.statistics().ready == 3; }));
  EXPECT_EQ(loader.statistics().delivered, 2);
}

TEST(LoaderRing, ABatchStaysAsItIsUntilTheNextCall) {
  const auto set = std::make_shared<CountingDataset>(64);
  Loader loader(set, kCountingShape, ring_options(4, 4, 2));
  while (const Batch* batch = loader.next()) {
    const Batch copy = *batch;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_EQ(copy.pixels, batch->pixels);
    EXPECT_EQ(copy.iteration, batch->iteration);
    for (std::int64_t i = 0; i < batch->count; ++i) {
      const auto place = static_cast<std::size_t>(i);
      EXPECT_EQ(batch->pixels[4 * place], CountingDataset::pixel(batch->indices[place], 0));
    }
  }
}

TEST(LoaderRing, BuffersStayWhereTheyAre) {
  LoaderOptions options = ring_options(10, 2, 3);
  options.epochs = 20;
  Loader loader(std::make_shared<CountingDataset>(57), kCountingShape, options);
  std::set<const void*> places;
  while (const Batch* batch = loader.next()) {
    places.insert(batch->pixels.data());
    places.insert(batch->labels.data());
    places.insert(batch->indices.data());
  }
  EXPECT_EQ(places.size(), 9U);
  EXPECT_EQ(loader.memory_bytes(), 3 * 10 * (4 + 4 + 8) + 2 * 4);
}

TEST(LoaderRing, AllocatesNothingOnceItRuns) {
  const DataSource source{.kind = "synthetic", .shape = {3, 20, 20}, .classes = 3, .samples = 101};
  LoaderOptions options = ring_options(10, 1, 3);
  options.epochs = 20;
  options.augmentation = {4, true};
  Loader loader(open_dataset(source, Split::train), source.shape, options);
  loader.next();  // the thread has its scratch image
  const std::int64_t before = allocations();
  EXPECT_GT(before, 0);
  while (loader.next()) continue;
  EXPECT_EQ(allocations(), before);
}

// Shares of a partial batch must not outgrow the buffers: with 5 ranks, rank 2 has 1 of 2 samples but 0 of 3.
TEST(LoaderRing, RanksWithoutASampleGetAnEmptyBatch) {
  LoaderOptions options = ring_options(3, 2, 3);
  options.ranks = 5;
  options.rank = 2;
  options.epochs = 4;
  Loader loader(std::make_shared<CountingDataset>(5), kCountingShape, options);
  for (int epoch = 0; epoch < 4; ++epoch) {
    const Batch* batch = loader.next();
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->count, 0);
    EXPECT_EQ(batch->first, 1);
    EXPECT_EQ(batch->global_samples, 3);
    batch = loader.next();
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->count, 1);
    EXPECT_EQ(batch->global_samples, 2);
    EXPECT_EQ(batch->iteration, 1);
  }
  EXPECT_EQ(loader.next(), nullptr);
  EXPECT_EQ(loader.next(), nullptr);
}

TEST(LoaderRing, AnErrorComesWithTheBatchThatItBroke) {
  for (int threads = 1; threads <= 4; ++threads) {
    const auto set = std::make_shared<CountingDataset>(100);
    set->broken = 57;
    LoaderOptions options = ring_options(10, threads, 8);
    options.shuffle = false;
    Loader loader(set, kCountingShape, options);
    for (int i = 0; i < 5; ++i) {
      const Batch* batch = loader.next();
      ASSERT_TRUE(batch);
      EXPECT_EQ(batch->indices[3], 10 * i + 3);
    }
    for (int i = 0; i < 3; ++i) {
      expect_error(ExitCode::data, {"sample 57 is broken"}, [&] { loader.next(); });
    }
  }
}

TEST(LoaderRing, EndsCleanlyAtAnyMoment) {
  for (int round = 0; round < 200; ++round) {
    const auto set = std::make_shared<CountingDataset>(1000);
    set->microseconds = round % 2 == 0 ? 0 : 50;
    if (round % 3 == 0) set->broken = round;
    LoaderOptions options = ring_options(1 + round % 17, 1 + round % 4, 1 + round % 3);
    options.epochs = 1000000000;
    Loader loader(set, kCountingShape, options);
    try {
      for (int i = 0; i < round % 7; ++i) loader.next();
    } catch (const Error&) {
      continue;
    }
    if (round % 5 == 0) std::this_thread::sleep_for(std::chrono::microseconds(10 * round));
  }
}

// A batch is shared out in pieces: four threads on one batch of slow samples need a quarter of the time.
TEST(LoaderRing, ThreadsShareABatchOfLargeSamples) {
  const DataSource source{.kind = "synthetic", .shape = {3, 200, 200}, .classes = 3, .samples = 8};
  LoaderOptions options = ring_options(8, 4, 1);
  Loader loader(open_dataset(source, Split::train), source.shape, options);
  const Batch* batch = loader.next();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->count, 8);
  EXPECT_EQ(loader.statistics().samples, 8);
  EXPECT_EQ(loader.statistics().bytes, 8 * 120000);
}

TEST(LoaderRing, CountsTheTimeThatTheCallerStoodStill) {
  const auto set = std::make_shared<CountingDataset>(20);
  set->microseconds = 20000;
  Loader loader(set, kCountingShape, ring_options(10, 1, 2));
  loader.next();
  EXPECT_GT(loader.statistics().waited_seconds, 0.010);  // of 0.2 s
  ASSERT_TRUE(eventually([&] { return loader.statistics().ready == 1; }));
  const double before = loader.statistics().waited_seconds;
  loader.next();
  EXPECT_EQ(loader.statistics().waited_seconds, before);
}

TEST(LoaderRing, AnEmptySetHasNoBatches) {
  Loader loader(std::make_shared<CountingDataset>(0), kCountingShape, ring_options(10, 2, 2));
  EXPECT_EQ(loader.iterations_per_epoch(), 0);
  EXPECT_EQ(loader.next(), nullptr);
}

TEST(LoaderRing, RefusesOptionsThatCannotBe) {
  const auto set = std::make_shared<CountingDataset>(20);
  const auto refuse = [&](const std::function<void(LoaderOptions&)>& change, const std::string& part) {
    LoaderOptions options = ring_options(10, 1, 2);
    change(options);
    expect_error(ExitCode::usage, {part}, [&] { Loader(set, kCountingShape, options); });
  };
  refuse([](LoaderOptions& o) { o.batch = 0; }, "batch 0");
  refuse([](LoaderOptions& o) { o.rank = 1; }, "rank 1 of 1");
  refuse([](LoaderOptions& o) { o.threads = 0; }, "0 threads");
  refuse([](LoaderOptions& o) { o.ahead = 0; }, "0 batches ahead");
  refuse([](LoaderOptions& o) { o.start_iteration = 3; }, "iteration 3 of an epoch of 2");
  refuse([](LoaderOptions& o) { o.epochs = std::int64_t{1} << 62; }, "too many");
  expect_error(ExitCode::usage, {"3 x 2 x 2"}, [&] { Loader(set, {3, 2, 2}, ring_options(10, 1, 2)); });
}

}  // namespace
}  // namespace convoy
