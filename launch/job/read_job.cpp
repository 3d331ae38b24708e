#include "launch/job/read_job.h"

#include <algorithm>

#include "launch/job/checks.h"
#include "launch/job/keys.h"
#include "launch/job/set.h"
#include "launch/job/suggest.h"
#include "launch/job/value.h"
#include "layers/graph/toml_table.h"

namespace convoy {
namespace {

std::string prefix_of(const toml::key& key, const std::string& file) {
  const toml::source_position& at = key.source().begin;
  return SourceMark{file, static_cast<int>(at.line), static_cast<int>(at.column)}.prefix();
}

/// Collects a job from the tables of one file.
class Reader {
 public:
  Reader(Job& job, Places& places, const std::string& file) : job_(job), places_(places), file_(file) {}

  void read_file(const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      if (is_section(name)) {
        read_section(key, node);
      } else if (node.is_table() && find_key("", name) == nullptr) {
        fail(ExitCode::usage, "{}unknown section [{}]{}", prefix_of(key, file_), name, suggest_section(name));
      } else {
        read_key(table, "", key, node);
      }
    }
  }

 private:
  static bool is_section(std::string_view name) {
    return std::find(job_sections().begin(), job_sections().end(), name) != job_sections().end();
  }

  void read_section(const toml::key& section, const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      fail(ExitCode::usage,
           "{}\"{}\" is a section; write [{}] once, on a line of its own, and its keys below it",
           prefix_of(section, file_), section.str(), section.str());
    }
    for (const auto& [key, value] : *table) read_key(*table, section.str(), key, value);
  }

  void read_key(const toml::table& table, std::string_view section, const toml::key& key,
                const toml::node& node) {
    const Key* known = find_key(section, key.str());
    if (known == nullptr) {
      fail(ExitCode::usage, "{}{}: unknown key \"{}\"{}", prefix_of(key, file_), section_title(section),
           key.str(), suggest_in_file(section, key.str()));
    }
    TomlTable reader(table, file_, section_title(section));
    read_value(reader, *known, job_);
    places_.put(known->full_name(), mark_of(node, file_).prefix());
  }

  Job& job_;
  Places& places_;
  const std::string& file_;
};

Job job_of(const toml::table& table, const std::string& file, const std::vector<std::string>& sets) {
  if (table.contains("layers") && !table.contains("network")) {
    fail(ExitCode::usage, "{}: is a network file; give a job file, whose key network names it", file);
  }
  Job job;
  Places places(file);
  Reader(job, places, file).read_file(table);
  for (const std::string& assignment : sets) apply_set(assignment, job, places);
  check_job(job, places);
  resolve_paths(job, file, places);
  return job;
}

}  // namespace

Job read_job(const std::string& path, const std::vector<std::string>& sets) {
  return job_of(parse_toml_file(path), path, sets);
}

Job parse_job(std::string_view text, const std::string& file_name, const std::vector<std::string>& sets) {
  return job_of(parse_toml_text(text, file_name), file_name, sets);
}

}  // namespace convoy
