#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "trainer/progress.h"

namespace convoy::test {
namespace {

/// What a terminal is shown of a state.
std::string shown(const Progress::State& state) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  {
    Progress progress(out, true);
    std::this_thread::sleep_for(std::chrono::milliseconds(120));  // it is drawn ten times a second
    progress.show(state);
  }
  std::fclose(out);
  const std::string line(text, size);
  std::free(text);
  return line;
}

TEST(ProgressLine, KeepsItsColumnsWhereALossGrowsBeyondAllMeasure) {
  Progress::State state;
  state.epochs = 3;
  state.per_epoch = state.iterations = 100;
  state.loss = 2.302585;
  EXPECT_THAT(shown(state), ::testing::HasSubstr("epoch 1/3  0/100  loss 2.3026  top-1 0.0000  "));
  state.loss = 2e24;
  EXPECT_THAT(shown(state), ::testing::HasSubstr("epoch 1/3  0/100  loss 2.0000e+24  top-1 0.0000  "));
}

}  // namespace
}  // namespace convoy::test
