#pragma once

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "layers/graph/toml_table.h"

namespace convoy {

/// A formula that cannot be read or computed. The TomlTable that asked for it adds place and key.
class FormulaError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What "$name" stands for while the layers of one use of a block are read.
///
/// A text with a "$" in it is a formula: "$name" alone is the parameter itself, of whatever type. Otherwise
///   formula = sum | sum (== | != | < | <= | > | >=) sum | not factor
///   sum     = product { (+ | -) product }
///   product = factor { (* | /) factor }          integers; / rounds down
///   factor  = digits | $name | ( sum )
class Scope {
 public:
  /// `within` comes before what is said of a place, as in SourceMark.
  explicit Scope(std::string within) : within_(std::move(within)) {}

  const std::string& within() const { return within_; }
  void set(const std::string& name, const toml::node& value);

  /// `raw` with its formulas computed, alone in an array; nothing when there is no formula in it. Tables are
  /// left to TomlTable::inner.
  std::optional<toml::array> value_of(const toml::node& raw) const;

 private:
  void append_value_of(const toml::node& raw, toml::array& to) const;

  std::string within_;
  std::map<std::string, toml::array, std::less<>> parameters_;  ///< each alone in an array
};

/// The names that a text names as "$name".
std::set<std::string> names_in_formula(std::string_view text);

/// Whether a parameter may be called so: letters, digits and "_", not a digit first.
bool is_parameter_name(std::string_view name);

}  // namespace convoy
