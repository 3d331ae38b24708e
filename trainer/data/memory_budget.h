#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace convoy {

/// Storage of one sample that a thread keeps for the next, each piece: enough for an image of 1.4 million
/// pixels. What takes more is claimed from the budget and given back after the sample.
inline constexpr std::int64_t kMostKeptBytes = std::int64_t{4} << 20;

/// What a thread that decodes image files counts: five such pieces (the file, the pixels, turned pixels, rows
/// between two passes, a progressive file's coefficients), and as much of a budget.
inline constexpr std::int64_t kThreadBytes = 2 * 5 * kMostKeptBytes;

class BudgetClaim;

/// Memory that the threads of a loader share for images that take more than usual. Who asks for more than is
/// left waits; what is more than all of it is given when no other holder is at work, to one at a time.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::int64_t bytes) : left_(bytes) {}

 private:
  friend class BudgetClaim;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::int64_t left_;
  int working_ = 0;                      ///< holders that do not wait for more
  const BudgetClaim* beyond_ = nullptr;  ///< the holder that has more than was left
};

/// What one thread holds of a budget; of none where there is no budget to share.
class BudgetClaim {
 public:
  BudgetClaim() = default;
  explicit BudgetClaim(MemoryBudget& budget) : budget_(&budget) {}
  ~BudgetClaim() { release(); }
  BudgetClaim(const BudgetClaim&) = delete;
  BudgetClaim& operator=(const BudgetClaim&) = delete;

  /// The sample takes `bytes` more; up to kMostKeptBytes they are the thread's own.
  void add(std::int64_t bytes);

  /// The sample is done, and its large storage given back.
  void release();

 private:
  MemoryBudget* budget_ = nullptr;
  std::int64_t held_ = 0;
};

/// Resizes to just so many bytes; what it held is lost where it grows, and gone before it does.
inline void resize_exactly(std::vector<std::uint8_t>& storage, std::size_t bytes) {
  if (bytes > storage.capacity()) std::vector<std::uint8_t>().swap(storage);
  storage.resize(bytes);
}

}  // namespace convoy
