#include "launch/job/value_text.h"

#include <fmt/format.h>

#include <limits>

#include "layers/core/text.h"
#include "layers/graph/toml_row.h"

namespace convoy {
namespace {

/// "from 1 to 10", "at least 0", "above 0 and below 1".
template <class Number>
std::string words_of(const Range<Number>& range) {
  const bool open_ended = range.most >= std::numeric_limits<Number>::max();
  if (open_ended) return fmt::format("{} {}", range.above ? "above" : "at least", range.least);
  if (!range.above && !range.below) return fmt::format("from {} to {}", range.least, range.most);
  return fmt::format("{} {} and {} {}", range.above ? "above" : "at least", range.least,
                     range.below ? "below" : "at most", range.most);
}

/// Shortest text that reads back to the same double, marked as a TOML float.
std::string number_text(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string text_of(std::int64_t value) { return fmt::format("{}", value); }
std::string text_of(double value) { return number_text(value); }
std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(const std::string& value) { return toml_quote(value); }
std::string text_of(const std::vector<double>& values) {
  std::vector<std::string> texts;
  for (const double value : values) texts.push_back(number_text(value));
  return fmt::format("[{}]", join(texts));
}

std::string text_of(const std::vector<std::string>& values) {
  std::vector<std::string> texts;
  for (const std::string& value : values) texts.push_back(toml_quote(value));
  return fmt::format("[{}]", join(texts));
}

}  // namespace

std::string range_text(const Key& key) {
  return key.type == KeyType::integer ? words_of(key.integers) : words_of(key.reals);
}

std::string value_text(const Key& key, const Job& job) {
  Job copy = job;
  return std::visit([&](const auto& field) { return text_of(field(copy)); }, key.field);
}

std::string type_text(const Key& key) {
  switch (key.type) {
    case KeyType::integer:
      return "integer " + range_text(key);
    case KeyType::number:
      return "number " + range_text(key);
    case KeyType::boolean:
      return "true or false";
    case KeyType::text:
      return "text";
    case KeyType::word:
      return key.words.size() == 1 ? "only " + key.words.front() : "one of " + join(key.words);
    case KeyType::size:
      return join(key.words, " or ") + (key.words.empty() ? "size" : " or size") + " in bytes";
    case KeyType::numbers:
      return "array of numbers, each " + range_text(key);
    case KeyType::words:
      return "array of " + join(key.words, " and ");
  }
  return "";
}

}  // namespace convoy
