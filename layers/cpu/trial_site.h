#pragma once

#include <optional>

#include "layers/cpu/lower.h"

namespace convoy::cpu {

/// Samples of a trial of the convolution when `site.batch` pass at a time: all of them, or a power of two
/// where they are more than 16, and the fewer the more work they are, down to 16: oneDNN's choice of Winograd
/// asks for more than 8.
std::int64_t trial_batch(const Convolution& op, const Site& site);

/// Backend::kernel_problem: shapes, windows, type, and the samples of a trial, so that large batches share a
/// choice. Whether it is training, and whether the input wants a gradient, is not in it: evaluation runs as
/// training does.
std::string problem_text(const Convolution& op, const Site& site);

/// The site with the samples of a trial, and where these are much work still with the first rows of the
/// images only: kernels go through them row by row. Caps of scratch are left out: what is the fastest without
/// is what they are applied to.
Site trial_site(const Convolution& op, const Site& site);

/// Backend::trial_share: multiply-accumulates of the trial over those of the site.
double trial_share(const Convolution& op, const Site& site);

/// The layout of the trial's input when that of the site comes as `input`; nullopt for layouts without a
/// name.
std::optional<Layout> input_for_trial(const Site& site, const Site& trial, const Layout& input,
                                      Engine& engine);

}  // namespace convoy::cpu
