#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

namespace convoy {

/// Describes and reads the command line of one command. Prefixes are not guessed.
class CommandLine {
 public:
  /// `usage` is what follows "convoy " in the first line of the help; `details` follows the options.
  CommandLine(std::string usage, std::string about);

  /// To add options and positional arguments to.
  boost::program_options::options_description& options() { return options_; }
  void positional(const char* name, const char* help, int most = 1);
  void details(std::string text) { details_ = std::move(text); }

  /// False when --help was asked for and printed. Error(usage) names the option and the nearest known one, or
  /// the one whose text is empty.
  bool parse(const std::vector<std::string>& arguments);

  bool flag(const char* name) const { return values_[name].as<bool>(); }
  bool has(const char* name) const { return values_.count(name) != 0; }
  std::string text(const char* name) const { return values_[name].as<std::string>(); }
  std::int64_t number(const char* name) const { return values_[name].as<std::int64_t>(); }
  /// The same, or Error(usage) that it is out of range.
  std::int64_t number(const char* name, std::int64_t least, std::int64_t most) const;
  std::vector<std::string> texts(const char* name) const;
  /// The positional argument `name`, or Error(usage) that it is missing.
  std::string required(const char* name) const;

 private:
  void refuse_empty() const;

  std::string usage_;
  std::string about_;
  std::string details_;
  boost::program_options::options_description options_;
  boost::program_options::options_description hidden_;
  boost::program_options::positional_options_description positions_;
  boost::program_options::variables_map values_;
};

}  // namespace convoy
