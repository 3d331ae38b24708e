#pragma once

#include <string>

#include "trainer/planner/plan.h"

namespace convoy {

/// Tensors whose rectangle has a tooltip; smaller ones have none.
inline constexpr std::size_t kMostRectangles = 2500;

/// The arena as an SVG element: steps from left to right, addresses from the bottom up, a rectangle for each
/// tensor with its name, bytes and steps as <title>, in the colour of its category (CSS class "cN", N the
/// Category). The rectangles' coordinates are whole steps, and multiples of the plan's alignment where these
/// are no more than 2^24: they are the layout itself. What is less than a pixel wide or high, and what is
/// beyond kMostRectangles, has no <title>. Below it the bytes alive at each step; the peak, the segments, the
/// end of forward and, where it is near, the limit are marked.
std::string plan_map(const Plan& plan);

}  // namespace convoy
