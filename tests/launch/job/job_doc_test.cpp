#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "launch/job/write_job.h"

namespace convoy {
namespace {

/// Run with CONVOY_WRITE_DOCS=1 to write the page anew.
TEST(JobDocument, IsWhatTheTableOfKeysSays) {
  const std::string path = CONVOY_SOURCE "/docs/job-file.md";
  if (std::getenv("CONVOY_WRITE_DOCS") != nullptr) std::ofstream(path) << job_keys_markdown();
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), job_keys_markdown()) << "write it anew: CONVOY_WRITE_DOCS=1 ctest -R JobDocument";
}

}  // namespace
}  // namespace convoy
