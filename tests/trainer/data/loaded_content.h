#pragma once

#include <memory>
#include <vector>

#include "trainer/data/loader.h"

namespace convoy {

/// Samples as they come over all ranks: index in the set, label, pixels.
struct Content {
  std::vector<std::int64_t> indices;
  std::vector<std::int32_t> labels;
  std::vector<std::uint8_t> pixels;
  friend bool operator==(const Content&, const Content&) = default;
};

/// All that options.ranks loaders of a set give for a network whose input is `output`, in turn.
inline Content load_all(const std::shared_ptr<const Dataset>& set, Shape output, LoaderOptions options) {
  std::vector<std::unique_ptr<Loader>> loaders;
  for (options.rank = 0; options.rank < options.ranks; ++options.rank) {
    loaders.push_back(std::make_unique<Loader>(set, output, options));
  }
  Content content;
  for (std::size_t i = 0;; i = (i + 1) % loaders.size()) {
    const Batch* batch = loaders[i]->next();
    if (batch == nullptr) return content;
    content.indices.insert(content.indices.end(), batch->indices.begin(), batch->indices.end());
    content.labels.insert(content.labels.end(), batch->labels.begin(), batch->labels.end());
    content.pixels.insert(content.pixels.end(), batch->pixels.begin(), batch->pixels.end());
  }
}

}  // namespace convoy
