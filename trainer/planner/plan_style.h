#pragma once

#include <array>
#include <cstddef>

#include "trainer/program/program.h"

/// How the page of a plan looks.
namespace convoy::plan_style {

/// Blues for what a parameter costs, warm colours for activations and their gradients; the same by day and by
/// night. Category by category, with room for more; the last three are for what stands beside the categories.
inline constexpr std::array<const char*, 20> kColours{"#4878a8", "#2c5684", "#86b4dc", "#3f9a96", "#93a3ba",
                                                      "#c2ae62", "#eda23c", "#d5703a", "#c8527c", "#8f66b6",
                                                      "#8c8c8c", "#68ab68", "#b0b0b0", "#7d8f3f", "#b0608f",
                                                      "#4f8f7a", "#9c7c4c", "#c4c4c4", "#5f70cc", "#a3866a"};
/// Bytes of the arena that are in nobody's use at the peak, those of collectives, and those of the device.
inline constexpr std::size_t kLoss = 17, kCollective = 18, kOverhead = 19;
static_assert(kCategories <= kLoss);

/// The page's style, but for the rules of the colours, ".c0" and so on.
inline constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --page: #fff; --ink: #1d232b; --soft: #5c6672; --rule: #d9dee4; --bad: #b3261e; --good: #2b7a3d; --pale: #f3f5f8; }
@media (prefers-color-scheme: dark) { :root { --page: #15181c; --ink: #e4e8ed; --soft: #9aa5b1; --rule: #343b44; --bad: #ff8a80; --good: #7fd08f; --pale: #1e2329; } }
body { margin: 2rem auto; max-width: 1220px; padding: 0 1rem; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0; font-weight: 650; } h1 small { font-weight: 400; color: var(--soft); }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; font-weight: 600; }
p { margin: .35rem 0; } .soft { color: var(--soft); } .good { color: var(--good); } .bad { color: var(--bad); }
.refusal { border-left: 4px solid var(--bad); background: var(--pale); padding: .6rem 1rem; margin: 1rem 0; }
table { border-collapse: collapse; margin: .4rem 0; } td, th { padding: .16rem 1.1rem .16rem 0; text-align: left; vertical-align: top; font-weight: 400; }
th { color: var(--soft); border-bottom: 1px solid var(--rule); } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.swatch { width: .8rem; height: .8rem; display: block; margin-top: .25rem; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; fill: var(--ink); overflow: visible; }
.map rect { vector-effect: non-scaling-stroke; } .edged { stroke: var(--page); stroke-width: .7; } .map rect:hover { stroke: var(--ink); stroke-width: 1.5; }
.grid { stroke: var(--rule); } .axis, .way { fill: var(--soft); } .cut { stroke: var(--soft); } .turn { stroke: var(--soft); stroke-dasharray: 2 3; }
.segment { font-weight: 600; } .limit { stroke: var(--bad); stroke-width: 1.6; stroke-dasharray: 7 4; } .limit-text { fill: var(--bad); font-weight: 600; }
.peak { stroke: var(--ink); stroke-width: 1.2; } .peak-text { font-weight: 600; } .alive { fill: var(--soft); fill-opacity: .45; }
.free { fill: none; stroke: var(--rule); }
)";

}  // namespace convoy::plan_style
