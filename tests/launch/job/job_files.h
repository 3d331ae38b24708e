#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "launch/job/read_job.h"
#include "layers/core/error.h"

namespace convoy::test {

/// A folder that lasts one test, with a network file in it.
class JobFolder : public ::testing::Test {
 protected:
  JobFolder() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    const std::string name = std::string(info->test_suite_name()) + "." + info->name();
    folder_ =
        std::filesystem::temp_directory_path() / ("convoy-job-" + std::to_string(::getpid()) + "-" + name);
    std::filesystem::create_directories(folder_);
    write("net.toml", "name = \"net\"\n");
  }
  ~JobFolder() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }

  /// Parses as the file `job.toml` of the folder.
  Job parse(const std::string& text, const std::vector<std::string>& sets = {}) const {
    return parse_job(text, path("job.toml"), sets);
  }

  /// The message that this text is refused with, without the folder; "" if it is not refused.
  std::string refusal(const std::string& text, const std::vector<std::string>& sets = {}) const {
    try {
      parse(text, sets);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      std::string message = error.what();
      const std::string prefix = folder_.string() + "/";
      for (std::size_t at = message.find(prefix); at != std::string::npos; at = message.find(prefix)) {
        message.erase(at, prefix.size());
      }
      return message;
    }
    return "";
  }

  std::filesystem::path folder_;
};

/// The least job: four lines, so that a line added to it is line 5, in [data].
inline const std::string kLeastJob =
    "network = \"net.toml\"\n"
    "\n"
    "[data]\n"
    "kind = \"synthetic\"\n";

}  // namespace convoy::test
