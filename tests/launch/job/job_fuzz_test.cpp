#include <random>

#include "launch/job/write_job.h"
#include "tests/launch/job/job_files.h"

namespace convoy::test {
namespace {

/// Pieces that mean something in a job file, put where they do not belong.
const std::vector<std::string> kPieces{"[",
                                       "]",
                                       "=",
                                       "\"",
                                       "'",
                                       "\n",
                                       "#",
                                       "{",
                                       "}",
                                       ",",
                                       ".",
                                       "-",
                                       "_",
                                       "\\u0000",
                                       "nan",
                                       "-inf",
                                       "1e309",
                                       "0x10",
                                       "9007199254740993",
                                       "1979-05-27",
                                       "true",
                                       "[train]",
                                       "[[data]]",
                                       "batch",
                                       "\xFF",
                                       "\"\"",
                                       "[1, 2]",
                                       "= [[]]",
                                       "4GiB",
                                       "9223372036854775808",
                                       "data = 3",
                                       "mean",
                                       std::string(1, '\0')};

class JobFuzz : public JobFolder {
 protected:
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

  void mutate(std::string& text) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = std::min(below(12), text.size() - at);
    switch (below(5)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, kPieces[below(kPieces.size())]);
        break;
      case 2:
        text.replace(at, length, kPieces[below(kPieces.size())]);
        break;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), below(40)));
        break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(random_() & 0xFF);
    }
  }

  /// Reads; anything but a job or a refusal (another exception, a crash) fails the test. True for a job.
  bool survives(const std::string& text, const std::vector<std::string>& sets = {}) {
    try {
      const Job job = parse(text, sets);
      EXPECT_EQ(parse(job_to_toml(job)), job) << text;
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage) << text;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what() << "\nfrom:\n" << text;
    }
    return false;
  }

  std::mt19937 random_{20240601};
};

TEST_F(JobFuzz, MutatedFilesAreReadOrRefused) {
  const std::string whole = job_to_toml(parse(kLeastJob + "mean = [1.5]\nflip = true\n"));
  int read = 0;
  int refused = 0;
  for (int round = 0; round < 6000; ++round) {
    std::string text = round % 2 == 0 ? whole : kLeastJob + "[train]\nbatch = 8\n[memory]\nlimit = '1GiB'\n";
    for (std::size_t count = 1 + below(4); count > 0; --count) mutate(text);
    ++(survives(text) ? read : refused);
    if (HasFailure()) return;
  }
  EXPECT_GT(read, 80);
  EXPECT_GT(refused, 1000);
}

TEST_F(JobFuzz, MutatedOptionsAreReadOrRefused) {
  const std::vector<std::string> options{"train.batch=3",  "data.mean=[1, 2]", "memory.limit=1GiB",
                                         "data.root=/tmp", "device=\"cpu\"",   "optimizer.momentum=0.5"};
  int read = 0;
  for (int round = 0; round < 6000; ++round) {
    std::string option = options[below(options.size())];
    for (std::size_t count = 1 + below(3); count > 0; --count) mutate(option);
    read += survives(kLeastJob, {option}) ? 1 : 0;
    if (HasFailure()) return;
  }
  EXPECT_GT(read, 100);
}

}  // namespace
}  // namespace convoy::test
