#include "launch/report_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "trainer/class_identity.h"

namespace convoy {

bool asks_for_json(const std::vector<std::string>& words) { return std::ranges::count(words, "--json") > 0; }

void print_error_json(ExitCode code, const std::string& message) {
  const boost::json::object error{{"exit_code", static_cast<int>(code)}, {"message", utf8_name(message)}};
  fmt::print("{}\n", boost::json::serialize(boost::json::object{{"error", error}}));
}

}  // namespace convoy
