#pragma once

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "launch/job/keys.h"

namespace convoy {

/// Bounds that keep a count far from overflow and still say nothing that a user would want is wrong.
inline constexpr std::int64_t kMostCount = 1'000'000'000;
inline constexpr std::int64_t kMostInteger = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kMostBytes = std::int64_t{1} << 62;

/// Writes the table that `job_keys` keeps.
std::vector<Key> make_job_keys();

/// Adds the keys of one section to the table: `Owner` is the struct of Job that holds its fields.
template <class Owner>
class SectionKeys {
 public:
  /// `find` gives the section of a job.
  SectionKeys(std::vector<Key>& keys, std::string section, FieldOf<Owner> find)
      : keys_(keys), section_(std::move(section)), find_(std::move(find)) {}

  Key& integer(const char* name, std::int64_t Owner::*field, Range<std::int64_t> range, const char* help) {
    Key& key = add(name, KeyType::integer, field, help);
    key.integers = range;
    return key;
  }
  Key& number(const char* name, double Owner::*field, Range<double> range, const char* help) {
    Key& key = add(name, KeyType::number, field, help);
    key.reals = range;
    return key;
  }
  Key& numbers(const char* name, std::vector<double> Owner::*field, Range<double> range, const char* help) {
    Key& key = add(name, KeyType::numbers, field, help);
    key.reals = range;
    return key;
  }
  Key& boolean(const char* name, bool Owner::*field, const char* help) {
    return add(name, KeyType::boolean, field, help);
  }
  Key& text(const char* name, std::string Owner::*field, const char* help) {
    return add(name, KeyType::text, field, help);
  }
  Key& word(const char* name, std::string Owner::*field, std::vector<std::string> words, const char* help) {
    Key& key = add(name, KeyType::word, field, help);
    key.words = std::move(words);
    return key;
  }
  Key& words(const char* name, std::vector<std::string> Owner::*field, std::vector<std::string> words,
             const char* help) {
    Key& key = add(name, KeyType::words, field, help);
    key.words = std::move(words);
    return key;
  }
  Key& size(const char* name, std::string Owner::*field, std::int64_t least, const char* help) {
    Key& key = add(name, KeyType::size, field, help);
    key.integers = {least, kMostBytes};
    return key;
  }

 private:
  template <class Value>
  Key& add(const char* name, KeyType type, Value Owner::*field, const char* help) {
    Key& key = keys_.emplace_back();
    key.section = section_;
    key.name = name;
    key.type = type;
    key.field = FieldOf<Value>([find = find_, field](Job& job) -> Value& { return find(job).*field; });
    key.help = help;
    return key;
  }

  std::vector<Key>& keys_;
  std::string section_;
  FieldOf<Owner> find_;
};

}  // namespace convoy
