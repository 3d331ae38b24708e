#include "tests/trainer/data/count_allocations.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace convoy {
namespace {

std::atomic<std::int64_t> count = 0;
std::atomic<std::int64_t> held = 0;
std::atomic<std::int64_t> peak = 0;

void add(void* memory) {
  count.fetch_add(1);
  const auto bytes = static_cast<std::int64_t>(malloc_usable_size(memory));
  const std::int64_t now = held.fetch_add(bytes) + bytes;
  std::int64_t before = peak;
  while (now > before && !peak.compare_exchange_weak(before, now)) continue;
}

}  // namespace

std::int64_t allocations() { return count; }
std::int64_t held_bytes() { return held; }
std::int64_t peak_held_bytes() { return peak; }
void restart_peak() { peak = held.load(); }

}  // namespace convoy

void* operator new(std::size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  convoy::add(memory);
  return memory;
}

void operator delete(void* memory) noexcept {
  if (memory != nullptr) convoy::held.fetch_sub(static_cast<std::int64_t>(malloc_usable_size(memory)));
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
