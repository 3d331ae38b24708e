#include "launch/job/set.h"

#include <fmt/format.h>

#include <string_view>

#include "launch/job/keys.h"
#include "launch/job/suggest.h"
#include "launch/job/value.h"
#include "launch/job/value_text.h"
#include "layers/core/error.h"
#include "layers/graph/toml_row.h"
#include "layers/graph/toml_table.h"

namespace convoy {
namespace {

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

const Key& find_or_refuse(std::string_view full_name, const std::string& place) {
  const std::size_t dot = full_name.find('.');
  const std::string_view section = dot == std::string_view::npos ? "" : full_name.substr(0, dot);
  const std::string_view name = dot == std::string_view::npos ? full_name : full_name.substr(dot + 1);
  if (const Key* key = find_key(section, name)) return *key;
  for (const Key& key : job_keys()) {
    if (!key.section.empty() && key.section == full_name) {
      fail(ExitCode::usage, "{}\"{}\" is a section; name one of its keys, such as {}", place, full_name,
           key.full_name());
    }
  }
  fail(ExitCode::usage, "{}unknown key \"{}\"{}", place, full_name, suggest_full_name(full_name));
}

bool takes_text(const Key& key) {
  return key.type == KeyType::text || key.type == KeyType::word || key.type == KeyType::size;
}

bool is_quoted(std::string_view value) {
  return !value.empty() && (value.front() == '"' || value.front() == '\'');
}

/// A table with that one key; null if the value is not one TOML value.
std::optional<toml::table> parse_value(const Key& key, std::string_view value) {
  const std::string text = takes_text(key) && !is_quoted(value) ? toml_quote(value) : std::string(value);
  try {
    toml::table table = parse_toml_text(key.name + " = " + text, "");
    if (table.size() == 1) return table;
  } catch (const Error&) {
    // Said below, in words that fit a command line better than a place in a text of one line.
  }
  return std::nullopt;
}

}  // namespace

void apply_set(const std::string& assignment, Job& job, Places& places) {
  const std::string source = fmt::format("--set \"{}\"", assignment);
  const std::string place = source + ": ";
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos) {
    fail(ExitCode::usage, "{}expected section.key=value, for example --set train.batch=64", place);
  }
  const Key& key = find_or_refuse(trim(std::string_view(assignment).substr(0, equals)), place);
  const std::string_view value = trim(std::string_view(assignment).substr(equals + 1));
  const std::optional<toml::table> parsed = parse_value(key, value);
  if (!parsed) {
    fail(ExitCode::usage, "{}{}: key \"{}\": expected {}, found {}", place, section_title(key.section),
         key.name, type_text(key), value.empty() ? "nothing" : fmt::format("\"{}\"", value));
  }
  // A copied node has no place of its own, so that messages name the option alone.
  toml::table placeless;
  placeless.insert(key.name, *parsed->get(key.name));
  TomlTable table(placeless, source, section_title(key.section));
  read_value(table, key, job);
  places.put(key.full_name(), place);
}

}  // namespace convoy
