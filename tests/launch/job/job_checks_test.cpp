#include <gmock/gmock.h>

#include "tests/launch/job/job_files.h"

namespace convoy::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class JobChecks : public JobFolder {};

TEST_F(JobChecks, NetworkIsRequired) {
  EXPECT_EQ(
      refusal("[data]\nkind = 'mnist'\n"),
      "job.toml: job: key \"network\" is missing; write for example: network = \"configs/nets/lenet.toml\"");
  EXPECT_THAT(refusal("network = ''\n[data]\nkind = 'mnist'\n"),
              StartsWith("job.toml:1:11: job: key \"network\""));
}

TEST_F(JobChecks, KindIsRequired) {
  EXPECT_EQ(refusal("network = 'net.toml'\n"),
            "job.toml: [data]: key \"kind\" is missing; write for example below [data]: kind = \"mnist\"");
}

TEST_F(JobChecks, NetworkMustExist) {
  EXPECT_THAT(refusal("network = 'nets/lenet.toml'\n[data]\nkind = 'mnist'\n"),
              AllOf(StartsWith("job.toml:1:11: job: key \"network\": there is no file \"nets/lenet.toml\""),
                    HasSubstr("working folder"), HasSubstr("folder of the job file")));
  EXPECT_THAT(refusal("network = '/no/such/net.toml'\n[data]\nkind = 'mnist'\n"),
              HasSubstr("there is no file \"/no/such/net.toml\""));
}

TEST_F(JobChecks, MicroBatchIsNotLargerThanBatch) {
  EXPECT_THAT(refusal(kLeastJob + "[train]\nmicro_batch = 65\n"),
              StartsWith("job.toml:6:15: [train]: key \"micro_batch\": 65 is larger than batch (64)"));
  EXPECT_EQ(refusal(kLeastJob + "[train]\nmicro_batch = 64\n"), "");
}

TEST_F(JobChecks, MilestonesAscend) {
  const std::string job = kLeastJob + "[schedule]\ntype = 'multi_step'\n";
  EXPECT_THAT(
      refusal(job + "milestones = [30, 60, 60]\n"),
      StartsWith("job.toml:7:14: [schedule]: key \"milestones\": must ascend, but 60 is followed by 60"));
  EXPECT_THAT(refusal(job + "milestones = [30, 20]\n"), HasSubstr("30 is followed by 20"));
  EXPECT_EQ(refusal(job + "milestones = [30, 60.5]\n"), "");
}

TEST_F(JobChecks, MultiStepNeedsMilestones) {
  EXPECT_THAT(
      refusal(kLeastJob + "[schedule]\ntype = 'multi_step'\n"),
      StartsWith("job.toml: [schedule]: key \"milestones\": is missing; type = \"multi_step\" needs it"));
}

TEST_F(JobChecks, MeanAndDeviationHaveOneValueForEachChannel) {
  EXPECT_THAT(refusal(kLeastJob + "mean = [1, 2, 3]\ndeviation = [1, 2]\n"),
              StartsWith("job.toml:6:13: [data]: key \"deviation\": has 2 values, but mean has 3"));
  EXPECT_EQ(refusal(kLeastJob + "mean = [1, 2, 3]\n"), "");
}

TEST_F(JobChecks, MeanIsOfPixelsUpTo255) {
  EXPECT_THAT(refusal(kLeastJob + "mean = [0.485, 0.456, 0.406]\ndeviation = [0.229, 0.224, 0.225]\n"),
              AllOf(StartsWith("job.toml:5:8: [data]: key \"mean\""), HasSubstr("multiply by 255")));
  EXPECT_EQ(refusal(kLeastJob + "mean = [0]\ndeviation = [256]\n"), "");
}

const char* const kOwnVectors = "colour_eigenvectors = [0.6, -0.8, 0, 0.8, 0.6, 0, 0, 0, 1]\n";

