#include "launch/class_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>
#include <span>

#include "launch/prediction_map.h"
#include "trainer/class_identity.h"
#include "trainer/data/printable.h"

namespace convoy {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(std::max<std::int64_t>(whole, 1));
}

/// A field of RFC 4180: in quotes where it needs them.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

}  // namespace

ClassReport::ClassReport(const Confusion& confusion, const std::vector<std::string>& names)
    : classes_(confusion.classes()), cells_(confusion.cells()) {
  for (std::size_t c = 0; c < classes_.size(); ++c) names_.push_back(utf8_name(class_name(names, c)));
  std::ranges::copy_if(cells_, std::back_inserter(confusions_),
                       [](const ConfusionCell& cell) { return cell.label != cell.predicted; });
  std::ranges::stable_sort(confusions_, std::ranges::greater{}, &ConfusionCell::samples);
}

std::string ClassReport::name(std::int32_t c) const {
  return c == Confusion::kNoClass ? "(not a number)" : names_[static_cast<std::size_t>(c)];
}

std::vector<std::int32_t> ClassReport::worst() const {
  std::vector<std::int32_t> worst;
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    if (classes_[c].top1 < classes_[c].samples) worst.push_back(static_cast<std::int32_t>(c));
  }
  std::ranges::stable_sort(worst, {}, [&](std::int32_t c) {
    const ClassCounts& counts = classes_[static_cast<std::size_t>(c)];
    return share(counts.top1, counts.samples);
  });
  return worst;
}

std::string ClassReport::text(std::size_t most) const {
  std::string text;
  std::vector<std::int32_t> classes = worst();
  classes.resize(std::min(classes.size(), most));
  std::size_t width = 0;
  for (const std::int32_t c : classes) width = std::max(width, printable(name(c)).size());
  if (!classes.empty()) text += "classes recognised least:\n";
  for (const std::int32_t c : classes) {
    const ClassCounts& counts = classes_[static_cast<std::size_t>(c)];
    text +=
        fmt::format("  {:<{}}  top-1 {:.4f}, top-5 {:.4f} of {}\n", printable(name(c)), width,
                    share(counts.top1, counts.samples), share(counts.top5, counts.samples), counts.samples);
  }
  if (most > 0 && !confusions_.empty()) text += "most frequent confusions:\n";
  for (std::size_t i = 0; i < std::min(confusions_.size(), most); ++i) {
    const ConfusionCell& cell = confusions_[i];
    const std::int64_t samples = classes_[static_cast<std::size_t>(cell.label)].samples;
    text += fmt::format("  {} taken for {}: {} of {} ({:.1f}%)\n", printable(name(cell.label)),
                        printable(name(cell.predicted)), cell.samples, samples,
                        100 * share(cell.samples, samples));
  }
  return text;
}

void ClassReport::add_to(boost::json::object& answer, std::size_t most) const {
  boost::json::array classes;
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    const ClassCounts& counts = classes_[c];
    boost::json::object one{{"class", c}, {"name", names_[c]}, {"samples", counts.samples}};
    one["top1"] = counts.samples > 0 ? boost::json::value(share(counts.top1, counts.samples)) : nullptr;
    one["top5"] = counts.samples > 0 ? boost::json::value(share(counts.top5, counts.samples)) : nullptr;
    classes.push_back(std::move(one));
  }
  boost::json::array confusions;
  for (std::size_t i = 0; i < std::min(confusions_.size(), most); ++i) {
    const ConfusionCell& cell = confusions_[i];
    confusions.push_back({{"label", cell.label},
                          {"label_name", name(cell.label)},
                          {"predicted", cell.predicted},
                          {"predicted_name", name(cell.predicted)},
                          {"samples", cell.samples}});
  }
  answer["classes"] = std::move(classes);
  answer["confusions"] = std::move(confusions);
}

void ClassReport::write_matrix(PartialFile& file) const {
  const bool undecided = std::ranges::any_of(
      cells_, [](const ConfusionCell& cell) { return cell.predicted == Confusion::kNoClass; });
  const auto write = [&](const std::string& row) { file.write(std::as_bytes(std::span(row))); };
  std::string row = "true class";
  for (const std::string& name : names_) fmt::format_to(std::back_inserter(row), ",{}", field(name));
  if (undecided) row += ",(not a number)";
  write(row + "\r\n");
  auto cell = cells_.begin();
  std::vector<std::int64_t> counts(names_.size() + (undecided ? 1 : 0));
  for (std::size_t label = 0; label < names_.size(); ++label) {
    std::ranges::fill(counts, 0);
    for (; cell != cells_.end() && static_cast<std::size_t>(cell->label) == label; ++cell) {
      const bool decided = cell->predicted != Confusion::kNoClass;
      counts[decided ? static_cast<std::size_t>(cell->predicted) : names_.size()] = cell->samples;
    }
    row = field(names_[label]);
    for (const std::int64_t count : counts) fmt::format_to(std::back_inserter(row), ",{}", count);
    write(row + "\r\n");
  }
}

}  // namespace convoy
