#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launch/process.h"
#include "tests/trainer/job_folder.h"

namespace convoy::test {
namespace {

using ::testing::HasSubstr;

/// Lines for a job or a network file, and what the message must hold: place and reason.
struct JobMistake {
  std::string lines;
  std::vector<std::string> parts;
};

void expect_refused(const JobFolder& folder, const std::string& job, const JobMistake& mistake) {
  const Ended ended = run(convoy({"train", job, "--run-dir", folder.path("run")}), folder.path(""));
  EXPECT_EQ(ended.code, 2) << mistake.lines;
  for (const std::string& part : mistake.parts) EXPECT_THAT(ended.err, HasSubstr(part)) << mistake.lines;
  EXPECT_EQ(ended.out, "");
  EXPECT_FALSE(std::filesystem::exists(folder.path("run"))) << "nothing is made for a job that cannot be";
}

TEST(JobMistakes, NamePlaceKeyAndTheNearestWord) {
  const JobFolder folder;
  const std::vector<JobMistake> mistakes{
      {"[train]\nbacth = 8\n", {"job.toml:7:1", "bacth", "did you mean \"batch\""}},
      {"[trian]\nbatch = 8\n", {"job.toml:6:", "trian", "train"}},
      {"[train]\nbatch = \"8\"\n", {"job.toml:7:", "batch"}},
      {"[train]\nbatch = 0\n", {"job.toml:7:", "batch"}},
      {"[train]\nbatch = 8\nmicro_batch = 9\n", {"job.toml:8:", "micro_batch"}},
      {"[train]\nclip_norm = nan\n", {"job.toml:7:", "clip_norm"}},
      {"[optimizer]\nmomentum = 1.0\n", {"job.toml:7:", "momentum"}},
      {"[optimizer]\ntype = \"sdg\"\n", {"job.toml:7:", "sgd"}},
      {"[schedule]\ntype = \"cosin\"\n", {"job.toml:7:", "did you mean \"cosine\""}},
      {"[memory]\nlimit = \"4 elephants\"\n", {"job.toml:7:", "4 elephants"}},
      {"[train]\nbatch = 8\nbatch = 9\n", {"job.toml:8:"}},
      {"[train\n", {"job.toml:6:"}},
      {"[train]\nprecision = \"fp8\"\n", {"job.toml:7:", "fp32"}},
  };
  for (const JobMistake& mistake : mistakes) {
    expect_refused(folder, folder.write_job(kTinyNetwork, mistake.lines), mistake);
  }
}

TEST(NetworkMistakes, NamePlaceAndLayer) {
  const JobFolder folder;
  const std::vector<JobMistake> mistakes{
      {"{ name = \"c\", type = \"convolutoin\", outputs = 4, kernel = 3 },",
       {"net.toml:4:", "did you mean \"convolution\""}},
      {"{ name = \"c\", type = \"convolution\", outputs = 4, kernel = 9 },", {"net.toml:4:", "\"c\""}},
      {"{ name = \"c\", type = \"convolution\", outputs = 4, kernel = 3, groups = 3 },",
       {"net.toml:4:", "\"c\"", "groups"}},
      {"{ name = \"c\", type = \"convolution\", outputs = 4, kernal = 3 },", {"net.toml:4:", "kernel"}},
      {"{ name = \"c\", type = \"relu\" }, { name = \"c\", type = \"relu\" },", {"net.toml:4:", "\"c\""}},
      {"{ name = \"c\", type = \"relu\", from = \"nowhere\" },", {"net.toml:4:", "nowhere"}},
      {"{ name = \"c\", type = \"relu\", from = \"d\" }, { name = \"d\", type = \"relu\", from = \"c\" },",
       {"net.toml:4:", "cycle"}},
      {"{ name = \"c\", type = \"dropout\", rate = 1.5 },", {"net.toml:4:", "rate"}},
  };
  for (const JobMistake& mistake : mistakes) {
    const std::string network =
        "name = \"net\"\ninput = { channels = 1, height = 8, width = 8 }\nlayers = [\n" + mistake.lines +
        "\n{ type = \"fully_connected\", outputs = 4 },\n{ type = \"softmax_loss\" },\n]\n";
    expect_refused(folder, folder.write_job(network, ""), mistake);
  }
}

TEST(NetworkMistakes, ANetworkWithoutLossOrWithOtherClassesIsRefused) {
  const JobFolder folder;
  const std::string head = "name = \"net\"\ninput = { channels = 1, height = 8, width = 8 }\nlayers = [\n";
  const std::string body = "{ type = \"fully_connected\", outputs = 4 },\n";
  expect_refused(folder, folder.write_job(head + body + "]\n", ""), {"", {"loss"}});
  expect_refused(folder, folder.write_job(head + body + "{ type = \"softmax_loss\" },\n]\n", "classes = 3\n"),
                 {"", {"4", "3"}});
}

/// What `convoy words` says on its way out with code 2.
std::string refusal(const JobFolder& folder, const std::vector<std::string>& words) {
  const Ended ended = run(convoy(words), folder.path(""));
  EXPECT_EQ(ended.code, 2) << ended.all();
  EXPECT_EQ(ended.out, "");
  return ended.err;
}

TEST(CommandMistakes, AFileOfTheOtherKindIsToldAsSuch) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyNetwork, "");
  EXPECT_THAT(refusal(folder, {"inspect", job}), HasSubstr("job.toml: is a job file"));
  EXPECT_THAT(refusal(folder, {"plan", folder.path("net.toml")}), HasSubstr("net.toml: is a network file"));
}

TEST(CommandMistakes, NamesThatCannotBeAreToldBeforeAnythingIsMade) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyNetwork, "");
  EXPECT_THAT(refusal(folder, {"eval", ""}), HasSubstr("RUN is empty"));
  EXPECT_THAT(refusal(folder, {"train", job, "--run-dir", ""}),
              HasSubstr("--run-dir is empty; give it DIR, or leave it out"));
  EXPECT_THAT(refusal(folder, {"train", job, "--set", "comm.gradients=nccl"}),
              HasSubstr("key \"gradients\": \"nccl\" is for GPUs"));
  EXPECT_THAT(refusal(folder, {"train", job, "--run-dir", folder.path(std::string(300, 'a'))}),
              HasSubstr("cannot make the run folder"));
  std::filesystem::create_directory(folder.path("old"));
  const std::string resume =
      refusal(folder, {"train", job, "--run-dir", folder.path("run"), "--resume", folder.path("old")});
  EXPECT_THAT(resume, HasSubstr("--run-dir " + folder.path("old") + " --resume auto"));
  EXPECT_FALSE(std::filesystem::exists(folder.path("run")));
}

}  // namespace
}  // namespace convoy::test
