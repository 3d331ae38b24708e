#include "tests/end_to_end/job_under_test.h"
#include "tests/trainer/data/data_files.h"

namespace convoy::test {
namespace {

using ::testing::HasSubstr;

/// A data set of 24 images of 8 x 8 in MNIST's four files, gzipped.
class BrokenData : public JobUnderTest {
 protected:
  void SetUp() override {
    folder_.write("net.toml", kTinyNetwork);
    job_ = folder_.write("job.toml", "network = \"net.toml\"\n[data]\nkind = \"idx\"\nroot = \"" +
                                         path("data") + "\"\nclasses = 4\n[train]\nbatch = 8\nepochs = 1\n");
    std::filesystem::create_directory(path("data"));
    for (const char* split : {"train", "t10k"}) {
      write(std::string(split) + "-images-idx3-ubyte.gz", gzipped(images_));
      write(std::string(split) + "-labels-idx1-ubyte.gz", gzipped(labels_));
    }
  }
  void write(const std::string& name, const Bytes& content) {
    folder_.write("data/" + name, {content.begin(), content.end()});
  }
  void expect_refused(const std::string& file, const std::string& reason) {
    for (const int ranks : {0, 3}) {
      const Ended ended = train(ranks, path("run"));
      EXPECT_EQ(ended.code, 4) << ended.all();
      EXPECT_EQ(count_of(file, ended.err), 1) << ended.err;
      EXPECT_THAT(ended.err, HasSubstr(reason));
      EXPECT_FALSE(std::filesystem::exists(path("run")));
    }
  }

  Bytes images_ = idx_header({24, 8, 8}) + Bytes(24 * 64, 7);
  Bytes labels_ = idx_header({24}) + Bytes(24, 3);
};

TEST_F(BrokenData, WholeFilesTrain) {
  for (const int ranks : {0, 3}) EXPECT_EQ(train(ranks, path("run")).code, 0);
}

TEST_F(BrokenData, LabelOutOfRangeIsRefused) {
  labels_[8 + 17] = 4;
  write("train-labels-idx1-ubyte.gz", gzipped(labels_));
  expect_refused("train-labels-idx1-ubyte.gz", "label");
}

TEST_F(BrokenData, LabelOutOfRangeInTheTestSetIsRefusedBeforeTraining) {
  labels_[8] = 200;
  write("t10k-labels-idx1-ubyte.gz", gzipped(labels_));
  expect_refused("t10k-labels-idx1-ubyte.gz", "200");
}

TEST_F(BrokenData, TruncatedGzipIsRefused) {
  Bytes packed = gzipped(images_);
  packed.resize(packed.size() - 5);
  write("train-images-idx3-ubyte.gz", packed);
  expect_refused("train-images-idx3-ubyte.gz", "the gzip file is cut short");
}

TEST_F(BrokenData, MissingFileIsRefused) {
  std::filesystem::remove(path("data") + "/t10k-images-idx3-ubyte.gz");
  expect_refused("t10k-images-idx3-ubyte", "no such file");
}

}  // namespace
}  // namespace convoy::test
