#include "launch/job/value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "launch/job/value_text.h"
#include "layers/core/bytes.h"
#include "layers/core/text.h"

namespace convoy {
namespace {

template <class Number>
void check_range(const TomlTable& table, const Key& key, const Range<Number>& range, Number value) {
  if (range.holds(value)) return;
  table.refuse(key.name, fmt::format("{} is out of range; it must be {}", value, range_text(key)));
}

/// TomlTable::number takes only integers that a double holds exactly; refuses the others.
void check_exact(const TomlTable& table, const Key& key, const toml::node* node) {
  if (node == nullptr) return;
  if (const toml::array* array = node->as_array()) {
    for (const toml::node& item : *array) check_exact(table, key, &item);
  }
  if (!node->is_integer()) return;
  const std::int64_t value = node->as_integer()->get();
  const std::int64_t most = std::int64_t{1} << 53;
  if (value > most || value < -most) {
    table.refuse(key.name, fmt::format("{} is out of range; it must be {}", value, range_text(key)));
  }
}

std::optional<std::string> read_size(TomlTable& table, const Key& key) {
  const toml::node* node = table.node(key.name);
  if (node == nullptr) return std::nullopt;
  if (!node->is_integer() && !node->is_string()) {
    table.refuse(key.name, "expected a size such as \"4GiB\", or a number of bytes");
  }
  const std::string text =
      node->is_integer() ? fmt::format("{}", node->as_integer()->get()) : node->as_string()->get();
  if (std::find(key.words.begin(), key.words.end(), text) != key.words.end()) return text;
  std::int64_t bytes = 0;
  try {
    bytes = parse_bytes(text);
  } catch (const Error& problem) {
    const std::string words =
        key.words.empty() ? "" : fmt::format(", or \"{}\"", fmt::join(key.words, "\", \""));
    table.refuse(key.name, problem.what() + words + did_you_mean(text, key.words));
  }
  if (bytes < key.integers.least) {
    table.refuse(key.name, fmt::format("\"{}\" is too small; it must be at least {}", text,
                                       format_bytes(key.integers.least)));
  }
  return text;
}

/// A word that stands twice is a slip; the message names the place of the second.
void check_once(TomlTable& table, const Key& key, const std::vector<std::string>& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto here = words.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(words.begin(), here, words[i]) == here) continue;
    const toml::node& item = table.node(key.name)->as_array()->at(i);
    fail(ExitCode::usage, "{}{}: key \"{}\": \"{}\" stands twice; write it once, where you prefer it",
         mark_of(item, table.file()).prefix(), table.what(), key.name, words[i]);
  }
}

/// One overload for each type of field; the key's type says how its text is read.
std::optional<std::int64_t> read_as(TomlTable& table, const Key& key, const std::int64_t&) {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const std::optional<std::int64_t> value = table.integer(key.name, least, most);
  if (value) check_range(table, key, key.integers, *value);
  return value;
}

std::optional<double> read_as(TomlTable& table, const Key& key, const double&) {
  check_exact(table, key, table.node(key.name));
  const std::optional<double> value = table.number(key.name, key.reals.least, key.reals.most);
  if (value) check_range(table, key, key.reals, *value);
  return value;
}

std::optional<bool> read_as(TomlTable& table, const Key& key, const bool&) { return table.boolean(key.name); }

std::optional<std::string> read_as(TomlTable& table, const Key& key, const std::string&) {
  if (key.type == KeyType::size) return read_size(table, key);
  return key.type == KeyType::word ? table.word(key.name, key.words) : table.string(key.name);
}

std::optional<std::vector<double>> read_as(TomlTable& table, const Key& key, const std::vector<double>&) {
  check_exact(table, key, table.node(key.name));
  std::optional<std::vector<double>> values = table.numbers(key.name, key.reals.least, key.reals.most);
  for (const double value : values.value_or(std::vector<double>{})) check_range(table, key, key.reals, value);
  return values;
}

std::optional<std::vector<std::string>> read_as(TomlTable& table, const Key& key,
                                                const std::vector<std::string>&) {
  std::optional<std::vector<std::string>> values = table.strings(key.name);
  if (!values) return values;
  for (const std::string& value : *values) {
    if (std::find(key.words.begin(), key.words.end(), value) != key.words.end()) continue;
    table.refuse(key.name, fmt::format("\"{}\" is not known{}; known are {}", value,
                                       did_you_mean(value, key.words), join(key.words)));
  }
  check_once(table, key, *values);
  return values;
}

}  // namespace

void read_value(TomlTable& table, const Key& key, Job& job) {
  std::visit(
      [&](const auto& field) {
        auto& target = field(job);
        if (auto value = read_as(table, key, target)) target = *std::move(value);
      },
      key.field);
}

}  // namespace convoy
