#include <gmock/gmock.h>

#include <algorithm>

#include "launch/job/keys.h"
#include "launch/job/write_job.h"
#include "tests/launch/job/job_files.h"

namespace convoy::test {
namespace {

class ReadJob : public JobFolder {};

TEST_F(ReadJob, LeastJobHasTheDefaults) {
  Job expected;
  expected.network = path("net.toml");
  expected.data.kind = "synthetic";
  EXPECT_EQ(parse(kLeastJob), expected);
}

TEST_F(ReadJob, DefaultsAreTheDocumentedOnes) {
  const Job job;
  EXPECT_EQ(job.seed, 1);
  EXPECT_EQ(job.device, "auto");
  EXPECT_EQ(job.train.batch, 64);
  EXPECT_EQ(job.train.epochs, 10);
  EXPECT_DOUBLE_EQ(job.optimizer.learning_rate, 0.01);
  EXPECT_DOUBLE_EQ(job.optimizer.momentum, 0.9);
  EXPECT_DOUBLE_EQ(job.optimizer.weight_decay, 0.0005);
  EXPECT_EQ(job.schedule.type, "constant");
  EXPECT_EQ(job.memory.limit, "auto");
  EXPECT_EQ(job.comm.bucket, "4MiB");
  EXPECT_EQ(job.checkpoint.keep, 2);
  EXPECT_EQ(job.log.every, 20);
}

TEST_F(ReadJob, EveryDefaultIsWithinItsOwnRange) {
  Job job;
  job.network = path("net.toml");
  job.data.kind = "mnist";
  EXPECT_EQ(parse(job_to_toml(job)), job);
}

TEST_F(ReadJob, ReadsEveryType) {
  const Job job = parse(
      "network = 'net.toml'\nseed = 9223372036854775807\n"
      "[data]\nkind = 'cifar10'\nflip = true\nmean = [125.3, 123, 113.9]\n"
      "[train]\nmicro_batch = 16\nclip_norm = 1\n"
      "[schedule]\ntype = 'multi_step'\nmilestones = [1, 2.5]\n"
      "[memory]\nlimit = '1.5 GiB'\nreserve = 4096\n");
  EXPECT_EQ(job.seed, 9223372036854775807);
  EXPECT_TRUE(job.data.flip);
  EXPECT_EQ(job.data.mean, (std::vector<double>{125.3, 123, 113.9}));
  EXPECT_EQ(job.train.micro_batch, 16);
  EXPECT_EQ(job.train.clip_norm, 1.0);
  EXPECT_EQ(job.schedule.milestones, (std::vector<double>{1, 2.5}));
  EXPECT_EQ(job.memory.limit, "1.5 GiB");
  EXPECT_EQ(job.memory.reserve, "4096");
}

TEST_F(ReadJob, TakesSectionsInline) {
  EXPECT_EQ(parse("network = 'net.toml'\ndata = { kind = 'mnist' }\ntrain.batch = 7\n").train.batch, 7);
}

TEST_F(ReadJob, NetworkIsFoundFromTheJobsFolder) {
  write("job.toml", kLeastJob);
  EXPECT_EQ(read_job(path("job.toml")).network, path("net.toml"));
}

TEST_F(ReadJob, NetworkIsFoundFromTheWorkingFolderFirst) {
  std::filesystem::create_directories(folder_ / "jobs");
  write("jobs/net.toml", "name = \"other\"\n");
  write("jobs/job.toml", kLeastJob);
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  const Job job = read_job("jobs/job.toml");
  std::filesystem::current_path(before);
  EXPECT_EQ(job.network, path("net.toml"));
}

TEST_F(ReadJob, DataRootIsAbsoluteIfItExistsAndElseAsGiven) {
  std::filesystem::create_directories(folder_ / "images");
  EXPECT_EQ(parse(kLeastJob + "root = 'images'\n").data.root, path("images"));
  EXPECT_EQ(parse(kLeastJob + "root = 'not/there'\n").data.root, "not/there");
  EXPECT_EQ(parse(kLeastJob).data.root, "");
}

TEST_F(ReadJob, FilesOfIdxAreBelowRootOrFound) {
  write("images.gz", "");
  EXPECT_EQ(parse(kLeastJob + "images = 'images.gz'\n").data.images, path("images.gz"));
  EXPECT_EQ(parse(kLeastJob + "root = 'r'\nimages = 'images.gz'\n").data.images, "images.gz");
}

TEST_F(ReadJob, MissingFileIsAnError) {
  EXPECT_THROW(
      try { read_job(path("none.toml")); } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::usage);
        EXPECT_THAT(error.what(), testing::HasSubstr("none.toml"));
        throw;
      },
      Error);
}

TEST_F(ReadJob, TenLinesAreEnough) {
  const Job job = parse(
      "network = \"net.toml\"\n"
      "[data]\nkind = \"fashion-mnist\"\n"
      "[train]\nbatch = 128\nepochs = 5\n"
      "[optimizer]\nlearning_rate = 0.05\n"
      "[schedule]\ntype = \"cosine\"\n");
  EXPECT_EQ(job.train.batch, 128);
  EXPECT_EQ(job.schedule.type, "cosine");
}

TEST(JobKeys, AreUniqueAndExplained) {
  std::vector<std::string> names;
  for (const Key& key : job_keys()) {
    names.push_back(key.full_name());
    EXPECT_FALSE(key.help.empty()) << key.full_name();
    EXPECT_EQ(key.help.find('\n'), std::string::npos) << key.full_name();
    EXPECT_NE(key.default_text.empty(), !key.required()) << key.full_name();
    EXPECT_EQ(find_key(key.section, key.name), &key);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace convoy::test
