#include "layers/cpu/cold_timer.h"

#include <omp.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "layers/core/error.h"

namespace convoy {
namespace {

constexpr std::int64_t kLine = 64;

/// Of one core's own cache, as the system tells it.
std::int64_t core_cache_bytes() {
  const long told = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return std::clamp<std::int64_t>(told, 1 << 20, 4 << 20);
}

/// 0.0078 as fp32, and as two bf16.
constexpr std::uint32_t kModerate = 0x3c003c00;

void fill(void* memory, std::int64_t bytes) {
  auto* words = static_cast<std::uint32_t*>(memory);
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < bytes / 4; ++i) words[i] = kModerate;
}

/// Seconds that this thread was on a core, whatever else ran meanwhile.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

ColdTimer::ColdTimer(double budget_seconds, std::int64_t limit_bytes)
    : budget_(budget_seconds),
      limit_(limit_bytes),
      walked_bytes_(core_cache_bytes() * 3 / 2 * omp_get_max_threads()) {}

double ColdTimer::seconds(const std::string&, Kernel& kernel) {
  empty_caches();
  const bool alone = omp_get_max_threads() == 1;
  const double before = thread_seconds();
  const auto start = Clock::now();
  kernel.run({});
  return alone ? thread_seconds() - before : seconds_since(start);
}

/// Every thread reads and writes its part of the memory, which is more than its core's cache holds.
void ColdTimer::empty_caches() {
  if (walked_ == nullptr) return;
  auto* bytes = static_cast<std::uint8_t*>(walked_->at(0));
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < walked_bytes_; i += kLine) ++bytes[i];
}

std::byte* ColdTimer::memory(std::int64_t bytes) {
  if (bytes + walked_bytes_ > limit_) return nullptr;
  if (arena_ == nullptr || arena_->bytes() < bytes) {
    arena_ = nullptr;
    try {
      if (walked_ == nullptr) walked_ = std::make_unique<Arena>(device_, walked_bytes_);
      arena_ = std::make_unique<Arena>(device_, bytes);
    } catch (const Error&) {
      return nullptr;
    }
    fill(arena_->at(0), bytes);
  }
  return static_cast<std::byte*>(arena_->at(0));
}

}  // namespace convoy
