#include "trainer/data/loader.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "layers/core/clock.h"
#include "layers/core/error.h"
#include "trainer/data/epoch_order.h"

namespace convoy {
namespace {

/// What a thread takes at a time: enough that the lock does not count, little enough that a batch is shared.
constexpr std::int64_t kPieceBytes = std::int64_t{1} << 15;

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return a / b + (a % b != 0); }

}  // namespace

/// A place in the ring. The lock guards all but the contents of batch, of which each piece is one thread's.
struct Loader::Slot {
  Batch batch;
  std::int64_t serial = -1;  ///< of the batch in it
  std::int64_t handed = 0;   ///< local samples given to threads
  int open_pieces = 0;       ///< given to threads and not finished
  bool all_handed = false;
  std::exception_ptr error;      ///< of the first piece that failed
  std::int64_t error_first = 0;  ///< where that piece starts
  std::shared_ptr<const WindowOrder> windows;

  bool filled(std::int64_t wanted) const { return serial == wanted && all_handed && open_pieces == 0; }
};

/// Local samples [first, first + count) of batch `serial`.
struct Loader::Piece {
  std::int64_t serial = 0;
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// What a thread did for a piece.
struct Loader::Work {
  std::int64_t bytes = 0;       ///< of decoded pixels
  std::int64_t file_bytes = 0;  ///< read
  double seconds = 0;
};

/// Storage of a thread.
struct Loader::Scratch {
  PrepareScratch prepare;
  std::vector<std::uint8_t> partner;  ///< of a sample whose partner is another rank's
  std::int64_t bytes = 0;             ///< of pixels decoded so far
};

Loader::Loader(std::shared_ptr<const Dataset> dataset, Shape output, LoaderOptions options)
    : dataset_(std::move(dataset)),
      output_(output),
      options_(options),
      budget_(std::max(options.threads, 1) * kThreadBytes / 2) {
  check();
  const std::int64_t size = dataset_->size();
  iterations_ = ceil_divide(size, options_.batch);
  if (options_.start_iteration > iterations_) {
    fail(ExitCode::usage,
         "start at iteration {} of an epoch of {} iterations; is this checkpoint of another data set?",
         options_.start_iteration, iterations_);
  }
  if (std::max(options_.start_epoch, options_.epochs) >
      std::numeric_limits<std::int64_t>::max() / (iterations_ + 1) - 1) {
    fail(ExitCode::usage, "{} epochs of {} iterations are too many", options_.epochs, iterations_);
  }
  filling_ = due_ = options_.start_epoch * iterations_ + options_.start_iteration;
  end_ = std::max(due_, options_.epochs * iterations_);
  sample_bytes_ = output_.elements() * options_.augmentation.views();
  piece_samples_ = std::max<std::int64_t>(1, kPieceBytes / sample_bytes_);
  ring_.resize(static_cast<std::size_t>(options_.ahead));
  const auto most = static_cast<std::size_t>(ceil_divide(std::min(options_.batch, size), options_.ranks));
  for (Slot& slot : ring_) {
    slot.batch.pixels.reserve(most * static_cast<std::size_t>(sample_bytes_));
    slot.batch.labels.reserve(most);
    slot.batch.indices.reserve(most);
    if (mixes()) slot.batch.second_labels.reserve(most);
  }
  for (int i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
  if (options_.shuffle && options_.window > 0 && size > 0) {
    threads_.emplace_back([this, start = due_](const std::stop_token& stop) { read_ahead(stop, start); });
  }
}

Loader::~Loader() {
  for (std::jthread& thread : threads_) thread.request_stop();  // all at once; each joins in its destructor
}

void Loader::check() const {
  const LoaderOptions& o = options_;
  if (o.batch < 1 || o.ranks < 1 || o.rank < 0 || o.rank >= o.ranks || o.threads < 1 || o.ahead < 1 ||
      o.start_epoch < 0 || o.start_iteration < 0 || o.epochs < 0 || o.window < 0 ||
      o.augmentation.crop_padding < 0) {
    fail(ExitCode::usage,
         "loader: batch {}, rank {} of {}, {} threads, {} batches ahead, start at epoch {} iteration {}, {} "
         "epochs, windows of {}, "
         "crop padding {}: none may be negative, and batch, ranks, threads and batches ahead are at least 1",
         o.batch, o.rank, o.ranks, o.threads, o.ahead, o.start_epoch, o.start_iteration, o.epochs, o.window,
         o.augmentation.crop_padding);
  }
  if (mixes() && o.augmentation.views() > 1)
    fail(ExitCode::usage, "mixup is for training, and ten crops are for evaluation: set one of them alone");
  check_augmentation(o.augmentation, dataset_->shape(), output_);
}

const Batch* Loader::next() {
  std::unique_lock lock(mutex_);
  if (held_) {
    held_ = false;
    space_.notify_all();
  }
  if (due_ == end_) return nullptr;
  Slot& slot = ring_[static_cast<std::size_t>(due_ % options_.ahead)];
  if (!slot.filled(due_)) {
    const auto start = std::chrono::steady_clock::now();
    ready_.wait(lock, [&] { return slot.filled(due_); });
    statistics_.waited_seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  if (slot.error) std::rethrow_exception(slot.error);
  held_ = true;
  ++due_;
  ++statistics_.delivered;
  return &slot.batch;
}

void Loader::work(const std::stop_token& stop) {
  Scratch scratch;
  if (mixes()) scratch.partner.resize(static_cast<std::size_t>(sample_bytes_));
  BudgetClaim claim(budget_);
  scratch.prepare.read.decode.budget = &claim;
  for (Piece piece; take(stop, piece);) {
    Slot& slot = ring_[static_cast<std::size_t>(piece.serial % options_.ahead)];
    std::exception_ptr error;
    Work done;
    const auto start = Clock::now();
    try {
      done = fill(piece, stop, scratch, slot);
    } catch (...) {
      error = std::current_exception();
      give_back_large(scratch.prepare);
    }
    done.seconds = seconds_since(start);
    finish(piece, std::move(error), done);
  }
}

/// Waits for the next piece of work; false when there is no more, or the loader is being destroyed.
bool Loader::take(const std::stop_token& stop, Piece& piece) {
  std::unique_lock lock(mutex_);
  const auto free = [&] { return filling_ == end_ || filling_ < due_ - (held_ ? 1 : 0) + options_.ahead; };
  if (!space_.wait(lock, stop, free) || filling_ == end_ || stop.stop_requested()) return false;
  Slot& slot = ring_[static_cast<std::size_t>(filling_ % options_.ahead)];
  if (slot.serial != filling_) begin(slot, filling_);
  piece = {filling_, slot.handed, piece_size(slot.batch, slot.handed)};
  slot.handed += piece.count;
  slot.all_handed = slot.handed == slot.batch.count;
  ++slot.open_pieces;
  if (slot.all_handed) {
    ++filling_;
    if (options_.window > 0) space_.notify_all();  // the thread that reads ahead follows
  }
  return true;
}

/// Of the piece that starts at local sample `first`. Pairs that are mixed stay together.
std::int64_t Loader::piece_size(const Batch& batch, std::int64_t first) const {
  std::int64_t size = piece_samples_;
  if (mixes()) size += size % 2 - (batch.first + first) % 2;
  return std::min(size, batch.count - first);
}

/// Makes a free slot that of batch `serial`, without contents.
void Loader::begin(Slot& slot, std::int64_t serial) {
  Batch& batch = slot.batch;
  batch.epoch = serial / iterations_;
  batch.iteration = serial % iterations_;
  batch.global_samples = std::min(options_.batch, dataset_->size() - batch.iteration * options_.batch);
  const Share share = share_of(batch.global_samples, options_.rank, options_.ranks);
  batch.first = share.first;
  batch.count = share.count;
  const auto count = static_cast<std::size_t>(share.count);
  batch.pixels.resize(count * static_cast<std::size_t>(sample_bytes_));
  batch.labels.resize(count);
  batch.indices.resize(count);
  if (mixes()) batch.second_labels.resize(count);
  slot.serial = serial;
  slot.handed = 0;
  slot.all_handed = false;
  slot.error = nullptr;
  if (!options_.shuffle || options_.window == 0) return;
  if (!windows_ || windows_->epoch() != batch.epoch) windows_ = windows_of(batch.epoch);
  slot.windows = windows_;
}

std::shared_ptr<const WindowOrder> Loader::windows_of(std::int64_t epoch) const {
  return std::make_shared<const WindowOrder>(options_.seed, epoch, dataset_->shard_starts(), options_.window);
}

/// Index in the data set of what is at `position` of the global batch.
std::int64_t Loader::index_at(const Slot& slot, std::int64_t position) const {
  const std::int64_t of_epoch = slot.batch.iteration * options_.batch + position;
  if (slot.windows) return slot.windows->at(of_epoch);
  return EpochOrder(options_.seed, slot.batch.epoch, dataset_->size(), options_.shuffle).at(of_epoch);
}

/// Writes a sample of a batch to `out` and returns its label.
std::int32_t Loader::prepare(const Batch& batch, std::int64_t index, Scratch& scratch,
                             std::uint8_t* out) const {
  const RandomStream stream(options_.seed, Purpose::augment, 0);
  const std::int32_t label = prepare_sample(*dataset_, options_.augmentation, stream, batch.epoch, index,
                                            scratch.prepare, out, output_);
  const Image& image = scratch.prepare.view.image;
  scratch.bytes += std::int64_t{image.channels} * image.height * image.width;
  return label;
}

/// Fills one piece of a batch, without the lock.
Loader::Work Loader::fill(const Piece& piece, const std::stop_token& stop, Scratch& scratch,
                          Slot& slot) const {
  Batch& batch = slot.batch;
  const std::int64_t bytes = scratch.bytes;
  const std::int64_t file_bytes = scratch.prepare.read.file_bytes;
  for (std::int64_t i = piece.first; i < piece.first + piece.count && !stop.stop_requested(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    batch.indices[place] = index_at(slot, batch.first + i);
    batch.labels[place] =
        prepare(batch, batch.indices[place], scratch, batch.pixels.data() + i * sample_bytes_);
  }
  if (mixes() && !stop.stop_requested()) mix(piece, scratch, slot);
  return {scratch.bytes - bytes, scratch.prepare.read.file_bytes - file_bytes};
}

/// Mixes the samples of a piece with their partners, which are in the piece too unless they are another
/// rank's.
void Loader::mix(const Piece& piece, Scratch& scratch, Slot& slot) const {
  Batch& batch = slot.batch;
  const RandomStream stream(options_.seed, Purpose::augment, 0);
  const std::int64_t end = piece.first + piece.count;
  const auto pixels = [&](std::int64_t i) {
    return std::span(batch.pixels)
        .subspan(static_cast<std::size_t>(i * sample_bytes_), static_cast<std::size_t>(sample_bytes_));
  };
  for (std::int64_t i = piece.first; i < end; ++i) {
    const auto place = static_cast<std::size_t>(i);
    const std::int64_t position = batch.first + i;
    const std::int64_t partner = mixup_partner(position, batch.global_samples);
    if (partner < 0) {
      batch.second_labels[place] = {batch.labels[place], 0};
      continue;
    }
    const bool together = partner > position && i + 1 < end;
    const std::int64_t index = together ? batch.indices[place + 1] : index_at(slot, partner);
    const std::int32_t share = draw_mixup(options_.augmentation.mixup, stream, batch.epoch,
                                          partner > position ? batch.indices[place] : index);
    if (together) {
      mix_pair(share, pixels(i), pixels(i + 1));
      batch.second_labels[place] = second_label(batch.labels[place + 1], share);
      batch.second_labels[place + 1] = second_label(batch.labels[place], share);
      ++i;
      continue;
    }
    batch.second_labels[place] = second_label(prepare(batch, index, scratch, scratch.partner.data()), share);
    mix_pair(share, pixels(i), scratch.partner);
  }
}

/// Asks the data set for window after window, each while the one before is being decoded: what this rank
/// needs of it, in the order in which it lies on the disk.
void Loader::read_ahead(const std::stop_token& stop, std::int64_t start) {
  const std::int64_t size = dataset_->size();
  std::int64_t begun = start;  // serial of the batch in which the window before starts
  std::int64_t epoch = begun / iterations_;
  std::int64_t from = begun % iterations_ * options_.batch;
  for (; epoch * iterations_ < end_; ++epoch, from = 0) {
    const std::shared_ptr<const WindowOrder> windows = windows_of(epoch);
    while (from < size) {
      {
        std::unique_lock lock(mutex_);
        if (!space_.wait(lock, stop, [&] { return filling_ >= begun; })) return;
      }
      const std::int64_t next = std::min((from / options_.window + 1) * options_.window, size);
      try {
        dataset_->will_read(
            indices_of_rank(*windows, {from, next - from, options_.batch, options_.rank, options_.ranks}));
      } catch (const std::exception&) {
        // Whatever it is, it comes again when the sample is read, and is told then.
      }
      begun = epoch * iterations_ + from / options_.batch;
      from = next;
      if (stop.stop_requested()) return;
    }
  }
}

void Loader::finish(const Piece& piece, std::exception_ptr error, const Work& done) {
  const std::lock_guard lock(mutex_);
  Slot& slot = ring_[static_cast<std::size_t>(piece.serial % options_.ahead)];
  --slot.open_pieces;
  if (error && (!slot.error || piece.first < slot.error_first)) {
    slot.error = std::move(error);
    slot.error_first = piece.first;
  } else if (!error) {
    statistics_.samples += piece.count;
    statistics_.bytes += done.bytes;
    statistics_.file_bytes += done.file_bytes;
    statistics_.busy_seconds += done.seconds;
  }
  if (slot.filled(piece.serial)) ready_.notify_all();
}

LoaderStatistics Loader::statistics() const {
  const std::lock_guard lock(mutex_);
  LoaderStatistics statistics = statistics_;
  for (std::int64_t serial = due_; serial < std::min(end_, due_ + options_.ahead); ++serial) {
    if (ring_[static_cast<std::size_t>(serial % options_.ahead)].filled(serial)) ++statistics.ready;
  }
  return statistics;
}

std::int64_t Loader::memory_bytes() const {
  const std::int64_t samples = ceil_divide(std::min(options_.batch, dataset_->size()), options_.ranks);
  const std::int64_t partner = mixes() ? sample_bytes_ : 0;
  return ring_bytes(options_.ahead, samples, output_, options_.augmentation) +
         options_.threads * (dataset_->scratch_bytes() + partner);
}

std::int64_t Loader::ring_bytes(std::int64_t batches, std::int64_t samples, Shape output,
                                const Augmentation& augmentation) {
  const std::size_t labels =
      sizeof(std::int32_t) + sizeof(std::int64_t) + (augmentation.mixup > 0 ? sizeof(SecondLabel) : 0);
  return batches * samples * (output.elements() * augmentation.views() + static_cast<std::int64_t>(labels));
}

}  // namespace convoy
