#include <fmt/format.h>

#include <algorithm>

#include "layers/core/text.h"
#include "trainer/kernels/kernel_plan.h"

namespace convoy {

std::string ChosenKernels::line() const {
  if (too_large)
    return "kernels: the usual ones, since those measured to be faster take more memory than there is";
  if (known == 0) return "";
  std::string text = fmt::format("kernels: {} of {} run otherwise than usual, as measured", differ,
                                 counted(problems, "problem"));
  if (measured > 0) text += fmt::format(" ({} now, in {:.1f} s)", measured, seconds);
  if (known < problems) text += fmt::format("; {} not measured yet", problems - known);
  return text;
}

std::vector<std::string> ChosenKernels::details() const {
  std::vector<std::string> lines;
  for (const auto& [problem, trial] : table.trials) {
    std::vector<std::pair<double, std::string>> ways;
    for (const auto& [way, spent] : trial.seconds) ways.emplace_back(spent, way);
    std::sort(ways.begin(), ways.end());
    std::string line =
        fmt::format("kernel of {}: {}{}", problem, trial.chosen, trial.differs() ? "" : " (usual)");
    const char* separator = "; milliseconds: ";
    for (const auto& [spent, way] : ways) {
      line += fmt::format("{}{} {:.3f}{}", separator, way, spent * 1e3,
                          way == trial.usual && trial.differs() ? " (usual)" : "");
      separator = ", ";
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace convoy
