#include "launch/job/suggest.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "launch/job/keys.h"
#include "layers/core/text.h"

namespace convoy {
namespace {

/// Names that other systems have for our keys.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kElsewhere{{
    {"base_lr", "optimizer.learning_rate"},
    {"batch_size", "train.batch"},
    {"dataset", "data.kind"},
    {"lr", "optimizer.learning_rate"},
    {"lr_policy", "schedule.type"},
    {"max_iter", "train.iterations"},
    {"model", "network"},
    {"net", "network"},
    {"num_workers", "data.loader_threads"},
    {"path", "data.root"},
    {"std", "data.deviation"},
    {"steps", "train.iterations"},
    {"wd", "optimizer.weight_decay"},
    {"workers", "data.loader_threads"},
}};

/// The keys that a misspelt or misplaced name may have meant.
struct Meant {
  std::vector<const Key*> keys;
  bool misplaced = false;  ///< the name is right, its section is wrong
};

const Key* find_full(std::string_view full_name) {
  for (const Key& key : job_keys()) {
    if (key.full_name() == full_name) return &key;
  }
  return nullptr;
}

std::vector<const Key*> keys_named(std::string_view name) {
  std::vector<const Key*> found;
  for (const Key& key : job_keys()) {
    if (key.name == name) found.push_back(&key);
  }
  return found;
}

/// In this order: the same name in another section, another system's name, a slip of the finger in this
/// section, and one in any other.
Meant meant_by(std::string_view section, std::string_view name) {
  if (auto elsewhere = keys_named(name); !elsewhere.empty()) return {std::move(elsewhere), true};
  for (const auto& [foreign, ours] : kElsewhere) {
    if (foreign == name) return {{find_full(ours)}};
  }
  if (const Key* near = find_key(section, nearest_word(name, key_names(section)))) return {{near}};
  std::vector<std::string> all;
  for (const Key& key : job_keys()) all.push_back(key.name);
  return {keys_named(nearest_word(name, all))};
}

/// "in [train]", "above the first section".
std::string place_text(const Key& key) {
  return key.section.empty() ? "above the first section" : fmt::format("in [{}]", key.section);
}

template <class Text>
std::string either(const std::vector<const Key*>& keys, Text text) {
  std::vector<std::string> texts;
  for (const Key* key : keys) texts.push_back(text(*key));
  return join(texts, " or ");
}

}  // namespace

std::string suggest_in_file(std::string_view section, std::string_view name) {
  const Meant meant = meant_by(section, name);
  if (meant.keys.empty()) {
    return fmt::format("; {} has {}", section_title(section), join(key_names(section)));
  }
  if (meant.misplaced) return fmt::format("; it belongs {}", either(meant.keys, place_text));
  return fmt::format(" (did you mean {}?)", either(meant.keys, [&](const Key& key) {
                       const std::string quoted = fmt::format("\"{}\"", key.name);
                       return key.section == section ? quoted : quoted + " " + place_text(key);
                     }));
}

std::string suggest_full_name(std::string_view full_name) {
  std::vector<std::string> all;
  for (const Key& key : job_keys()) all.push_back(key.full_name());
  if (const std::string near = nearest_word(full_name, all); !near.empty()) {
    return fmt::format(" (did you mean \"{}\"?)", near);
  }
  const std::size_t dot = full_name.find('.');
  const std::string_view section = dot == std::string_view::npos ? "" : full_name.substr(0, dot);
  const Meant meant =
      meant_by(section, dot == std::string_view::npos ? full_name : full_name.substr(dot + 1));
  if (meant.keys.empty()) return "; `convoy train --help` lists all keys";
  return fmt::format(" (did you mean {}?)", either(meant.keys, [](const Key& key) {
                       return fmt::format("\"{}\"", key.full_name());
                     }));
}

std::string suggest_section(std::string_view section) {
  const std::string near = nearest_word(section, job_sections());
  if (!near.empty()) return fmt::format(" (did you mean [{}]?)", near);
  return fmt::format("; the sections are [{}]", join(job_sections(), "], ["));
}

}  // namespace convoy
