#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "layers/core/error.h"
#include "trainer/kernels/kernel_cache.h"

namespace convoy::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

const KernelTrials kOne{
    {"fp32 \"odd\" problem, batch 16", {"usual", "other", {{"usual", 2e-3}, {"other", 1e-3}}}}};
const KernelTrials kTwo{{"second", {"usual", "usual", {}}}};

class Cache : public testing::Test {
 protected:
  ~Cache() override { fs::remove_all(base_); }
  void damage(const std::string& text) const { std::ofstream(KernelCache(folder_, "here").path()) << text; }

  std::string base_ = (fs::temp_directory_path() / ("convoy-kernels-" + std::to_string(getpid()))).string();
  std::string folder_ = base_ + "/deep/er";
};

TEST_F(Cache, KeepsWhatIsAdded) {
  KernelCache(folder_, "here").add(kOne);
  KernelCache(folder_, "here").add(kTwo);
  const KernelCache cache(folder_, "here");
  EXPECT_THAT(cache.warnings(), IsEmpty());
  KernelTrials both = kOne;
  both.insert(kTwo.begin(), kTwo.end());
  EXPECT_EQ(cache.trials(), both);
}

TEST_F(Cache, OfOtherConditionsIsAnother) {
  KernelCache(folder_, "oneDNN 2.6.3, 2 threads").add(kOne);
  EXPECT_THAT(KernelCache(folder_, "oneDNN 2.6.3, 4 threads").trials(), IsEmpty());
  // Even where the file's name is the same.
  EXPECT_THAT(KernelCache(folder_, "oneDNN 2.6.3; 2 threads").trials(), IsEmpty());
}

TEST_F(Cache, WhatTwoProcessesAddIsAllThere) {
  KernelCache first(folder_, "here");
  KernelCache second(folder_, "here");
  first.add(kOne);
  second.add(kTwo);
  EXPECT_EQ(KernelCache(folder_, "here").trials().size(), 2U);
}

TEST_F(Cache, ThatIsDamagedIsAWarningAndIsWrittenAnew) {
  for (const char* text :
       {"", "{", "[1]", "{\"conditions\": \"here\"}", "{\"conditions\": 3, \"problems\": {}}",
        "{\"conditions\": \"here\", \"problems\": {\"p\": {\"usual\": 1}}}", "\0\1\2"}) {
    KernelCache(folder_, "here").add(kOne);
    damage(text);
    KernelCache cache(folder_, "here");
    EXPECT_THAT(cache.trials(), IsEmpty());
    EXPECT_THAT(cache.warnings(), ElementsAre(HasSubstr(cache.path()))) << text;
    cache.add(kTwo);
    EXPECT_EQ(KernelCache(folder_, "here").trials(), kTwo);
  }
}

TEST_F(Cache, ThatCannotBeWrittenIsAWarning) {
  fs::create_directories(fs::path(folder_).parent_path());
  std::ofstream(folder_) << "a file where the folder should be";
  KernelCache cache(folder_, "here");
  cache.add(kOne);
  EXPECT_THAT(cache.warnings(), ElementsAre(HasSubstr("measured again the next time")));
  EXPECT_EQ(cache.trials(), kOne);
}

TEST_F(Cache, LiesWhereTheEnvironmentSays) {
  const auto folder = [](const char* own, const char* caches, const char* home) {
    setenv("CONVOY_CACHE", own, 1);
    setenv("XDG_CACHE_HOME", caches, 1);
    setenv("HOME", home, 1);
    return kernel_cache_folder();
  };
  EXPECT_EQ(folder("/a", "/b", "/c"), "/a");
  EXPECT_EQ(folder("", "/b", "/c"), "/b/convoy");
  EXPECT_EQ(folder("", "", "/c"), "/c/.cache/convoy");
  EXPECT_EQ(folder("", "", ""), "");
}

}  // namespace
}  // namespace convoy::test
