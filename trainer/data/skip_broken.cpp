#include "trainer/data/skip_broken.h"

#include <utility>

#include "layers/core/error.h"

namespace convoy {

SkipBroken::SkipBroken(std::shared_ptr<const Dataset> set, std::int64_t limit, std::vector<std::string> notes)
    : set_(std::move(set)), limit_(limit), notes_(std::move(notes)) {}

void SkipBroken::note(std::int64_t index, const std::string& problem) const {
  const std::lock_guard lock(mutex_);
  if (!broken_.insert(index).second) return;
  if (static_cast<std::int64_t>(broken_.size()) > limit_) {
    fail(ExitCode::data, "{}\nthis is broken file {} on this rank, more than data.broken_limit = {}", problem,
         broken_.size(), limit_);
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
      if (problem.code() != ExitCode::data || limit_ < 0 || tries + 1 >= size()) throw;
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
