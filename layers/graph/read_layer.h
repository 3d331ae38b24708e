#pragma once

#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "layers/graph/layer_types.h"
#include "layers/graph/toml_table.h"

namespace convoy {

inline constexpr std::int64_t kMostChannels = 1 << 20;
inline constexpr std::int64_t kMostWindow = 1 << 14;

/// The value, or an Error(usage) that the layer lacks `key`.
template <class T>
T required(const TomlTable& table, std::string_view key, std::optional<T> value) {
  if (!value) fail(ExitCode::usage, "{}{}: key \"{}\" is missing", table.mark().prefix(), table.what(), key);
  return *std::move(value);
}

/// "msra", "xavier", { gaussian = 0.01 } or { constant = 0.5 }; where it makes sense also "bilinear".
Initializer read_initializer(TomlTable& table, std::string_view key, Initializer otherwise,
                             bool bilinear = false);

}  // namespace convoy
