#pragma once

#include <gtest/gtest.h>

#include "tests/launch/process.h"
#include "tests/trainer/data/folder_files.h"
#include "tests/trainer/job_folder.h"

namespace convoy::test {

/// A folder of small images in two classes, and `convoy data` on it.
class DataCommand : public ::testing::Test {
 protected:
  Ended data(std::vector<std::string> words) const {
    words.insert(words.begin(), "data");
    return run(convoy(words), folder_.path(""));
  }

  const ImageTree tree_{{"ape", "bee"}, {6, 5}};
  const JobFolder folder_;
};

/// Tells two classes of colour images apart.
inline constexpr const char* kPictureNetwork = R"(
name = "pictures"
input = { channels = 3, height = 8, width = 8 }
layers = [
  { name = "conv", type = "convolution", outputs = 4, kernel = 3 },
  { name = "relu", type = "relu" },
  { name = "fc", type = "fully_connected", outputs = 2 },
  { name = "loss", type = "softmax_loss" },
]
)";

/// A job that trains on those images.
class FolderJob : public DataCommand {
 protected:
  std::string job(const std::string& more) const {
    folder_.write("net.toml", kPictureNetwork);
    return folder_.write("job.toml",
                         "network = \"net.toml\"\nthreads = 1\n[data]\nkind = \"image-folder\"\nroot = \"" +
                             tree_.path("") + "\"\nflip = true\n" + more +
                             "[train]\nbatch = 4\nepochs = 2\n[log]\nevery = 1\n");
  }
  Ended train(const std::string& job, const std::string& run_name, int ranks) const {
    return run(mpi_convoy(ranks, {"train", job, "--run-dir", folder_.path(run_name)}), folder_.path(""));
  }
};

}  // namespace convoy::test
