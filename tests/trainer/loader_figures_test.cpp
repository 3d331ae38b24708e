#include "trainer/loader_figures.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "trainer/loader_memory.h"
#include "trainer/planner/inference_plan.h"
#include "trainer/progress.h"

namespace convoy::test {
namespace {

TEST(LoaderFigures, AreOfTheTimeBetweenTwoLooks) {
  LoaderStatistics before;
  before.samples = 100;
  before.busy_seconds = 3;
  before.file_bytes = 1 << 20;
  LoaderStatistics now = before;
  now.ready = 1;
  now.samples += 600;
  now.busy_seconds += 4;  // of two threads: 2 seconds at full speed
  now.file_bytes += 10 << 20;
  const LoaderFigures figures = loader_figures(before, now, 2, 4, 5);
  EXPECT_EQ(figures.decode_rate, 300);
  EXPECT_EQ(figures.bytes_read, 10 << 20);
  EXPECT_EQ(figures.text(), "1/4 batches ready, 2 loader threads prepare 300 images/s, 2.00 MiB/s read");
  EXPECT_EQ(loader_figures(now, now, 1, 4, 1).text(), "1/4 batches ready");
}

TEST(LoaderFigures, TheRankThatWaitsLongestIsKnownToAll) {
  run_ranks(4, [](Communicator& comm) {
    const DataWait found = longest_wait(comm, comm.rank() == 2 ? 0.4 : 0.01 * comm.rank());
    EXPECT_EQ(found.rank, 2);
    EXPECT_EQ(found.share, 0.4);
  });
}

// The planner looks for the batch of an evaluation that fits, and counts the loader's batches with it.
TEST(LoaderMemory, OfASmallerBatchOfEvaluationIsThatOfAPlanThatAsksForIt) {
  const Shape input{3, 64, 48};
  Job job;
  job.data.kind = "image-folder";
  for (const char* crop : {"centre", "ten-crop"}) {
    job.data.test_crop = crop;
    for (const bool training : {true, false}) {
      PlanRequest request;
      request.training = training;
      request.samples = 1000;
      request.batch = 64;
      request.evaluate_batch = 100;
      count_loader(job, input, request);
      const std::int64_t asked = request.loader_bytes;
      for (const std::int64_t size : {1, 9, 10, 55, 100, 230}) {
        PlanRequest changed = request;
        set_evaluate_batch(changed, 100, size);
        PlanRequest other = request;
        other.evaluate_batch = size;
        count_loader(job, input, other);
        EXPECT_EQ(changed.loader_bytes, other.loader_bytes) << crop << ", " << size;
        EXPECT_EQ(changed.loader_bytes < asked, size < 100) << crop << ", " << size;
      }
    }
  }
}

/// What is drawn of a state.
std::string drawn(double wait, const std::string& loader) {
  std::FILE* const file = std::tmpfile();
  {
    Progress progress(file, true);
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    Progress::State state;
    state.epochs = 1;
    state.data_wait_share = wait;
    state.loader = loader;
    progress.show(state);
    std::fflush(file);
  }
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

TEST(Progress, SaysWhenTheLoaderCannotKeepUp) {
  EXPECT_NE(drawn(0.31, "0/4 batches ready").find("waits for data 31% (0/4 batches ready)"),
            std::string::npos);
  EXPECT_NE(drawn(0.03, "rank 3").find("waits for data 3% (rank 3)"), std::string::npos);
  EXPECT_EQ(drawn(0.02, "").find("waits"), std::string::npos);
}

}  // namespace
}  // namespace convoy::test
