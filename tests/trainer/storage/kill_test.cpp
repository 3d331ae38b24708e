#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <random>
#include <thread>

#include "tests/trainer/storage/storage_fixture.h"
#include "trainer/storage/checkpoint_store.h"

namespace convoy::testing {
namespace {

constexpr std::int64_t elements = 200'000;

std::int64_t step_of(const SafetensorsFile& file) { return std::stoll(file.metadata().at("step")); }

/// Saves step after step until somebody kills it.
[[noreturn]] void save_for_ever(const CheckpointStore& store, std::int64_t step) {
  for (;; ++step)
    store.save(step, std::vector{checkpoint_tensor(step, elements).view()}, {{"step", std::to_string(step)}});
}

/// Every element is the step of its checkpoint.
void expect_whole(const SafetensorsFile& file) {
  const TensorView* tensor = file.find("weight");
  ASSERT_NE(tensor, nullptr);
  std::vector<float> values(elements);
  ASSERT_EQ(tensor->data.size(), values.size() * sizeof(float));
  std::memcpy(values.data(), tensor->data.data(), tensor->data.size());
  EXPECT_EQ(values, std::vector<float>(elements, static_cast<float>(step_of(file))));
}

std::size_t partial_files(const std::filesystem::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    count += entry.path().filename().string().find(".partial.") != std::string::npos ? 1U : 0U;
  return count;
}

using KilledWhileSaving = StorageTest;

TEST_F(KilledWhileSaving, AlwaysLeavesAWholeCheckpoint) {
  const CheckpointStore store(folder_.string(), 2);
  store.save(0, std::vector{checkpoint_tensor(0, elements).view()}, {{"step", "0"}});
  std::mt19937 random(7);
  std::int64_t last = 0;
  int hits = 0;
  for (int round = 0; round < 30 || (last == 0 && round < 36); ++round) {
    const unsigned longest = 30'000U << std::max(0, round - 29);  // microseconds; more where the disk is slow
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) save_for_ever(store, last + 1);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % longest));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";

    const auto found = store.newest();
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(found->warnings.empty()) << found->warnings.front();
    const SafetensorsFile file(found->file);
    expect_whole(file);
    EXPECT_GE(step_of(file), last) << "a checkpoint was lost";
    last = step_of(file);
    EXPECT_LE(partial_files(folder_), 1U);  // those of earlier rounds are gone
    hits += static_cast<int>(partial_files(folder_));
  }
  EXPECT_GT(last, 0) << "no child came as far as to save";
  RecordProperty("killed_within_a_write", hits);
  store.save(last + 1, std::vector{checkpoint_tensor(last + 1, elements).view()}, {});
  EXPECT_EQ(partial_files(folder_), 0U);
  EXPECT_EQ(store.list().size(), 2U);  // also those that were killed before they removed the oldest
}

}  // namespace
}  // namespace convoy::testing
