#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace convoy {

class Kernel;

/// Which of its ways to run a backend takes for each problem, where it has several: problem → way, both in
/// the backend's own words (Backend::kernel_problem). A problem that is not there runs the usual way.
using KernelChoices = std::map<std::string, std::string>;

/// What was measured of one problem.
struct KernelTrial {
  std::string usual;   ///< the way without a choice
  std::string chosen;  ///< the fastest, or the usual one where no other is clearly faster
  /// By way: of its passes, and of the changes of layout that it makes necessary. Empty where there is but
  /// one way.
  std::map<std::string, double> seconds;
  bool differs() const { return chosen != usual; }
  friend bool operator==(const KernelTrial&, const KernelTrial&) = default;
};

/// Measures kernels, and says what measuring may take.
class KernelTimer {
 public:
  virtual ~KernelTimer() = default;
  /// Runs the kernel once, as cold as a training step finds it. `what` says of which way and pass it is.
  virtual double seconds(const std::string& what, Kernel& kernel) = 0;
  /// True when the time for measuring is over: no trial is begun, and one under way is brought to an end.
  virtual bool late() = 0;
  /// True when even a trial under way must stop.
  virtual bool over() = 0;
  /// Memory to run kernels in, aligned as a tensor of the arena, filled with numbers of moderate size; what
  /// was given before is void. Null where so much may not be had.
  virtual std::byte* memory(std::int64_t bytes) = 0;
};

}  // namespace convoy
