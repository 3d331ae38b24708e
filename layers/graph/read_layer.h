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
  if (!value) {
    const std::string meant = table.nearest_unknown(key);
    fail(ExitCode::usage, "{}{}: key \"{}\" is missing{}", table.mark().prefix(), table.what(), key,
         meant.empty() ? "" : "; is \"" + meant + "\" meant for it?");
  }
  return *std::move(value);
}

/// The rows of a table's key "layers", at least one, or an Error(usage).
const toml::array* read_rows(TomlTable& table);

/// Zeros around the input of a layer with windows.
struct Padding {
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;
  bool same = false;  ///< as much as gives ceil(input / stride) outputs; found when the input's size is known
};

/// The key "padding": a number, [height, width], "same" or, where `sides` may differ, { top = 1, left = 1 }.
Padding read_padding(TomlTable& table, bool sides);

/// "msra", "xavier", { gaussian = 0.01 } or { constant = 0.5 }; where it makes sense also "bilinear".
Initializer read_initializer(TomlTable& table, std::string_view key, Initializer otherwise,
                             bool bilinear = false);

}  // namespace convoy
