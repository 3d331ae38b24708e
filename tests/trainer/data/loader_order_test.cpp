#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/trainer/data/counting_dataset.h"
#include "trainer/data/epoch_order.h"
#include "trainer/data/loader.h"

// What the loader promises of the content: exactly once, and the same whoever loads it.

namespace convoy {
namespace {

/// Global batch after global batch, the shares of all ranks put together again.
struct Content {
  std::vector<std::int64_t> epochs, iterations, global_samples;
  std::vector<std::vector<std::int64_t>> indices;
  std::vector<std::vector<std::uint8_t>> pixels;
  friend bool operator==(const Content&, const Content&) = default;
};

Content load_whole(const std::shared_ptr<const Dataset>& set, LoaderOptions options) {
  std::vector<std::unique_ptr<Loader>> loaders;
  for (options.rank = 0; options.rank < options.ranks; ++options.rank) {
    loaders.push_back(std::make_unique<Loader>(set, kCountingShape, options));
  }
  Content content;
  for (bool more = true; more;) {
    std::vector<std::int64_t> indices;
    std::vector<std::uint8_t> pixels;
    for (const auto& loader : loaders) {
      const Batch* batch = loader->next();
      EXPECT_TRUE(&loader == &loaders.front() || (batch != nullptr) == more) << "ranks end together";
      more = batch != nullptr;
      if (!batch) continue;
      const auto count = static_cast<std::size_t>(batch->count);
      EXPECT_EQ(batch->first, static_cast<std::int64_t>(indices.size()));
      EXPECT_EQ(batch->labels.size(), count);
      EXPECT_EQ(batch->indices.size(), count);
      EXPECT_EQ(batch->pixels.size(), count * 4);
      for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(batch->labels[i], batch->indices[i] % 7);
      indices.insert(indices.end(), batch->indices.begin(), batch->indices.end());
      pixels.insert(pixels.end(), batch->pixels.begin(), batch->pixels.end());
      if (&loader != &loaders.back()) continue;
      content.epochs.push_back(batch->epoch);
      content.iterations.push_back(batch->iteration);
      content.global_samples.push_back(batch->global_samples);
      EXPECT_EQ(batch->global_samples, static_cast<std::int64_t>(indices.size()));
      content.indices.push_back(indices);
      content.pixels.push_back(pixels);
    }
  }
  return content;
}

LoaderOptions ordering_options(std::int64_t batch, std::int64_t epochs) {
  LoaderOptions options;
  options.batch = batch;
  options.epochs = epochs;
  options.ahead = 3;
  return options;
}

TEST(LoaderOrder, EachSampleComesExactlyOnceAnEpoch) {
  for (const std::int64_t size : {1, 2, 7, 97, 100}) {
    const auto set = std::make_shared<CountingDataset>(size);
    for (const std::int64_t batch : {1, 3, 16, 100, 1000}) {
      for (int ranks = 1; ranks <= 5; ++ranks) {
        LoaderOptions options = ordering_options(batch, 2);
        options.ranks = ranks;
        options.threads = 1 + (ranks + static_cast<int>(size)) % 4;
        const Content content = load_whole(set, options);
        const std::int64_t iterations = (size + batch - 1) / batch;
        ASSERT_EQ(static_cast<std::int64_t>(content.indices.size()), 2 * iterations);
        std::vector<int> seen(static_cast<std::size_t>(2 * size));
        for (std::size_t k = 0; k < content.indices.size(); ++k) {
          EXPECT_EQ(content.epochs[k], static_cast<std::int64_t>(k) / iterations);
          EXPECT_EQ(content.iterations[k], static_cast<std::int64_t>(k) % iterations);
          for (const std::int64_t index : content.indices[k]) {
            ++seen.at(static_cast<std::size_t>(content.epochs[k] * size + index));
          }
        }
        EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 2 * size) << size << " " << batch << " " << ranks;
      }
    }
  }
}

TEST(LoaderOrder, ContentDependsOnNeitherRanksNorThreadsNorRing) {
  const auto set = std::make_shared<CountingDataset>(97);
  LoaderOptions options = ordering_options(16, 3);
  options.augmentation = {1, true};
  const Content expected = load_whole(set, options);
  for (int ranks = 1; ranks <= 5; ++ranks) {
    for (int threads = 1; threads <= 4; ++threads) {
      options.ranks = ranks;
      options.threads = threads;
      options.ahead = 1 + (ranks + threads) % 5;
      EXPECT_EQ(load_whole(set, options), expected) << ranks << " ranks, " << threads << " threads";
    }
  }
}

TEST(LoaderOrder, ContentIsTheEpochOrdersAndAugments) {
  const auto set = std::make_shared<CountingDataset>(50);
  LoaderOptions options = ordering_options(8, 2);
  options.seed = 77;
  options.threads = 2;
  options.augmentation = {1, true};
  const Content content = load_whole(set, options);
  const RandomStream stream(77, Purpose::augment, 0);
  Image image;
  std::vector<std::uint8_t> out(4);
  for (std::size_t k = 0; k < content.indices.size(); ++k) {
    const EpochOrder order(77, content.epochs[k], 50, true);
    for (std::size_t i = 0; i < content.indices[k].size(); ++i) {
      const std::int64_t index = order.at(content.iterations[k] * 8 + static_cast<std::int64_t>(i));
      EXPECT_EQ(content.indices[k][i], index);
      set->read(index, image);
      augment(options.augmentation, stream, content.epochs[k], index, image, out.data(), kCountingShape);
      EXPECT_TRUE(
          std::equal(out.begin(), out.end(), content.pixels[k].begin() + static_cast<std::ptrdiff_t>(4 * i)));
    }
  }
  options.seed = 78;
  EXPECT_NE(load_whole(set, options).indices, content.indices);
}

TEST(LoaderOrder, WithoutShuffleSamplesComeInOrder) {
  LoaderOptions options = ordering_options(4, 1);
  options.shuffle = false;
  options.ranks = 3;
  options.threads = 3;
  const Content content = load_whole(std::make_shared<CountingDataset>(10), options);
  EXPECT_EQ(content.indices, (std::vector<std::vector<std::int64_t>>{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}}));
}

TEST(LoaderOrder, AResumeAtAnyStepGoesOnWithTheSameBatches) {
  const auto set = std::make_shared<CountingDataset>(31);
  LoaderOptions options = ordering_options(8, 3);
  options.augmentation = {1, true};
  const Content whole = load_whole(set, options);
  ASSERT_EQ(whole.indices.size(), 12U);
  for (std::int64_t epoch = 0; epoch <= 3; ++epoch) {
    for (std::int64_t iteration = 0; iteration <= 4; ++iteration) {  // 4 of epoch e is 0 of epoch e + 1
      const std::int64_t start = 4 * epoch + iteration;
      options.start_epoch = epoch;
      options.start_iteration = iteration;
      options.ranks = 1 + static_cast<int>(start) % 3;
      options.threads = 1 + static_cast<int>(start) % 2;
      set->reads = 0;
      const Content rest = load_whole(set, options);
      const auto skipped = static_cast<std::ptrdiff_t>(std::min<std::int64_t>(start, 12));
      EXPECT_EQ(rest.indices, std::vector(whole.indices.begin() + skipped, whole.indices.end()));
      EXPECT_EQ(rest.pixels, std::vector(whole.pixels.begin() + skipped, whole.pixels.end()));
      std::int64_t read = 0;
      for (const auto& indices : rest.indices) read += static_cast<std::int64_t>(indices.size());
      EXPECT_EQ(set->reads, read) << "nothing is read to be thrown away";
    }
  }
}

}  // namespace
}  // namespace convoy
