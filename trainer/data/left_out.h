#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layers/core/error.h"
#include "trainer/data/printable.h"

namespace convoy {

/// How much of one kind a listing leaves out, with the first by name.
struct LeftOut {
  std::int64_t count = 0;
  std::string first;

  void add(const std::string& path) {
    if (++count == 1 || path < first) first = path;
  }
  void add(const LeftOut& other) {
    if (other.count > 0 && (count == 0 || other.first < first)) first = other.first;
    count += other.count;
  }
  void note(const char* what, std::vector<std::string>& notes) const {
    if (count == 0) return;
    notes.push_back(fmt::format("left out {}: {}{}", what, printable(first),
                                count > 1 ? fmt::format(" and {} more", count - 1) : ""));
  }
};

}  // namespace convoy
