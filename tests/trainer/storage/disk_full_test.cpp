#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "layers/core/error.h"
#include "tests/trainer/storage/storage_fixture.h"
#include "trainer/storage/checkpoint_store.h"

namespace convoy::testing {
namespace {

namespace fs = std::filesystem;

/// Mounts a file system of 64 KiB that only this process sees, and that goes with it.
bool mount_small(const std::string& folder) {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=64k") == 0;
}

bool can_mount(const std::string& folder) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(mount_small(folder) ? 0 : 1);
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// Lets no file of this process grow over 64 KiB: a write beyond that fails.
void limit_file_size() {
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{64 << 10, 64 << 10};
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(1);
}

void require(bool condition, const std::string& what) {
  if (condition) return;
  std::cerr << "failed: " << what << std::endl;
  ::_exit(1);
}

std::size_t files_in(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// In a child process in whose folder about 64 KiB can be written: saves small, then too much.
[[noreturn]] void save_until_full(const std::string& folder, const std::string& reason) {
  const CheckpointStore store(folder, 1);
  const auto save = [&](std::int64_t step, std::int64_t elements) {
    store.save(step, std::vector{checkpoint_tensor(step, elements).view()}, {});
  };
  std::string expected = "there is no checkpoint yet";
  for (const std::int64_t step : {0, 1, 2}) {
    try {
      save(10 * step + 9, 100'000);
      require(false, "400 kB were saved");
    } catch (const Error& error) {
      const std::string what = error.what();
      std::cerr << what << std::endl;
      require(error.code() == ExitCode::internal, "exit code");
      require(
          what.find("cannot write " + folder) == 0 && what.find(": " + reason + "; ") != std::string::npos,
          what);
      require(what.ends_with(expected), what + " / " + expected);
    }
    const auto last = store.newest();
    require(files_in(folder) == (last ? 1U : 0U), "a partial file was left");
    save(10 * (step + 1), 1000);  // there is room for this one again
    expected = "the last good checkpoint is " + store.newest()->path;
  }
  ::_exit(0);
}

using FullDiskDeathTest = StorageTest;

TEST_F(FullDiskDeathTest, KeepsTheLastCheckpointAndSaysWhy) {
  if (!can_mount(folder_.string())) GTEST_SKIP() << "this user cannot mount a small file system";
  EXPECT_EXIT(
      {
        require(mount_small(folder_.string()), "mount");
        save_until_full(folder_.string(), "No space left on device");
      },
      ::testing::ExitedWithCode(0), "No space left on device");
}

TEST_F(FullDiskDeathTest, KeepsTheLastCheckpointWhenAFileMayNotGrow) {
  EXPECT_EXIT(
      {
        limit_file_size();
        save_until_full(path("checkpoints"), "File too large");
      },
      ::testing::ExitedWithCode(0), "File too large");
}

}  // namespace
}  // namespace convoy::testing
