#pragma once

#include "launch/job/keys.h"
#include "layers/graph/toml_table.h"

namespace convoy {

/// Reads a key's value from the table of its section into `job`, if it is there. Throws Error(usage) with the
/// table's place for a wrong type, a value out of range, an unknown word or what is not a size.
void read_value(TomlTable& table, const Key& key, Job& job);

}  // namespace convoy
