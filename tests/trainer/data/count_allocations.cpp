#include "tests/trainer/data/count_allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace convoy {
namespace {

std::atomic<std::int64_t> count = 0;

}  // namespace

std::int64_t allocations() { return count; }

}  // namespace convoy

void* operator new(std::size_t bytes) {
  convoy::count.fetch_add(1);
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
