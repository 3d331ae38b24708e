#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace convoy::bench {

/// The command line of a program of tests/bench: first take options out of it, then its words in their order,
/// then ask whether that was all. What is wrong with it throws Error(usage) that ends with the usage line.
class Arguments {
 public:
  Arguments(std::string usage, std::vector<std::string> words)
      : usage_(std::move(usage)), words_(std::move(words)) {}

  /// Options: whether it is there; what follows it.
  bool flag(const std::string& option);
  std::optional<std::string> value(const std::string& option);
  std::optional<std::int64_t> number(const std::string& option);  ///< from 0 on

  /// The next word; one of these has to be there.
  std::string next(const char* name);
  /// The same, `otherwise` where there are no more.
  std::string next(const char* name, const std::string& otherwise);
  std::int64_t next_number(const char* name, std::int64_t otherwise, std::int64_t least = 1);
  double next_seconds(const char* name, double otherwise);
  bool empty() const { return words_.empty(); }

  /// Refuses what nobody asked for.
  void done() const;
  [[noreturn]] void refuse(const std::string& message) const;

 private:
  std::string usage_;
  std::vector<std::string> words_;
};

/// Runs a program: --help prints the usage line, an Error gives its message and exit code (2 for a wrong
/// command line), anything else exit code 1.
int run_program(int argc, char** argv, const char* usage, int (*run)(Arguments& arguments));

}  // namespace convoy::bench