TEST_F(JobChecks, ColourComponentsAreEigenvaluesAndEigenvectors) {
  const std::string values = "colour_eigenvalues = [0.2, 0.02, 0]\n";
  const auto refused = [&](const std::string& more, const std::string& start, const std::string& part) {
    EXPECT_THAT(refusal(kLeastJob + more), AllOf(StartsWith("job.toml:" + start), HasSubstr(part)));
  };
  const std::string of_values = "5:22: [data]: key \"colour_eigenvalues\": ";
  const std::string of_vectors = "6:23: [data]: key \"colour_eigenvectors\": ";
  const auto vectors = [&](const std::string& list) {
    return values + "colour_eigenvectors = " + list + "\n";
  };
  EXPECT_EQ(refusal(kLeastJob + values + kOwnVectors), "");
  EXPECT_EQ(refusal(kLeastJob + vectors("[0.58, 0.58, 0.58, -0.71, 0, 0.71, 0.41, -0.82, 0.41]")), "");
  refused(std::string("colour_eigenvalues = [0.2, 0.02]\n") + kOwnVectors, of_values, "has 2; it takes 3");
  refused(std::string("colour_eigenvalues = [0.2, -0.02, 0]\n") + kOwnVectors, of_values,
          "-0.02 is out of range");
  refused(std::string("colour_eigenvalues = [0.2, nan, 0]\n") + kOwnVectors, of_values,
          "nan is out of range");
  refused(std::string("colour_eigenvalues = [14143, 1222, 292]\n") + kOwnVectors, of_values,
          "add up to 15657 and look like pixels in 0 to 255, divide by 65025");
  refused(vectors("[1, 0, 0, 0, 1, 0]"), of_vectors, "has 6; it takes 9");
  refused(vectors("[1, 0, 0, 0, inf, 0, 0, 0, 1]"), of_vectors, "inf is out of range");
  refused(vectors("[1, 0, 0, 0, 0.9, 0, 0, 0, 1]"), of_vectors,
          "eigenvector 2, [0, 0.9, 0], has the length 0.9; it must be 1");
  refused(vectors("[1, 0, 0, 0, 1, 0, 0, 0.6, 0.8]"), of_vectors,
          "eigenvectors 2, [0, 1, 0], and 3, [0, 0.6, 0.8], have the product 0.6; they must be orthogonal");
  refused(vectors("[[1, 0, 0], [0, 1, 0], [0, 0, 1]]"), of_vectors, "found an array in it");
}

TEST_F(JobChecks, ColourComponentsGoTogether) {
  const std::string values = "colour_eigenvalues = [0.2, 0.02, 0]\n";
  EXPECT_THAT(refusal(kLeastJob + values),
              AllOf(StartsWith("job.toml:5:22: [data]: key \"colour_eigenvalues\": goes with "
                               "colour_eigenvectors: give both"),
                    HasSubstr("convoy data mean")));
  EXPECT_THAT(refusal(kLeastJob + kOwnVectors), HasSubstr("key \"colour_eigenvectors\": goes with"));
  EXPECT_EQ(refusal(kLeastJob + "colour_eigenvalues = []\ncolour_eigenvectors = []\n"), "");
  EXPECT_THAT(refusal(kLeastJob + values + "colour_eigenvectors = []\n"),
              StartsWith("job.toml:6:23: [data]: key \"colour_eigenvectors\": is empty, but"));
  EXPECT_THAT(refusal(kLeastJob + "colour_eigenvalues = []\n" + kOwnVectors),
              HasSubstr("key \"colour_eigenvalues\": is empty, but colour_eigenvectors is not"));
  EXPECT_EQ(refusal(kLeastJob + values + kOwnVectors, {"data.colour_eigenvalues=[0.3, 0, 0]"}), "");
  EXPECT_THAT(refusal(kLeastJob, {"data.colour_eigenvalues=[0.3, 0, 0]"}),
              StartsWith("--set \"data.colour_eigenvalues=[0.3, 0, 0]\": [data]: key"));
}

TEST_F(JobChecks, IdxNeedsItsFiles) {
  const std::string job = "network = 'net.toml'\n[data]\nkind = 'idx'\n";
  EXPECT_THAT(refusal(job), StartsWith("job.toml: [data]: key \"images\": is missing; kind = \"idx\" needs"));
  EXPECT_THAT(refusal(job + "root = 'r'\nimages = 'i'\n"), HasSubstr("key \"labels\": is missing"));
  const std::string both = job + "images = 'i'\nlabels = 'l'\n";
  EXPECT_THAT(refusal(both), HasSubstr("key \"test_images\": is missing"));
  EXPECT_THAT(refusal(both + "test_images = 't'\n"), HasSubstr("key \"test_labels\": is missing"));
  EXPECT_EQ(refusal(both + "test_images = 't'\ntest_labels = 'u'\n"), "");
  EXPECT_EQ(refusal(job + "root = 'r'\n"), "");
}

