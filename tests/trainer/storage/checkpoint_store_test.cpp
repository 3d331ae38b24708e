#include "trainer/storage/checkpoint_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layers/core/error.h"
#include "tests/trainer/storage/storage_fixture.h"

namespace convoy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class Checkpoints : public StorageTest {
 protected:
  std::string save(const CheckpointStore& store, std::int64_t step, Metadata metadata = {}) {
    const OwnedTensor tensor = checkpoint_tensor(step, 10);
    return store.save(step, std::vector{tensor.view()}, std::move(metadata));
  }
  std::string file(std::int64_t step) const {
    return path(fmt::format("run/checkpoints/step-{:09}.safetensors", step));
  }
  /// A whole file at the place of a step, with any metadata.
  void put(std::int64_t step, const Metadata& metadata) {
    write_safetensors(file(step), std::vector{checkpoint_tensor(step, 10).view()}, metadata);
  }
  static SafetensorsFile read_checkpoint(const std::string& path) {
    return SafetensorsFile(open_checkpoint(path));
  }
  std::string newest_refusal() {
    try {
      store_.newest();
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      return error.what();
    }
  }

  std::string folder_name_ = path("run/checkpoints");
  CheckpointStore store_{folder_name_, 3};
};

TEST_F(Checkpoints, AreNoneBeforeTheFirst) {
  EXPECT_FALSE(store_.newest().has_value());
  EXPECT_THAT(store_.list(), IsEmpty());
  EXPECT_FALSE(fs::exists(folder_name_));
  fs::create_directories(folder_name_);
  EXPECT_FALSE(store_.newest().has_value());
}

TEST_F(Checkpoints, GiveBackTheNewest) {
  save(store_, 5, {{"epoch", "1"}});
  EXPECT_EQ(save(store_, 123, {{"epoch", "2"}}), file(123));
  const auto found = store_.newest();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->path, file(123));
  EXPECT_EQ(found->file.metadata().at("epoch"), "2");
  EXPECT_EQ(found->file.metadata().at("convoy.format"), "1");
  EXPECT_THAT(found->warnings, IsEmpty());
  EXPECT_EQ(SafetensorsFile(found->file).find("weight")->dims, std::vector<std::int64_t>{10});
  EXPECT_EQ(open_checkpoint(file(5)).metadata().at("epoch"), "1");
}

TEST_F(Checkpoints, AreSortedByStepAlsoBeyondNineDigits) {
  for (const std::int64_t step : {std::int64_t{999'999'999}, std::int64_t{1'000'000'000}, std::int64_t{2}})
    save(store_, step);
  EXPECT_THAT(store_.list(), ElementsAre(file(2), file(999'999'999), file(1'000'000'000)));
}

TEST_F(Checkpoints, ArePrunedToKeep) {
  for (int step = 1; step <= 5; ++step) {
    save(store_, step);
    EXPECT_EQ(store_.list().size(), static_cast<std::size_t>(std::min(step, 3)));
  }
  EXPECT_THAT(store_.list(), ElementsAre(file(3), file(4), file(5)));
  save(store_, 5);  // again
  EXPECT_THAT(store_.list(), ElementsAre(file(3), file(4), file(5)));
  // Steps after the saved one belong to a run that went on from elsewhere: they are not ours to remove.
  save(CheckpointStore(folder_name_, 1), 4);
  EXPECT_THAT(store_.list(), ElementsAre(file(4), file(5)));
  EXPECT_THROW(CheckpointStore(folder_name_, 0), Error);
}

TEST_F(Checkpoints, ThatAreBrokenAreSkippedWithAWarning) {
  for (int step = 1; step <= 3; ++step) save(store_, step);
  const std::string text = read_file(file(3));
  write_file(file(3), text.substr(0, text.size() / 2));
  std::string flipped = read_file(file(2));
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  write_file(file(2), flipped);
  const auto found = store_.newest();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->path, file(1));
  EXPECT_THAT(found->warnings, ElementsAre(AllOf(HasSubstr(file(3)), HasSubstr("truncated")),
                                           AllOf(HasSubstr(file(2)), HasSubstr("checksum of its data"))));
}

TEST_F(Checkpoints, ThatAreAllBrokenAreRefused) {
  save(store_, 1);
  put(2, {});  // whole, but no checkpoint
  write_file(file(1), "");
  EXPECT_THAT(newest_refusal(),
              AllOf(HasSubstr(file(1)), HasSubstr(file(2)), HasSubstr("remove them to begin anew")));
}

TEST_F(Checkpoints, OfANewerFormatAreRefusedAndNotSkipped) {
  save(store_, 1);
  put(2, {{"convoy.format", "2"}});
  EXPECT_THAT(newest_refusal(), AllOf(HasSubstr(file(2)), HasSubstr("newer Convoy (checkpoint format 2")));
  EXPECT_THAT(refusal(file(2), read_checkpoint), HasSubstr("newer Convoy"));
  put(3, {});
  EXPECT_THAT(refusal(file(3), read_checkpoint), HasSubstr("not a checkpoint of Convoy"));
}

TEST_F(Checkpoints, LeaveOtherFilesAloneButNotPartialFilesOfTheDead) {
  const pid_t dead = ::fork();
  if (dead == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(dead, nullptr, 0), dead);
  save(store_, 1);
  const std::string alive = file(7) + fmt::format(".partial.{}", ::getppid());
  const std::string gone = file(7) + fmt::format(".partial.{}", dead);
  const std::string ours = file(6) + fmt::format(".partial.{}", ::getpid());
  const std::vector<std::string> others{path("run/checkpoints/notes.txt"),
                                        path("run/checkpoints/step-x.safetensors"),
                                        file(8) + ".partial.",
                                        file(8) + ".partial.1x",
                                        file(8) + ".partial.-1",
                                        alive};
  for (const std::string& name : others) write_file(name, "x");
  write_file(gone, "x");
  write_file(ours, "x");
  save(store_, 2);
  for (const std::string& name : others) EXPECT_TRUE(fs::exists(name)) << name;
  EXPECT_FALSE(fs::exists(gone));
  EXPECT_FALSE(fs::exists(ours));
  EXPECT_THAT(store_.list(), ElementsAre(file(1), file(2)));
}

}  // namespace
}  // namespace convoy::testing
