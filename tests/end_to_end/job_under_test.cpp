#include "tests/end_to_end/job_under_test.h"

#include <csignal>

namespace convoy::test {

JobUnderTest::~JobUnderTest() {
  for (const pid_t pid : job_processes()) kill(pid, SIGKILL);  // those of a test that failed
}

std::vector<std::string> JobUnderTest::train_words(int ranks, const std::string& run,
                                                   const std::vector<std::string>& sets) const {
  std::vector<std::string> words{"train", job_, "--run-dir", run};
  for (const std::string& set : sets) words.insert(words.end(), {"--set", set});
  return ranks == 0 ? convoy(words) : mpi_convoy(ranks, words);
}

Ended JobUnderTest::train(int ranks, const std::string& name, const std::vector<std::string>& sets) const {
  return run(train_words(ranks, name, sets), path(""));
}

bool JobUnderTest::has_begun(const std::string& run) {
  return wait_until([&] { return count_of("\n", read_text(run + "/metrics.jsonl")) >= 3; });
}

bool JobUnderTest::all_gone(double seconds) const {
  return wait_until([&] { return job_processes().empty(); }, seconds);
}

}  // namespace convoy::test
