#pragma once

#include "layers/graph/read_layer.h"
#include "layers/graph/toml_row.h"

namespace convoy {

// The defaults of keys that count for both axes.
inline constexpr std::pair<std::int64_t, std::int64_t> kOne{1, 1};
inline constexpr std::pair<std::int64_t, std::int64_t> kNone{0, 0};

/// The key "padding", as read_padding reads it.
void write_padding(TomlRow& row, const Padding& padding);

/// An initializer, as read_initializer reads it.
void write_initializer(TomlRow& row, std::string_view key, const Initializer& initializer,
                       const Initializer& otherwise);

}  // namespace convoy
