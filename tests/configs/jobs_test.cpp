#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <set>
#include <sstream>

#include "launch/job/read_job.h"
#include "layers/graph/graph.h"
#include "trainer/schedule.h"

// Every job of configs/jobs: it reads, its network tells its classes apart, and where it is a published
// recipe its rates are the published ones at the published updates. launch/commands_test.cpp and
// data_command_test.cpp make its plan.
namespace convoy {
namespace {

namespace fs = std::filesystem;

const std::string kConfigs = CONVOY_SOURCE "/configs/";

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& file : fs::directory_iterator(kConfigs + folder))
    names.insert(file.path().stem().string());
  return names;
}

Job job_of(const std::string& name) { return read_job(kConfigs + "jobs/" + name + ".toml"); }

struct Rate {
  std::int64_t update;  ///< counted from 0
  double rate;
};

struct Recipe {
  std::string job;
  std::int64_t batch;
  std::int64_t updates;
  double decay;  ///< of weights
  double bias_rate;
  std::vector<Rate> rates;
  double tolerance = 1e-9;  ///< relative
  friend void PrintTo(const Recipe& one, std::ostream* out) { *out << one.job; }
};

/// Rates before and after each drop, a tenth of the last.
std::vector<Rate> tenths(double rate, const std::vector<std::int64_t>& drops) {
  std::vector<Rate> rates{{0, rate}};
  for (const std::int64_t drop : drops) {
    rates.push_back({drop - 1, rate});
    rates.push_back({drop, rate *= 0.1});
  }
  return rates;
}

/// Every `period` updates a factor.
std::vector<Rate> exponential(double rate, double gamma, std::int64_t period, std::int64_t updates) {
  std::vector<Rate> rates{{0, rate}};
  for (std::int64_t drop = period; drop < updates; drop += period) {
    rates.push_back({drop - 1, rate});
    rates.push_back({drop, rate *= gamma});
  }
  return rates;
}

/// He et al. 2015, section 4.2.
const std::vector<Rate> kCifarResnet = tenths(0.1, {32000, 48000});
/// Goyal et al. 2017, section 5.1, for a batch of 256.
const std::vector<Rate> kResnet = tenths(0.1, {30 * 5005, 60 * 5005, 80 * 5005});
/// Simonyan and Zisserman 2015, section 3.1: three drops in 370,000 updates, the places are ours.
const std::vector<Rate> kVgg = tenths(0.01, {20 * 5005, 40 * 5005, 60 * 5005});

// From the papers and solvers that the files name. Where a paper says only that the rate was dropped, the
// place is the file's own and the number of drops the paper's.
const Recipe kRecipes[] = {
    // Caffe: lr_policy "inv", gamma 1e-4, power 0.75
    {"lenet-mnist",
     64,
     10000,
     5e-4,
     2,
     {{0, 0.01}, {2500, 0.01 * 0.8459}, {5000, 0.01 * 0.7378}, {7500, 0.01 * 0.6572}, {9999, 0.01 * 0.5946}},
     0.02},
    // LeCun et al. 1998, section III: drops before passes 3, 6, 9 and 13, a fiftieth in the end
    {"lenet5-mnist",
     64,
     20 * 938,
     0,
     1,
     {{0, 0.01},
      {2 * 938 - 1, 0.01},
      {2 * 938, 0.00376},
      {5 * 938 - 1, 0.00376},
      {5 * 938, 0.01 * 0.376 * 0.376},
      {12 * 938 - 1, 0.01 * 0.376 * 0.376 * 0.376},
      {12 * 938, 0.01 / 50}},
     1e-3},
    {"cifar10-quick", 100, 5000, 0.004, 2, tenths(0.001, {4000})},
    {"cifar10-full", 100, 70000, 0.004, 2, tenths(0.001, {60000, 65000})},
    {"cifar10-nin", 128, 120000, 1e-4, 2, tenths(0.1, {100000})},
    {"cifar10-all-cnn", 128, 350 * 391, 1e-3, 1, tenths(0.05, {200 * 391, 250 * 391, 300 * 391})},
    {"cifar10-resnet20", 128, 64000, 1e-4, 1, kCifarResnet},
    {"cifar10-resnet56", 128, 64000, 1e-4, 1, kCifarResnet},
    {"cifar10-resnet110",
     128,
     64000,
     1e-4,
     1,
     {{0, 0.01}, {399, 0.01}, {400, 0.1}, {31999, 0.1}, {32000, 0.01}, {47999, 0.01}, {48000, 0.001}}},
    // Krizhevsky et al. 2012, section 5: three drops in about 90 epochs
    {"alexnet-imagenet", 128, 90 * 10010, 5e-4, 2, tenths(0.01, {25 * 10010, 50 * 10010, 75 * 10010})},
    {"alexnet-owt-imagenet", 256, 90 * 5005, 1e-4, 1, tenths(0.01, {30 * 5005, 60 * 5005})},
    // Zeiler and Fergus 2014, section 3: 70 epochs, dropped by hand
    {"zfnet-imagenet", 128, 70 * 10010, 5e-4, 1, tenths(0.01, {20 * 10010, 40 * 10010, 60 * 10010})},
    {"nin-imagenet", 64, 450000, 5e-4, 2, tenths(0.01, {200000, 400000})},
    {"vgg11-imagenet", 256, 370000, 5e-4, 1, kVgg},
    {"vgg13-imagenet", 256, 370000, 5e-4, 1, kVgg},
    {"vgg16-imagenet", 256, 370000, 5e-4, 1, kVgg},
    {"vgg19-imagenet", 256, 370000, 5e-4, 1, kVgg},
    // Caffe: lr_policy "poly", power 0.5
    {"googlenet-imagenet",
     32,
     2400000,
     2e-4,
     2,
     {{0, 0.01}, {600000, 0.01 * 0.8660254037844386}, {2304000, 0.002}}},
    {"googlenet-bn-imagenet", 64, 1200000, 2e-4, 2, exponential(0.045, 0.96, 6400, 1200000)},
    {"resnet18-imagenet", 256, 90 * 5005, 1e-4, 1, kResnet},
    {"resnet34-imagenet", 256, 90 * 5005, 1e-4, 1, kResnet},
    {"resnet50-imagenet", 256, 90 * 5005, 1e-4, 1, kResnet},
    {"resnet101-imagenet", 256, 90 * 5005, 1e-4, 1, kResnet},
    {"resnet152-imagenet", 256, 90 * 5005, 1e-4, 1, kResnet},
    // SqueezeNet_v1.1/solver.prototxt: lr_policy "poly", power 1
    {"squeezenet1-1-imagenet", 512, 170000, 2e-4, 1, {{0, 0.04}, {85000, 0.02}, {161500, 0.002}}},
    {"mobilenet-v2-imagenet", 256, 300 * 5005, 4e-5, 1, exponential(0.045, 0.98, 5005, 300 * 5005)},
};

