#include "layers/graph/toml_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "layers/core/text.h"
#include "layers/graph/formula.h"

namespace convoy {
namespace {

/// The value of a number; integers that no double holds exactly are rounded.
double double_of(const toml::node& node) {
  return node.is_integer() ? static_cast<double>(node.as_integer()->get()) : node.as_floating_point()->get();
}

}  // namespace

std::string_view type_word(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

toml::table parse_toml_text(std::string_view text, const std::string& file_name) {
  try {
    return toml::parse(text, file_name);
  } catch (const toml::parse_error& problem) {
    const auto& at = problem.source().begin;
    fail(ExitCode::usage, "{}:{}:{}: not valid TOML: {} (text stands in quotes)", file_name, at.line,
         at.column, problem.description());
  }
}

toml::table parse_toml_file(const std::string& path) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 24;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file && !std::filesystem::is_directory(path)) {
    text.resize(kMostBytes + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMostBytes)
      fail(ExitCode::usage, "{}: is larger than 16 MiB, so it is no network or job file", path);
  } else {
    fail(ExitCode::usage, "{}: cannot be read; check the path and its permissions", path);
  }
  if (file.bad()) fail(ExitCode::usage, "{}: cannot be read to its end; check the disk", path);
  return parse_toml_text(text, path);
}

SourceMark mark_of(const toml::node& node, const std::string& file) {
  const toml::source_region& region = node.source();
  return {file, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

TomlTable::TomlTable(const toml::table& table, std::string file, std::string what, const Scope* scope)
    : table_(table), file_(std::move(file)), what_(std::move(what)), scope_(scope) {}

TomlTable TomlTable::inner(std::string_view key, const toml::table& table) const {
  return {table, file_, fmt::format("{}: {}", what_, key), scope_};
}

SourceMark TomlTable::mark_of(const toml::source_region& region) const {
  return {file_, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column),
          scope_ != nullptr ? scope_->within() : ""};
}

SourceMark TomlTable::mark(std::string_view key) const {
  const toml::node* found = table_.get(key);
  return found != nullptr ? mark_of(found->source()) : mark();
}

void TomlTable::refuse(std::string_view key, const std::string& message) const {
  fail(ExitCode::usage, "{}{}: key \"{}\": {}", mark(key).prefix(), what_, key, message);
}

const toml::node* TomlTable::node(std::string_view key) {
  known_.emplace(key);
  const toml::node* raw = table_.get(key);
  if (raw == nullptr || scope_ == nullptr) return raw;
  if (const auto known = computed_.find(key); known != computed_.end()) return &known->second[0];
  try {
    std::optional<toml::array> value = scope_->value_of(*raw);
    if (!value) return raw;
    return &computed_.emplace(key, *std::move(value)).first->second[0];
  } catch (const FormulaError& problem) {
    refuse(key, problem.what());
  }
}

std::optional<std::int64_t> TomlTable::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_integer()) refuse(key, fmt::format("expected an integer, found {}", type_word(*found)));
  const std::int64_t value = found->as_integer()->get();
  if (value < least || value > most) {
    if (most == std::numeric_limits<std::int64_t>::max()) {
      refuse(key, fmt::format("{} is out of range; it must be at least {}", value, least));
    }
    refuse(key, fmt::format("{} is out of range; it must be from {} to {}", value, least, most));
  }
  return value;
}

std::optional<double> TomlTable::number(std::string_view key, double least, double most) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_number()) refuse(key, fmt::format("expected a number, found {}", type_word(*found)));
  const double value = double_of(*found);
  if (!std::isfinite(value) || value < least || value > most) {
    refuse(key, fmt::format("{} is out of range; it must be from {} to {}", value, least, most));
  }
  return value;
}

std::optional<bool> TomlTable::boolean(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_boolean()) refuse(key, fmt::format("expected true or false, found {}", type_word(*found)));
  return found->as_boolean()->get();
}

std::optional<std::string> TomlTable::string(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_string()) refuse(key, fmt::format("expected a string, found {}", type_word(*found)));
  return found->as_string()->get();
}

std::optional<std::string> TomlTable::word(std::string_view key, const std::vector<std::string>& allowed) {
  std::optional<std::string> value = string(key);
  if (value && std::find(allowed.begin(), allowed.end(), *value) == allowed.end()) {
    refuse(key, fmt::format("\"{}\" is not known{}; known are {}", *value, did_you_mean(*value, allowed),
                            join(allowed)));
  }
  return value;
}

std::optional<std::vector<std::string>> TomlTable::strings(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (found->is_string()) return std::vector<std::string>{found->as_string()->get()};
  if (!found->is_array())
    refuse(key, fmt::format("expected a string or an array of strings, found {}", type_word(*found)));
  std::vector<std::string> values;
  for (const toml::node& item : *found->as_array()) {
    if (!item.is_string())
      refuse(key, fmt::format("expected an array of strings, found {} in it", type_word(item)));
    values.push_back(item.as_string()->get());
  }
  return values;
}

std::optional<std::vector<double>> TomlTable::numbers(std::string_view key, double least, double most) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_array())
    refuse(key, fmt::format("expected an array of numbers, found {}", type_word(*found)));
  std::vector<double> values;
  for (const toml::node& item : *found->as_array()) {
    if (!item.is_number())
      refuse(key, fmt::format("expected an array of numbers, found {} in it", type_word(item)));
    const double value = double_of(item);
    if (!std::isfinite(value) || value < least || value > most) {
      refuse(key, fmt::format("{} is out of range; each must be from {} to {}", value, least, most));
    }
    values.push_back(value);
  }
  return values;
}

std::optional<std::pair<std::int64_t, std::int64_t>> TomlTable::pair(std::string_view key, std::int64_t least,
                                                                     std::int64_t most) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  const auto check = [&](std::int64_t value) {
    if (value < least || value > most) {
      refuse(key, fmt::format("{} is out of range; it must be from {} to {}", value, least, most));
    }
    return value;
  };
  if (found->is_integer()) {
    const std::int64_t value = check(found->as_integer()->get());
    return std::pair{value, value};
  }
  const toml::array* both = found->as_array();
  if (both == nullptr || both->size() != 2 || !(*both)[0].is_integer() || !(*both)[1].is_integer()) {
    refuse(key, "expected an integer or [height, width]");
  }
  return std::pair{check((*both)[0].as_integer()->get()), check((*both)[1].as_integer()->get())};
}

std::string TomlTable::nearest_unknown(std::string_view key) const {
  const std::vector<std::string> wanted{std::string(key)};
  for (const auto& [other, value] : table_) {
    if (!known_.contains(other.str()) && !did_you_mean(other.str(), wanted).empty())
      return std::string(other.str());
  }
  return "";
}

void TomlTable::finish() const {
  const std::vector<std::string> known(known_.begin(), known_.end());
  for (const auto& [key, value] : table_) {
    if (known_.contains(key.str())) continue;
    fail(ExitCode::usage, "{}{}: unknown key \"{}\"{}; known are {}", mark_of(key.source()).prefix(), what_,
         key.str(), did_you_mean(key.str(), known), join(known));
  }
}

}  // namespace convoy
