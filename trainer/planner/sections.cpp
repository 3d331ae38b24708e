#include "trainer/planner/sections.h"

#include <algorithm>

namespace convoy {
namespace {

/// Births and deaths in order of time; at one step births come first, as the last step is included.
struct Event {
  int step;
  bool death;
  std::int64_t bytes;
};

std::vector<Event> events_of(std::span<const Block> blocks) {
  std::vector<Event> events;
  events.reserve(2 * blocks.size());
  for (const Block& block : blocks) {
    events.push_back({block.first, false, block.bytes});
    events.push_back({block.last, true, block.bytes});
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return a.step != b.step ? a.step < b.step : a.death < b.death;
  });
  return events;
}

}  // namespace

Peak find_peak(std::span<const Block> blocks) {
  Peak peak;
  std::int64_t alive = 0;
  for (const Event& event : events_of(blocks)) {
    alive += event.death ? -event.bytes : event.bytes;
    if (alive > peak.bytes) peak = {alive, event.step};
  }
  return peak;
}

Sections find_sections(std::span<const Block> blocks) {
  // A set of blocks alive together is largest when a death follows a birth.
  std::vector<int> steps;  // one of each section
  bool born = false;
  for (const Event& event : events_of(blocks)) {
    if (event.death && born) steps.push_back(event.step);
    born = !event.death;
  }
  Sections sections{{blocks.begin(), blocks.end()}, {}, static_cast<int>(steps.size())};
  for (const Block& block : blocks) sections.lives.push_back(std::int64_t{block.last} - block.first + 1);
  for (Block& block : sections.blocks) {
    block.first = static_cast<int>(std::lower_bound(steps.begin(), steps.end(), block.first) - steps.begin());
    block.last =
        static_cast<int>(std::upper_bound(steps.begin(), steps.end(), block.last) - steps.begin()) - 1;
  }
  return sections;
}

std::vector<std::int64_t> section_totals(const Sections& sections) {
  std::vector<std::int64_t> totals(static_cast<std::size_t>(sections.count));
  for (const Block& block : sections.blocks) {
    for (int s = block.first; s <= block.last; ++s) totals[static_cast<std::size_t>(s)] += block.bytes;
  }
  return totals;
}

}  // namespace convoy
