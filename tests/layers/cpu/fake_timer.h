#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "layers/graph/backend.h"

namespace convoy::test {

/// A KernelTimer whose times do not depend on the machine: kernels run, and `of` tells how long.
class FakeTimer : public KernelTimer {
 public:
  std::function<double(const std::string&)> of = [](const std::string&) { return 1e-3; };
  double budget = 1e9;  ///< seconds, of the fake times
  std::int64_t limit = std::int64_t{1} << 40;
  std::vector<std::string> asked;  ///< what was timed, in order

  double seconds(const std::string& what, Kernel& kernel) override {
    asked.push_back(what);
    kernel.run({});
    const double taken = of(what);
    spent_ += taken;
    return taken;
  }
  bool late() override { return spent_ >= budget; }
  bool over() override { return spent_ >= 2 * budget; }
  std::byte* memory(std::int64_t bytes) override {
    if (bytes > limit) return nullptr;
    memory_.assign(static_cast<std::size_t>(bytes) + 64, std::byte{0});
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    return memory_.data() + (64 - address % 64) % 64;
  }

 private:
  double spent_ = 0;
  std::vector<std::byte> memory_;
};

/// The first time whose words are all found in what is timed, else `otherwise`.
struct TimeOf {
  std::vector<std::string> words;
  double seconds;
};
inline std::function<double(const std::string&)> times(std::vector<TimeOf> table, double otherwise) {
  return [table = std::move(table), otherwise](const std::string& what) {
    for (const TimeOf& one : table) {
      const auto found = [&](const std::string& word) { return what.find(word) != std::string::npos; };
      if (std::all_of(one.words.begin(), one.words.end(), found)) return one.seconds;
    }
    return otherwise;
  };
}

}  // namespace convoy::test
