#pragma once

#include <cstdint>
#include <string>

#include "comm/communicator.h"
#include "trainer/data/loader.h"

namespace convoy {

/// What the loader of a rank did in a stretch of time.
struct LoaderFigures {
  std::int64_t ready = 0;  ///< batches that wait to be taken, at its end
  std::int64_t ahead = 0;  ///< batches that the ring holds
  int threads = 1;
  double decode_rate = 0;  ///< images a second that all threads prepare when they do not wait; 0: unknown
  std::int64_t bytes_read = 0;  ///< from files
  double read_rate = 0;         ///< bytes a second

  /// "0/4 batches ready, 2 loader threads prepare 812 images/s, 89.1 MiB/s read"
  std::string text() const;
};

/// The rank that waited longest for data.
struct DataWait {
  double share = 0;  ///< of the time
  int rank = 0;
};

/// Of all ranks, which call it together with their own shares; the same on each.
DataWait longest_wait(Communicator& comm, double share);

/// Of the time between two looks at its statistics, which took `seconds`.
LoaderFigures loader_figures(const LoaderStatistics& before, const LoaderStatistics& now, int threads,
                             std::int64_t ahead, double seconds);

}  // namespace convoy