TEST_F(JobChecks, ImagesOfAnySizeAreResized) {
  const std::string job = "network = 'net.toml'\n[data]\nkind = 'image-folder'\n";
  EXPECT_EQ(refusal(job), "");
  EXPECT_EQ(refusal(job + "crop = 'random'\nshorter_side = 256\n"), "");
  EXPECT_THAT(refusal(job + "crop = 'window'\n"),
              AllOf(StartsWith("job.toml:4:8: [data]: key \"crop\": \"window\" needs images of one size"),
                    HasSubstr("random-resized")));
  EXPECT_THAT(refusal(job + "crop_padding = 4\n"), HasSubstr("goes with crop = \"window\""));
  EXPECT_EQ(refusal(kLeastJob + "crop_padding = 4\n"), "");
  for (const char* wrong :
       {"area = [0.5]\n", "aspect = []\n", "aspect = [1, 2, 3]\n", "erase_area = [0.4]\n"}) {
    EXPECT_THAT(refusal(job + wrong), HasSubstr("expected two numbers, the least and the most")) << wrong;
  }
  EXPECT_THAT(refusal(job + "area = [1, 0.5]\n"),
              HasSubstr("\"area\": [1, 0.5] is in the wrong order: the least stands first; write [0.5, 1]"));
  EXPECT_THAT(refusal(job + "erase_aspect = [3, 0.3]\n"), HasSubstr("write [0.3, 3]"));
  EXPECT_THAT(refusal(job + "area = [0, 1]\n"), HasSubstr("out of range"));
}

TEST_F(JobChecks, KindsThatKnowTheirClassesHaveNoOthers) {
  const std::string job = "network = 'net.toml'\n[data]\nkind = 'cifar100'\nclasses = ";
  EXPECT_THAT(refusal(job + "10\n"), StartsWith("job.toml:4:11: [data]: key \"classes\": is 10, but kind = "
                                                "\"cifar100\" has 100 classes; leave the key out"));
  EXPECT_EQ(refusal(job + "100\n"), "");
  EXPECT_EQ(refusal(job + "0\n"), "");
  EXPECT_EQ(refusal(kLeastJob + "classes = 10\n"), "");
}

TEST_F(JobChecks, NcclIsForGpus) {
  EXPECT_THAT(refusal(kLeastJob + "[comm]\ngradients = 'nccl'\n", {"device=cpu"}),
              AllOf(HasSubstr("[comm]: key \"gradients\": \"nccl\" is for GPUs"),
                    HasSubstr("write \"auto\", or device = \"cuda\"")));
  EXPECT_THAT(refusal(kLeastJob + "[comm]\ngradients = 'nccl'\n"),
              StartsWith("job.toml:6:13: [comm]: key \"gradients\": \"nccl\" is for GPUs, and with device = "
                         "\"auto\" the processor trains"));
  EXPECT_EQ(refusal(kLeastJob + "[comm]\ngradients = 'nccl'\n", {"device=cuda"}), "");
  EXPECT_EQ(refusal(kLeastJob + "[comm]\ngradients = 'host'\n", {"device=cpu"}), "");
}

TEST_F(JobChecks, WindowsAreForShards) {
  const std::string job = "network = 'net.toml'\n[data]\nkind = 'image-shards'\n";
  EXPECT_EQ(refusal(job + "order = 'window'\nwindow = 100\n"), "");
  EXPECT_THAT(refusal(job + "window = 0\n"), HasSubstr("out of range"));
  EXPECT_THAT(refusal("network = 'net.toml'\n[data]\nkind = 'image-folder'\norder = 'window'\n"),
              HasSubstr("key \"order\": \"window\" is for shards"));
  EXPECT_THAT(refusal(job + "crop = 'window'\n"), HasSubstr("kind = \"image-shards\" resizes them"));
}

TEST_F(JobChecks, NameTheOptionThatIsAtFault) {
  EXPECT_THAT(
      refusal(kLeastJob, {"train.micro_batch=128"}),
      StartsWith("--set \"train.micro_batch=128\": [train]: key \"micro_batch\": 128 is larger than batch"));
  EXPECT_THAT(refusal(kLeastJob, {"network=nowhere"}),
              StartsWith("--set \"network=nowhere\": job: key \"network\""));
}

}  // namespace
}  // namespace convoy::test
