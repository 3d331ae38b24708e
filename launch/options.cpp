#include "launch/options.h"

#include <fmt/format.h>

#include <sstream>

#include "layers/core/error.h"
#include "layers/core/text.h"

namespace convoy {
namespace po = boost::program_options;

CommandLine::CommandLine(std::string usage, std::string about)
    : usage_(std::move(usage)), about_(std::move(about)), options_("options", 100) {
  options_.add_options()("help,h", po::bool_switch(), "show this help");
}

void CommandLine::positional(const char* name, const char* help, int most) {
  hidden_.add_options()(name, po::value<std::vector<std::string>>(), help);
  positions_.add(name, most);
}

bool CommandLine::parse(const std::vector<std::string>& arguments) {
  po::options_description all;
  all.add(options_).add(hidden_);
  const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  try {
    po::store(po::command_line_parser(arguments).options(all).positional(positions_).style(style).run(),
              values_);
    po::notify(values_);
  } catch (const po::unknown_option& problem) {
    std::vector<std::string> known;
    for (const auto& option : options_.options()) known.push_back("--" + option->long_name());
    fail(ExitCode::usage, "unknown option \"{}\"{}; see convoy {} --help", problem.get_option_name(),
         did_you_mean(problem.get_option_name(), known), usage_.substr(0, usage_.find(' ')));
  } catch (const po::error& problem) {
    fail(ExitCode::usage, "{}; see convoy {} --help", problem.what(), usage_.substr(0, usage_.find(' ')));
  }
  refuse_empty();
  if (!flag("help")) return true;
  std::ostringstream text;
  text << options_;
  fmt::print("usage: convoy {}\n\n{}\n\n{}", usage_, about_, text.str());
  if (!details_.empty()) fmt::print("\n{}", details_);
  return false;
}

/// A text that is given and empty, as by a variable of a script that is not set, is no name of anything.
void CommandLine::refuse_empty() const {
  for (const auto& option : options_.options()) {
    const po::variable_value& value = values_[option->long_name()];
    const auto* text = boost::any_cast<std::string>(&value.value());
    if (text == nullptr || value.defaulted() || !text->empty()) continue;
    const std::string what = option->format_parameter();  // "FILE", "FILE (=default)"
    fail(ExitCode::usage, "--{} is empty; give it {}, or leave it out", option->long_name(),
         what.substr(0, what.find(' ')));
  }
}

std::int64_t CommandLine::number(const char* name, std::int64_t least, std::int64_t most) const {
  const std::int64_t value = number(name);
  if (value < least || value > most)
    fail(ExitCode::usage, "--{} {} is out of range; it must be from {} to {}", name, value, least, most);
  return value;
}

std::vector<std::string> CommandLine::texts(const char* name) const {
  return has(name) ? values_[name].as<std::vector<std::string>>() : std::vector<std::string>{};
}

std::string CommandLine::required(const char* name) const {
  const std::vector<std::string> values = texts(name);
  if (values.empty()) fail(ExitCode::usage, "{} is missing; usage: convoy {}", name, usage_);
  if (values.front().empty()) fail(ExitCode::usage, "{} is empty; usage: convoy {}", name, usage_);
  return values.front();
}

}  // namespace convoy