/// Jobs of our own, and for what.
const std::set<std::string> kOwnJobs{"alexnet-synthetic", "fashion-mnist", "fashion-mnist-long",
                                     "lenet-fashion", "openclipart"};
/// Networks that no job trains: the worked examples have no loss, fashion_net gave way to fashion_grid.
const std::set<std::string> kWithoutJob{"fashion_net", "three_by_64", "three_strided"};

std::int64_t samples_of(const Job& job) {
  if (job.data.kind == "mnist") return 60000;
  if (job.data.kind == "cifar10") return 50000;
  return job.data.samples;
}

class Recipes : public testing::TestWithParam<Recipe> {};

TEST_P(Recipes, HaveThePublishedRates) {
  const Recipe& recipe = GetParam();
  const Job job = job_of(recipe.job);
  EXPECT_EQ(job.train.batch, recipe.batch);
  EXPECT_EQ(job.optimizer.momentum, 0.9);
  EXPECT_FALSE(job.optimizer.nesterov);
  EXPECT_EQ(job.optimizer.weight_decay, recipe.decay);
  EXPECT_EQ(job.optimizer.bias_rate, recipe.bias_rate);
  // As the trainer counts.
  const std::int64_t per_epoch = (samples_of(job) + job.train.batch - 1) / job.train.batch;
  const std::int64_t all = job.train.epochs * per_epoch;
  const std::int64_t updates = job.train.iterations > 0 ? std::min(all, job.train.iterations) : all;
  EXPECT_EQ(updates, recipe.updates);
  EXPECT_LT(all - updates, per_epoch) << "epochs that do not begin";
  const auto epochs = [&](std::int64_t update) {
    return static_cast<double>(update) / static_cast<double>(per_epoch);
  };
  for (const Rate& expected : recipe.rates) {
    const double rate = learning_rate(job.optimizer, job.schedule, epochs(expected.update), epochs(updates));
    EXPECT_NEAR(rate / expected.rate, 1, recipe.tolerance) << "update " << expected.update;
  }
}

INSTANTIATE_TEST_SUITE_P(Configs, Recipes, testing::ValuesIn(kRecipes), [](const auto& parameter) {
  std::string name = parameter.param.job;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(ConfigsJobs, AreAllInTheTable) {
  std::set<std::string> known = kOwnJobs;
  for (const Recipe& recipe : kRecipes) known.insert(recipe.job);
  EXPECT_EQ(names_in("jobs"), known);
}

TEST(ConfigsJobs, TrainNetworksThatTellTheirClassesApart) {
  for (const std::string& name : names_in("jobs")) {
    SCOPED_TRACE(name);
    const Job job = job_of(name);
    const Graph graph = read_network(job.network);
    // A folder's and a synthetic set's classes are the network's unless the job counts them.
    const bool any = job.data.kind == "image-folder" || job.data.kind == "synthetic";
    if (!any || job.data.classes > 0) {
      EXPECT_EQ(graph.classes(), any ? job.data.classes : 10);
    }
    if (!name.ends_with("-imagenet")) continue;
    EXPECT_EQ(job.data.samples, 1281167);
    EXPECT_EQ(job.data.test_samples, 50000);
    EXPECT_EQ(job.data.shorter_side, 256);
  }
}

TEST(ConfigsJobs, TrainEveryNetworkThatHasALoss) {
  std::set<std::string> trained = kWithoutJob;
  for (const std::string& name : names_in("jobs"))
    trained.insert(fs::path(job_of(name).network).stem().string());
  EXPECT_EQ(trained, names_in("nets"));
}

TEST(ConfigsJobs, AndNetworksAreAllInTheDocuments) {
  std::stringstream page;
  page << std::ifstream(CONVOY_SOURCE "/docs/networks.md").rdbuf();
  const std::string text = page.str();
  for (const char* folder : {"nets", "jobs"}) {
    for (const std::string& name : names_in(folder))
      EXPECT_NE(text.find("`" + name + "`"), std::string::npos) << name;
  }
}

TEST(ConfigsJobs, NameTheirSourceAboveTheFirstKey) {
  for (const std::string& name : names_in("jobs")) {
    std::ifstream file(kConfigs + "jobs/" + name + ".toml");
    std::string line;
    std::getline(file, line);
    EXPECT_EQ(line.substr(0, 2), "# ") << name;
  }
}

}  // namespace
}  // namespace convoy
