#pragma once

#include <string>
#include <string_view>

#include "launch/job/keys.h"

namespace convoy {

/// A job's value of that key as a TOML value. Numbers are in the shortest form that reads back to the same
/// bits.
std::string value_text(const Key& key, const Job& job);

/// What a key takes, for people: "integer from 1 to 1000000000", "sgd, adam", "size or auto".
std::string type_text(const Key& key);

/// The numbers that a key takes: "from 1 to 10", "above 0 and at most 1".
std::string range_text(const Key& key);

}  // namespace convoy
