#pragma once

#include "trainer/kernels/measure_kernels.h"

namespace convoy {

/// Trials, and the conditions (Backend's processor, library, threads) under which they were made, as a JSON
/// text that people can read, too.
struct KernelTable {
  std::string conditions;
  KernelTrials trials;

  std::string text() const;
  /// Error(usage) that says what is wrong with a text that is no such table.
  static KernelTable parse(const std::string& text);
};

}  // namespace convoy
