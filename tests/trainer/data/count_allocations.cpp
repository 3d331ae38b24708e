#include "tests/trainer/data/count_allocations.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace convoy {
namespace {

std::atomic<std::int64_t> allocations_made = 0;
std::atomic<std::int64_t> bytes_held = 0;
std::atomic<std::int64_t> most_held = 0;

void add(void* memory) {
  allocations_made.fetch_add(1);
  const auto bytes = static_cast<std::int64_t>(malloc_usable_size(memory));
  const std::int64_t now = bytes_held.fetch_add(bytes) + bytes;
  std::int64_t before = most_held;
  while (now > before && !most_held.compare_exchange_weak(before, now)) continue;
}

}  // namespace

std::int64_t allocations() { return allocations_made; }
std::int64_t held_bytes() { return bytes_held; }
std::int64_t peak_held_bytes() { return most_held; }
void restart_peak() { most_held = bytes_held.load(); }

}  // namespace convoy

void* operator new(std::size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  convoy::add(memory);
  return memory;
}

void operator delete(void* memory) noexcept {
  if (memory != nullptr) convoy::bytes_held.fetch_sub(static_cast<std::int64_t>(malloc_usable_size(memory)));
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
