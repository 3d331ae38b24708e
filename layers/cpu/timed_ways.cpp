#include "layers/cpu/timed_ways.h"

#include <algorithm>

namespace convoy::cpu {
namespace {

using Lie = ConvolutionVariant::Lie;

/// A choice must be faster than what it replaces by this factor: less is noise, or not worth a change.
constexpr double kClearly = 0.95;
/// The sum of second least times over that of the least where nothing else disturbed them.
constexpr double kCalm = 1.1;

/// Of the ways whose activations lie so the first one, with the passes of others put in that are clearly
/// faster and take the same layouts.
TimedVariant composed(const std::vector<Way>& ways, Lie lie) {
  const Way* base = nullptr;
  std::vector<Part> passes;
  TimedVariant made;
  for (const Way& way : ways) {
    if (way.variant.lie != lie) continue;
    if (base == nullptr) {
      base = &way;
      passes = way.passes;
      made.variant = way.variant;
      continue;
    }
    for (std::size_t p = 0; p < passes.size(); ++p) {
      if (way.layouts[p] != base->layouts[p]) continue;
      if (way.passes[p]->seconds >= kClearly * passes[p]->seconds) continue;
      passes[p] = way.passes[p];
      made.variant.algorithms[p] = way.variant.algorithms[p];
    }
  }
  if (base == nullptr) return made;
  made.seconds = base->changing();
  for (const Part& pass : passes) made.seconds += pass->cost();
  return made;
}

}  // namespace

void Timed::add(double time) {
  second = std::clamp(time, seconds, second);
  seconds = std::min(seconds, time);
}

double Way::changing() const {
  double seconds = 0;
  for (const Part& change : changes) seconds += change->cost();
  return seconds;
}

double Way::total() const {
  double seconds = changing();
  for (const Part& pass : passes) seconds += pass->cost();
  return seconds;
}

std::vector<Part> hopeful_parts(const std::vector<Way>& ways) {
  std::vector<Part> parts;
  for (const Way& way : ways) {
    for (const auto* of_way : {&way.passes, &way.changes}) {
      for (const Part& part : *of_way) {
        if (part->hopeless || std::find(parts.begin(), parts.end(), part) != parts.end()) continue;
        parts.push_back(part);
      }
    }
  }
  return parts;
}

void drop_hopeless(const std::vector<Way>& ways, double factor) {
  const double best = fastest(ways).seconds;
  // The usual way is what the others are measured against.
  std::vector<Part> hopeful = ways[0].passes;
  for (const Way& way : ways) {
    const Lie lie = way.variant.lie;
    if (lie != ways[0].variant.lie && composed(ways, lie).seconds > factor * best) continue;
    for (std::size_t p = 0; p < way.passes.size(); ++p) {
      double least = way.passes[p]->seconds;
      for (const Way& other : ways) {
        if (other.variant.lie == lie) least = std::min(least, other.passes[p]->seconds);
      }
      if (way.passes[p]->seconds <= factor * least) hopeful.push_back(way.passes[p]);
    }
    hopeful.insert(hopeful.end(), way.changes.begin(), way.changes.end());
  }
  for (const Part& part : hopeful_parts(ways))
    part->hopeless = std::find(hopeful.begin(), hopeful.end(), part) == hopeful.end();
}

bool calm(const std::vector<Way>& ways) {
  double least = 0;
  double second = 0;
  for (const Part& part : hopeful_parts(ways)) {
    least += part->seconds;
    second += part->second;
  }
  return second <= kCalm * least;
}

TimedVariant fastest(const std::vector<Way>& ways) {
  const Lie usual = ways[0].variant.lie;
  TimedVariant best = composed(ways, usual);
  double least = kClearly * best.seconds;
  const auto consider = [&](const TimedVariant& candidate) {
    if (candidate.seconds >= least) return;
    least = candidate.seconds;
    best = candidate;
  };
  for (const Way& way : ways) {
    consider({way.variant, way.total()});
    if (way.variant.lie != usual) consider(composed(ways, way.variant.lie));
  }
  return best;
}

}  // namespace convoy::cpu
