#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "trainer/confusion.h"
#include "trainer/storage/file_io.h"

namespace convoy {

/// Classes up to which a confusion matrix can be written: 100 million cells, 200 MB of zeros and commas.
inline constexpr std::size_t kMostMatrixClasses = 10'000;

/// What an evaluation found, class by class, with the classes' names.
class ClassReport {
 public:
  /// Names of classes without one are their numbers.
  ClassReport(const Confusion& confusion, const std::vector<std::string>& names);

  /// The `most` classes of the least accuracy and as many of the most frequent confusions, a line each; empty
  /// where there are none.
  std::string text(std::size_t most) const;

  /// "classes": of every class `class name samples top1 top5` (shares of its samples, null without any), and
  /// "confusions": of the `most` most frequent ones `label label_name predicted predicted_name samples`.
  void add_to(boost::json::object& answer, std::size_t most) const;

  /// Writes the whole matrix as CSV (RFC 4180), a row at a time: a row for each true class, a column for each
  /// class that its samples were taken for, names in the first row and column. Where the network gave
  /// something that is no number, a last column counts that.
  void write_matrix(PartialFile& file) const;

 private:
  std::string name(std::int32_t c) const;
  /// Classes that were not always recognised, the least accurate first, then by number.
  std::vector<std::int32_t> worst() const;

  std::vector<std::string> names_;
  std::vector<ClassCounts> classes_;
  std::vector<ConfusionCell> cells_;       ///< by label
  std::vector<ConfusionCell> confusions_;  ///< those off the diagonal, the most frequent first
};

}  // namespace convoy
