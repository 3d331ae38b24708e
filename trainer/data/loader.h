#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "layers/core/shape.h"
#include "trainer/data/augment.h"
#include "trainer/data/dataset.h"
#include "trainer/data/memory_budget.h"
#include "trainer/data/mixup.h"
#include "trainer/data/prepare.h"
#include "trainer/data/window_order.h"

namespace convoy {

/// This rank's share of one global batch.
struct Batch {
  std::int64_t epoch = 0;
  std::int64_t iteration = 0;         ///< within the epoch
  std::int64_t global_samples = 0;    ///< of this global batch, all ranks together
  std::int64_t first = 0;             ///< position in the global batch of the first local sample
  std::int64_t count = 0;             ///< local samples; 0 where a small last batch has none for this rank
  std::vector<std::uint8_t> pixels;   ///< count × views × H × W × C, views of LoaderOptions::augmentation
  std::vector<std::int32_t> labels;   ///< count
  std::vector<std::int64_t> indices;  ///< count; index in the data set of each sample
  std::vector<SecondLabel> second_labels;  ///< count with mixup, else none
};

struct LoaderOptions {
  std::int64_t batch = 0;  ///< samples of a global batch, at least 1
  int rank = 0;
  int ranks = 1;
  int threads = 1;
  int ahead = 4;  ///< batches in the ring, the one that next() gave out included; at least 1
  bool shuffle = true;
  std::int64_t window = 0;  ///< with `shuffle`, samples of the windows of WindowOrder; 0: EpochOrder
  std::uint64_t seed = 1;
  Augmentation augmentation;
  std::int64_t start_epoch = 0;
  std::int64_t start_iteration = 0;  ///< within start_epoch, at most iterations_per_epoch()
  std::int64_t epochs = 1;           ///< the last batch is that of epoch epochs - 1
};

/// Totals since construction, but for `ready`.
struct LoaderStatistics {
  std::int64_t ready = 0;       ///< batches filled and not yet given out
  std::int64_t delivered = 0;   ///< batches given out
  double waited_seconds = 0;    ///< that callers of next() stood still
  std::int64_t samples = 0;     ///< decoded
  std::int64_t bytes = 0;       ///< of decoded pixels, before augmentation
  std::int64_t file_bytes = 0;  ///< read from files
  double busy_seconds = 0;      ///< that threads were at work, all together
};

/// Threads that fill a bounded ring of batches ahead of need.
///
/// The content of global batch k is a function of (seed, epoch, k) alone, and of the window where there is
/// one, never of ranks or threads; each sample comes exactly once an epoch; the last batch of an epoch is
/// partial. Batches come in order. Buffers are allocated at construction and stay where they are. One thread
/// may call next(); others may call statistics().
class Loader {
 public:
  /// Starts the threads. Throws Error(usage) for options that cannot be and for images that `output` does not
  /// fit.
  Loader(std::shared_ptr<const Dataset> dataset, Shape output, LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch in order, or null after the last. Valid until the next call. Rethrows what a loader
  /// thread threw, when the batch that it broke is due; every call after that throws the same.
  const Batch* next();

  /// ceil(size / batch)
  std::int64_t iterations_per_epoch() const { return iterations_; }

  LoaderStatistics statistics() const;

  /// Bound of the memory that the ring and the threads' storage take. An image file that needs more than all
  /// threads share for large ones is read while none of the others is, and up to kMostSampleBytes are taken
  /// beyond.
  std::int64_t memory_bytes() const;

  /// The same without a loader and its threads: of `batches` batches of `samples` samples on this rank.
  static std::int64_t ring_bytes(std::int64_t batches, std::int64_t samples, Shape output,
                                 const Augmentation& augmentation);

 private:
  struct Slot;
  struct Piece;
  struct Work;
  struct Scratch;

  void check() const;
  bool take(const std::stop_token& stop, Piece& piece);
  void begin(Slot& slot, std::int64_t serial);
  bool mixes() const { return options_.augmentation.mixup > 0; }
  std::int64_t piece_size(const Batch& batch, std::int64_t first) const;
  std::int64_t index_at(const Slot& slot, std::int64_t position) const;
  std::int32_t prepare(const Batch& batch, std::int64_t index, Scratch& scratch, std::uint8_t* out) const;
  Work fill(const Piece& piece, const std::stop_token& stop, Scratch& scratch, Slot& slot) const;
  void mix(const Piece& piece, Scratch& scratch, Slot& slot) const;
  void finish(const Piece& piece, std::exception_ptr error, const Work& done);
  void work(const std::stop_token& stop);
  std::shared_ptr<const WindowOrder> windows_of(std::int64_t epoch) const;
  void read_ahead(const std::stop_token& stop, std::int64_t start);

  std::shared_ptr<const Dataset> dataset_;
  Shape output_;
  LoaderOptions options_;
  std::int64_t iterations_;
  std::int64_t sample_bytes_;  ///< of pixels, all views of a sample
  std::int64_t piece_samples_;
  std::shared_ptr<const WindowOrder> windows_;  ///< of the epoch that was begun last

  MemoryBudget budget_;
  mutable std::mutex mutex_;
  std::condition_variable_any space_;  ///< a slot became free
  std::condition_variable ready_;      ///< a slot became ready
  std::vector<Slot> ring_;             ///< batch `serial` is in slot serial % ahead
  std::int64_t filling_;               ///< serial of the batch that is being handed out in pieces
  std::int64_t due_;                   ///< serial of the batch that next() gives out next
  std::int64_t end_;                   ///< serial after the last batch
  bool held_ = false;                  ///< the caller holds batch due_ - 1
  LoaderStatistics statistics_;
  std::vector<std::jthread> threads_;  ///< last: they use all of the above
};

}  // namespace convoy
