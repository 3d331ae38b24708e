#include "comm/reduce.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace convoy {
namespace {

struct Sum {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a + b);
  }
};
// b != b holds for a NaN only.
struct Max {
  template <class T>
  T operator()(T a, T b) const {
    return b > a || b != b ? b : a;
  }
};
struct Min {
  template <class T>
  T operator()(T a, T b) const {
    return b < a || b != b ? b : a;
  }
};

/// Goes through the parts in blocks that stay in the first-level cache, so each part is read once and `out`
/// written once, whatever the number of parts.
template <class T, class Operator>
void reduce(std::span<const void* const> parts, T* out, std::int64_t count, Operator combine) {
  constexpr std::int64_t kBlock = 8192 / static_cast<std::int64_t>(sizeof(T));
  std::array<T, kBlock> total;
  for (std::int64_t first = 0; first < count; first += kBlock) {
    const auto length = static_cast<std::size_t>(std::min(kBlock, count - first));
    const T* a = static_cast<const T*>(parts[0]) + first;
    const std::size_t bytes = length * sizeof(T);
    if (parts.size() == 1) {
      std::memmove(out + first, a, bytes);
      continue;
    }
    const T* b = static_cast<const T*>(parts[1]) + first;
    for (std::size_t i = 0; i < length; ++i) total[i] = combine(a[i], b[i]);
    for (const void* part : parts.subspan(2)) {
      const T* c = static_cast<const T*>(part) + first;
      for (std::size_t i = 0; i < length; ++i) total[i] = combine(total[i], c[i]);
    }
    std::memcpy(out + first, total.data(), bytes);
  }
}

template <class T>
void reduce(std::span<const void* const> parts, void* out, std::int64_t count, Reduction reduction) {
  T* typed = static_cast<T*>(out);
  switch (reduction) {
    case Reduction::sum:
      return reduce(parts, typed, count, Sum{});
    case Reduction::max:
      return reduce(parts, typed, count, Max{});
    case Reduction::min:
      return reduce(parts, typed, count, Min{});
  }
}

}  // namespace

void reduce_in_order(std::span<const void* const> parts, void* out, std::int64_t count, Element element,
                     Reduction reduction) {
  if (parts.empty() || count == 0) return;
  switch (element) {
    case Element::f32:
      return reduce<float>(parts, out, count, reduction);
    case Element::f64:
      return reduce<double>(parts, out, count, reduction);
    case Element::s64:
      return reduce<std::int64_t>(parts, out, count, reduction);
    case Element::u8:
      return reduce<std::uint8_t>(parts, out, count, reduction);
  }
}

}  // namespace convoy
