#include "launch/job/write_job.h"

#include <fmt/format.h>

#include "launch/job/keys.h"
#include "launch/job/value_text.h"

namespace convoy {
namespace {

/// Calls `begin(section)` before the first key of each section, and `each(key)` for each key.
template <class Begin, class Each>
void for_each_section(Begin begin, Each each) {
  const std::string* current = nullptr;
  for (const Key& key : job_keys()) {
    if (current == nullptr || *current != key.section) begin(key.section);
    current = &key.section;
    each(key);
  }
}

/// `text` in a cell of a Markdown table.
std::string in_cell(std::string_view text) {
  std::string cell;
  for (const char letter : text) {
    if (letter == '|') cell += '\\';
    cell += letter;
  }
  return cell;
}

constexpr const char* kMarkdownHead =
    "# The job file\n\n"
    "<!-- Written from the table of keys in launch/job/key_table.cpp; change it there. -->\n\n"
    "A job file says what to train, on what, and how. It is [TOML](https://toml.io); each key stands in its "
    "section,\n"
    "and every key but `network` and `data.kind` has a default. `convoy train JOB.toml --set "
    "section.key=value` sets\n"
    "a key for one run. Sizes are written `4GiB`, `512MiB` (powers of 1024), `1.5GB`, `64KB` (powers of "
    "1000), or as a number of "
    "bytes.\n";

}  // namespace

std::string job_to_toml(const Job& job) {
  std::string text = "# A Convoy job with the value of every key; `convoy train --help` explains them.\n";
  for_each_section(
      [&](const std::string& section) {
        if (!section.empty()) text += fmt::format("\n[{}]\n", section);
      },
      [&](const Key& key) { text += fmt::format("{} = {}\n", key.name, value_text(key, job)); });
  return text;
}

std::string job_help() {
  std::string text =
      "Keys of a job file, with their defaults; set one for a run by --set section.key=value:\n";
  for_each_section(
      [&](const std::string& section) { text += section.empty() ? "\n" : fmt::format("\n[{}]\n", section); },
      [&](const Key& key) {
        const std::string value = key.required() ? "(required)" : "= " + key.default_text;
        text += fmt::format("  {:<16} {:<12} {} ({})\n", key.name, value, key.help, type_text(key));
      });
  return text;
}

std::string job_keys_markdown() {
  std::string text = kMarkdownHead;
  for_each_section(
      [&](const std::string& section) {
        text += section.empty() ? "\n## Above the first section\n" : fmt::format("\n## [{}]\n", section);
        text += "\n| key | default | meaning | value |\n|---|---|---|---|\n";
      },
      [&](const Key& key) {
        const std::string value = key.required() ? "required" : fmt::format("`{}`", key.default_text);
        text += fmt::format("| `{}` | {} | {} | {} |\n", key.name, in_cell(value), in_cell(key.help),
                            in_cell(type_text(key)));
      });
  return text;
}

}  // namespace convoy
