#include "layers/graph/formula.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdint>
#include <functional>
#include <variant>

namespace convoy {
namespace {

using Value = std::variant<std::int64_t, bool>;
using Lookup = std::function<Value(const std::string&)>;

bool is_letter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// The run of letters and digits that `text` begins with.
std::string_view first_word(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && is_letter(text[end])) ++end;
  return text.substr(0, end);
}

/// Reads and computes a formula from left to right.
class Calculator {
 public:
  Calculator(std::string_view text, const Lookup& lookup) : whole_(text), rest_(text), lookup_(lookup) {}

  Value result() {
    const Value value = comparison();
    skip_space();
    if (!rest_.empty()) stop("cannot be read from \"" + std::string(rest_) + "\" on");
    return value;
  }

 private:
  [[noreturn]] void stop(const std::string& why) const {
    throw FormulaError(fmt::format("the formula \"{}\" {}", whole_, why));
  }

  void skip_space() {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
  }

  bool take(std::string_view token) {
    skip_space();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::int64_t integer(const Value& value) const {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return checked(*number);
    stop("computes with true or false as if it were an integer");
  }

  /// Small enough that sums and products never overflow.
  std::int64_t checked(std::int64_t value) const {
    if (value > 0x7FFFFFFF || value < -0x7FFFFFFF) stop("exceeds 2^31");
    return value;
  }

  Value comparison() {
    if (take("not ")) {
      const Value value = factor();
      if (const bool* truth = std::get_if<bool>(&value)) return !*truth;
      stop("has a \"not\" before an integer");
    }
    const Value left = sum();
    if (take("==")) return left == sum();
    if (take("!=")) return left != sum();
    if (take("<=")) return integer(left) <= integer(sum());
    if (take(">=")) return integer(left) >= integer(sum());
    if (take("<")) return integer(left) < integer(sum());
    if (take(">")) return integer(left) > integer(sum());
    return left;
  }

  Value sum() {
    Value value = product();
    while (true) {
      if (take("+")) {
        value = checked(integer(value) + integer(product()));
      } else if (take("-")) {
        value = checked(integer(value) - integer(product()));
      } else {
        return value;
      }
    }
  }

  Value product() {
    Value value = factor();
    while (true) {
      if (take("*")) {
        value = checked(integer(value) * integer(factor()));
      } else if (take("/")) {
        const std::int64_t dividend = integer(value);
        const std::int64_t divisor = integer(factor());
        if (divisor == 0) stop("divides by 0");
        const std::int64_t quotient = dividend / divisor;
        const bool below = dividend % divisor != 0 && (dividend < 0) != (divisor < 0);
        value = quotient - (below ? 1 : 0);
      } else {
        return value;
      }
    }
  }

  Value factor() {
    if (++depth_ > 100) stop("is nested too deeply");
    skip_space();
    Value value;
    if (take("(")) {
      value = sum();
      if (!take(")")) stop("lacks a \")\"");
    } else if (take("$")) {
      const std::string name(first_word(rest_));
      rest_.remove_prefix(name.size());
      value = lookup_(name);
    } else {
      value = number();
    }
    --depth_;
    return value;
  }

  std::int64_t number() {
    if (rest_.empty() || !is_digit(rest_[0])) stop("lacks an integer or a \"$name\"");
    std::int64_t value = 0;
    for (; !rest_.empty() && is_digit(rest_[0]); rest_.remove_prefix(1))
      value = checked(value * 10 + (rest_[0] - '0'));
    return value;
  }

  std::string_view whole_;
  std::string_view rest_;
  const Lookup& lookup_;
  int depth_ = 0;
};

}  // namespace

bool is_parameter_name(std::string_view name) {
  return !name.empty() && !is_digit(name[0]) && first_word(name) == name;
}

std::set<std::string> names_in_formula(std::string_view text) {
  std::set<std::string> names;
  for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    names.emplace(first_word(text.substr(at + 1)));
  }
  return names;
}

void Scope::set(const std::string& name, const toml::node& value) {
  parameters_[name].clear();
  parameters_[name].push_back(value);
}

std::optional<toml::array> Scope::value_of(const toml::node& raw) const {
  const bool may_hold_formula = raw.is_string() || raw.is_array();
  if (!may_hold_formula) return std::nullopt;
  toml::array box;
  append_value_of(raw, box);
  return box;
}

void Scope::append_value_of(const toml::node& raw, toml::array& to) const {
  if (const toml::array* items = raw.as_array()) {
    toml::array values;
    for (const toml::node& item : *items) append_value_of(item, values);
    to.push_back(std::move(values));
    return;
  }
  const auto* text = raw.as_string();
  if (text == nullptr || text->get().find('$') == std::string::npos) {
    to.push_back(raw);
    return;
  }
  const std::string& formula = text->get();
  const auto find = [&](const std::string& name) -> const toml::node& {
    const auto found = parameters_.find(name);
    if (found == parameters_.end()) throw FormulaError(fmt::format("\"${}\" is no parameter", name));
    return found->second[0];
  };
  if (is_parameter_name(formula.substr(1)) && formula[0] == '$') {
    to.push_back(find(formula.substr(1)));
    return;
  }
  const Lookup lookup = [&](const std::string& name) -> Value {
    const toml::node& value = find(name);
    if (value.is_integer()) return value.as_integer()->get();
    if (value.is_boolean()) return value.as_boolean()->get();
    throw FormulaError(fmt::format("the formula \"{}\" computes with \"${}\", which is {}", formula, name,
                                   type_word(value)));
  };
  const Value result = Calculator(formula, lookup).result();
  std::visit([&](const auto& value) { to.push_back(value); }, result);
}

}  // namespace convoy
