#include "trainer/kernels/trials_json.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "layers/core/error.h"
#include "trainer/kernels/rounded.h"

namespace convoy {
namespace {

namespace json = boost::json;

KernelTrial trial_of(const json::object& entry) {
  KernelTrial trial{
      std::string(entry.at("usual").as_string()), std::string(entry.at("chosen").as_string()), {}};
  for (const auto& [way, milliseconds] : entry.at("milliseconds").as_object())
    trial.seconds[std::string(way)] = milliseconds.to_number<double>() / 1e3;
  return trial;
}

}  // namespace

std::string KernelTable::text() const {
  // One problem a line.
  std::string text =
      fmt::format("{{\"conditions\": {},\n \"problems\": {{", json::serialize(json::string(conditions)));
  const char* separator = "\n";
  for (const auto& [problem, trial] : trials) {
    json::object milliseconds;
    for (const auto& [way, seconds] : trial.seconds) milliseconds[way] = rounded(seconds * 1e3);
    const json::object entry{
        {"usual", trial.usual}, {"chosen", trial.chosen}, {"milliseconds", std::move(milliseconds)}};
    text +=
        fmt::format("{}  {}: {}", separator, json::serialize(json::string(problem)), json::serialize(entry));
    separator = ",\n";
  }
  return text + "\n }}\n";
}

KernelTable KernelTable::parse(const std::string& text) {
  try {
    const json::value value = json::parse(text);
    KernelTable table{std::string(value.at("conditions").as_string()), {}};
    for (const auto& [problem, entry] : value.at("problems").as_object())
      table.trials.emplace(std::string(problem), trial_of(entry.as_object()));
    return table;
  } catch (const boost::system::system_error& problem) {  // its what() tells a place in Boost's code
    fail(ExitCode::usage, "no table of kernels: {}", problem.code().message());
  } catch (const std::exception& problem) {
    fail(ExitCode::usage, "no table of kernels: {}", problem.what());
  }
}

}  // namespace convoy
