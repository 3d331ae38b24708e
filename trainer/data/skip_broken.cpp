#include "trainer/data/skip_broken.h"

#include <fmt/format.h>

#include <utility>

#include "layers/core/error.h"
#include "trainer/data/set_error.h"

namespace convoy {

BrokenLimit limit_of(const DataSource& source, const Dataset& set) {
  BrokenLimit limit{source.broken_limit, fmt::format("data.broken_limit = {}", source.broken_limit)};
  const auto share = static_cast<std::int64_t>(source.broken_share * static_cast<double>(set.size()));
  if (limit.samples < 0 || share <= limit.samples) return limit;
  return {share,
          fmt::format("{}, which is data.broken_share = {} of {}", share, source.broken_share, set.size())};
}

SkipBroken::SkipBroken(std::shared_ptr<const Dataset> set, BrokenLimit limit, std::vector<std::string> notes)
    : set_(std::move(set)), limit_(std::move(limit)), notes_(std::move(notes)) {}

void SkipBroken::note(std::int64_t index, const std::string& problem) const {
  const std::lock_guard lock(mutex_);
  if (!broken_.insert(index).second) return;
  if (static_cast<std::int64_t>(broken_.size()) > limit_.samples) {
    fail(ExitCode::data, "{}\nthis is broken file {} on this rank, more than {}", problem, broken_.size(),
         limit_.rule);
  }
  notes_.push_back(problem + "; the next file takes its place");
}

template <class Read>
std::int32_t SkipBroken::read_first(std::int64_t index, const Read& read) const {
  for (std::int64_t tries = 0;; ++tries) {
    const std::int64_t candidate = (index + tries) % size();
    try {
      return read(candidate);
    } catch (const Error& problem) {
      if (!is_of_sample(problem) || tries + 1 >= size()) throw;
      if (limit_.samples < 0) {
        fail(ExitCode::data, "{}; with data.broken = \"skip\" the next file takes its place", problem.what());
      }
      note(candidate, problem.what());
    }
  }
}

std::int32_t SkipBroken::read(std::int64_t index, Image& image) const {
  return read_first(index, [&](std::int64_t candidate) { return set_->read(candidate, image); });
}

std::int32_t SkipBroken::read_crop(std::int64_t index, const ChooseCrop& choose, ReadScratch& scratch,
                                   View& view) const {
  return read_first(
      index, [&](std::int64_t candidate) { return set_->read_crop(candidate, choose, scratch, view); });
}

std::vector<std::string> SkipBroken::take_notes() const {
  const std::lock_guard lock(mutex_);
  return std::exchange(notes_, {});
}

}  // namespace convoy
