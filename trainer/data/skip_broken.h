#pragma once

#include <mutex>
#include <set>

#include "trainer/data/dataset.h"

namespace convoy {

/// Broken samples that are replaced before reading fails.
struct BrokenLimit {
  std::int64_t samples = -1;  ///< -1: not one
  std::string rule{};         ///< where it comes from, for messages
};

/// What a source allows of a set: source.broken_limit, or source.broken_share of its samples where that is
/// more.
BrokenLimit limit_of(const DataSource& source, const Dataset& set);

/// A data set in whose place of samples that cannot be read (Error(data)) others are read: the next one that
/// can, in the order of the set, which most often is of the same class. So the substitute depends on the
/// sample alone, and on every rank and thread it is the same.
class SkipBroken : public Dataset {
 public:
  /// Of more than `limit` different broken samples the error goes on to the reader.
  /// Broken samples are counted by this object, so by each rank for itself. `notes` are the first of
  /// take_notes().
  SkipBroken(std::shared_ptr<const Dataset> set, BrokenLimit limit, std::vector<std::string> notes = {});

  std::int64_t size() const override { return set_->size(); }
  int classes() const override { return set_->classes(); }
  const std::vector<std::string>& class_names() const override { return set_->class_names(); }
  Shape shape() const override { return set_->shape(); }
  std::int32_t read(std::int64_t index, Image& image) const override;
  std::int32_t read_crop(std::int64_t index, const ChooseCrop& choose, ReadScratch& scratch,
                         View& view) const override;
  std::string sample_name(std::int64_t index) const override { return set_->sample_name(index); }
  std::vector<std::int64_t> shard_starts() const override { return set_->shard_starts(); }
  void will_read(std::span<const std::int64_t> indices) const override { set_->will_read(indices); }
  std::int64_t scratch_bytes() const override { return set_->scratch_bytes(); }
  std::uint32_t checksum() const override { return set_->checksum(); }
  /// Each broken sample once.
  std::vector<std::string> take_notes() const override;

 private:
  template <class Read>
  std::int32_t read_first(std::int64_t index, const Read& read) const;
  void note(std::int64_t index, const std::string& problem) const;

  std::shared_ptr<const Dataset> set_;
  BrokenLimit limit_;
  mutable std::mutex mutex_;
  mutable std::set<std::int64_t> broken_;
  mutable std::vector<std::string> notes_;
};

}  // namespace convoy
