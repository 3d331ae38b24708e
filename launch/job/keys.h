#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trainer/job.h"

namespace convoy {

/// Numbers a key takes: from `least` to `most`, without `least` itself where `above` and without `most` where
/// `below`.
template <class Number>
struct Range {
  Number least{};
  Number most{};
  bool above = false;
  bool below = false;

  bool holds(Number value) const {
    return (above ? value > least : value >= least) && (below ? value < most : value <= most);
  }
};

/// How a value is written in a job file.
enum class KeyType : std::uint8_t {
  integer,  ///< 64
  number,   ///< 0.1; an integer is taken too
  boolean,  ///< true, false
  text,     ///< any string
  word,     ///< one of `Key::words`
  size,     ///< "4GiB", a number of bytes, or one of `Key::words`
  numbers,  ///< [1, 2.5]
  words,    ///< ["a", "b"], each one of `Key::words`
};

/// The field of a Job that a key stands for.
template <class Value>
using FieldOf = std::function<Value&(Job&)>;
using Field = std::variant<FieldOf<std::int64_t>, FieldOf<double>, FieldOf<bool>, FieldOf<std::string>,
                           FieldOf<std::vector<double>>, FieldOf<std::vector<std::string>>>;

/// One key of a job file. Everything that is known about it stands here; the reader, `--set`, the help, the
/// resolved file and the documentation all follow.
struct Key {
  std::string section;  ///< "" for a key above the first section
  std::string name;
  KeyType type = KeyType::text;
  Field field;
  std::string help;                ///< one line, with the unit
  Range<std::int64_t> integers;    ///< of an integer, and of a size in bytes
  Range<double> reals;             ///< of a number, and of each of numbers
  std::vector<std::string> words;  ///< the only words, or for a size the words beside sizes
  std::string example;             ///< of a key without a default, which a job must set: a value as in a file
  std::string default_text;  ///< the default as in a file, taken from Job's initialisers; "" if required

  bool required() const { return !example.empty(); }
  /// "train.batch", or "seed" for a key above the first section: as `--set` names it.
  std::string full_name() const { return section.empty() ? name : section + "." + name; }
};

/// All keys, section by section, in the order in which a job file is written.
const std::vector<Key>& job_keys();

/// The sections' names in that order, without "".
const std::vector<std::string>& job_sections();

/// The names of a section's keys, in that order.
std::vector<std::string> key_names(std::string_view section);

/// The key of that section and name, or null.
const Key* find_key(std::string_view section, std::string_view name);

/// The section as messages name it: "[train]", or "job" for what stands above the first section.
std::string section_title(std::string_view section);

}  // namespace convoy
