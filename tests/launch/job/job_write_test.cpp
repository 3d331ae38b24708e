#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "launch/job/keys.h"
#include "launch/job/value_text.h"
#include "launch/job/write_job.h"
#include "tests/launch/job/job_files.h"

namespace convoy::test {
namespace {

using testing::HasSubstr;

class WriteJob : public JobFolder {
 protected:
  Job least() const { return parse(kLeastJob); }

  /// Another value that the key takes.
  static void change(const Key&, std::vector<std::string>& value) { value.pop_back(); }
  static void change(const Key& key, std::int64_t& value) { value += key.integers.holds(value + 1) ? 1 : -1; }
  static void change(const Key& key, double& value) {
    value = (value + key.reals.least + std::min(key.reals.most, 10.0)) / 3.0;
  }
  static void change(const Key&, bool& value) { value = !value; }
  static void change(const Key& key, std::string& value) {
    value = key.type == KeyType::word   ? key.words.back()
            : key.type == KeyType::size ? "12 MiB"
                                        : key.name + ".file";
  }
  static void change(const Key& key, std::vector<double>& value) {
    value = {key.reals.most / 4, key.reals.most / 2};
  }
};

TEST_F(WriteJob, RoundTripKeepsEveryField) {
  // Every field is moved off its default, by its key, so that none can be forgotten.
  Job job;
  for (const Key& key : job_keys()) {
    std::visit([&](const auto& field) { change(key, field(job)); }, key.field);
    if (key.type != KeyType::word || key.words.size() > 1) {
      EXPECT_NE(value_text(key, job), key.default_text) << key.full_name();
    }
  }
  job.network = path("net.toml");
  job.data.kind = "idx";  // crop_padding goes with this
  job.data.crop = "window";
  job.data.order = "random";  // windows are for shards
  job.data.colour_eigenvalues = {0.3, 0.1, 0.1 / 3};
  job.data.colour_eigenvectors = {0, 0.6, -0.8, 0, 0.8, 0.6, 1, 0, 0};
  EXPECT_EQ(parse(job_to_toml(job)), job);
}

TEST_F(WriteJob, RoundTripKeepsEveryBitOfANumber) {
  Job job = least();
  double value = 0.1;
  for (int step = 0; step < 200; ++step) {
    value = value < 1e-300 ? 0.7 : std::nextafter(value * 0.0173, 0.0);
    job.optimizer.learning_rate = value;
    job.optimizer.bias_rate = value * 1e5;
    job.data.mean = {value, 128.0, 1.0 / 3.0};
    const Job back = parse(job_to_toml(job));
    ASSERT_EQ(back, job) << job_to_toml(job);
  }
  job.optimizer.learning_rate = std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(parse(job_to_toml(job)), job);
}

TEST_F(WriteJob, RoundTripKeepsAwkwardText) {
  Job job = least();
  for (const std::string root :
       {"a \"quoted\" \\ back", "tab\tnew\nline", "Zürich/日本", "\x01\x7F", "# no comment"}) {
    job.data.root = root;
    EXPECT_EQ(parse(job_to_toml(job)), job) << root;
  }
}

TEST_F(WriteJob, WritingIsStable) {
  const std::string once = job_to_toml(least());
  EXPECT_EQ(job_to_toml(parse(once)), once);
  EXPECT_THAT(once, HasSubstr("\n[train]\nbatch = 64\nepochs = 10\n"));
  EXPECT_THAT(once, HasSubstr("learning_rate = 0.01\n"));
  EXPECT_THAT(once, HasSubstr("mean = []\n"));
}

TEST_F(WriteJob, HelpAndDocumentationListEveryKey) {
  const std::string help = job_help();
  const std::string markdown = job_keys_markdown();
  for (const Key& key : job_keys()) {
    EXPECT_THAT(help, HasSubstr("\n  " + key.name + " ")) << key.full_name();
    EXPECT_THAT(markdown, HasSubstr("\n| `" + key.name + "` | ")) << key.full_name();
    for (const std::string& part : {key.help, key.default_text, type_text(key)}) {
      EXPECT_THAT(help, HasSubstr(part)) << key.full_name();
      EXPECT_THAT(markdown, HasSubstr(part)) << key.full_name();
    }
  }
  for (const std::string& section : job_sections()) EXPECT_THAT(help, HasSubstr("\n[" + section + "]\n"));
  EXPECT_THAT(help, HasSubstr("(integer from 1 to 1000000000)"));
  EXPECT_THAT(help, HasSubstr("(one of constant, step, multi_step, polynomial, cosine)"));
}

}  // namespace
}  // namespace convoy::test
