#include "comm/operation.h"

#include <functional>

namespace convoy {
namespace {

const char* name_of(Collective collective) {
  switch (collective) {
    case Collective::all_reduce:
      return "all-reduce";
    case Collective::reduce_scatter:
      return "reduce-scatter";
    case Collective::all_gather:
      return "all-gather";
    case Collective::broadcast:
      return "broadcast";
    case Collective::barrier:
      return "barrier";
    case Collective::shutdown:
      return "end of the program";
  }
  return "?";
}

const char* name_of(Element element) {
  switch (element) {
    case Element::f32:
      return "fp32";
    case Element::f64:
      return "fp64";
    case Element::s64:
      return "int64";
    case Element::u8:
      return "uint8";
  }
  return "?";
}

}  // namespace

std::string Operation::text() const {
  if (collective == Collective::shutdown) return fmt::format("'{}'", name);
  if (collective == Collective::barrier) return fmt::format("'{}' (barrier)", name);
  const bool per_rank = collective == Collective::reduce_scatter || collective == Collective::all_gather;
  return fmt::format("'{}' ({} of {} {}{})", name, name_of(collective), count, name_of(element),
                     per_rank ? " per rank" : "");
}

std::uint64_t Operation::signature() const {
  std::uint64_t hash = std::hash<std::string>{}(name);
  for (const std::int64_t part :
       {static_cast<std::int64_t>(collective), count, static_cast<std::int64_t>(element),
        static_cast<std::int64_t>(reduction), static_cast<std::int64_t>(root)}) {
    hash = (hash ^ static_cast<std::uint64_t>(part)) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 29;
  }
  return hash;
}

void check(const Operation& operation, int size) {
  if (operation.count < 0 || operation.root < 0 || operation.root >= size ||
      (operation.data == nullptr && operation.count > 0)) {
    fail(ExitCode::internal, "wrong arguments for {}: root {} of {} ranks, data {}", operation.text(),
         operation.root, size, operation.data == nullptr ? "missing" : "given");
  }
}

}  // namespace convoy
