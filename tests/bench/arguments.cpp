#include "tests/bench/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "layers/core/error.h"

namespace convoy::bench {
namespace {

/// The whole of `text` as a number.
template <class Number>
std::optional<Number> number_of(const std::string& text) {
  Number value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void Arguments::refuse(const std::string& message) const {
  fail(ExitCode::usage, "{}\nusage: {}", message, usage_);
}

bool Arguments::flag(const std::string& option) { return std::erase(words_, option) > 0; }

std::optional<std::string> Arguments::value(const std::string& option) {
  const auto found = std::ranges::find(words_, option);
  if (found == words_.end()) return std::nullopt;
  if (found + 1 == words_.end()) refuse(option + ": its value is missing");
  std::string text = *(found + 1);
  words_.erase(found, found + 2);
  return text;
}

std::optional<std::int64_t> Arguments::number(const std::string& option) {
  const std::optional<std::string> text = value(option);
  if (!text) return std::nullopt;
  const std::optional<std::int64_t> found = number_of<std::int64_t>(*text);
  if (!found || *found < 0) refuse(fmt::format("{}: \"{}\" is not a whole number from 0 on", option, *text));
  return found;
}

std::string Arguments::next(const char* name) {
  if (words_.empty()) refuse(fmt::format("{} is missing", name));
  std::string word = words_.front();
  if (word.starts_with("--")) refuse(fmt::format("unknown option \"{}\"", word));
  words_.erase(words_.begin());
  return word;
}

std::string Arguments::next(const char* name, const std::string& otherwise) {
  return words_.empty() ? otherwise : next(name);
}

std::int64_t Arguments::next_number(const char* name, std::int64_t otherwise, std::int64_t least) {
  constexpr std::int64_t kMost = 1'000'000'000;
  if (words_.empty()) return otherwise;
  const std::string word = next(name);
  const std::optional<std::int64_t> found = number_of<std::int64_t>(word);
  if (!found || *found < least || *found > kMost)
    refuse(fmt::format("{}: \"{}\" is not a whole number from {} to {}", name, word, least, kMost));
  return *found;
}

double Arguments::next_seconds(const char* name, double otherwise) {
  if (words_.empty()) return otherwise;
  const std::string word = next(name);
  const std::optional<double> found = number_of<double>(word);
  if (!found || !std::isfinite(*found) || *found <= 0)
    refuse(fmt::format("{}: \"{}\" is not a number above 0", name, word));
  return *found;
}

void Arguments::done() const {
  if (words_.empty()) return;
  const std::string& word = words_.front();
  refuse(fmt::format("{} \"{}\"", word.starts_with("--") ? "unknown option" : "one word too many:", word));
}

int run_program(int argc, char** argv, const char* usage, int (*run)(Arguments& arguments)) {
  const std::string name = std::filesystem::path(argv[0]).filename().string();
  Arguments arguments(usage, {argv + 1, argv + argc});
  try {
    if (arguments.flag("--help") || arguments.flag("-h")) {
      fmt::print("usage: {}\n", usage);
      return 0;
    }
    return run(arguments);
  } catch (const Error& problem) {
    fmt::print(stderr, "{}: {}\n", name, problem.what());
    return static_cast<int>(problem.code());
  } catch (const std::exception& problem) {
    fmt::print(stderr, "{}: {}\n", name, problem.what());
    return static_cast<int>(ExitCode::internal);
  }
}

}  // namespace convoy::bench
