#include "layers/cpu/trial_site.h"

#include <algorithm>
#include <bit>

#include "layers/cpu/image_layout.h"

namespace convoy::cpu {
namespace {

/// Multiply-accumulates of one pass that are quick enough: a few milliseconds on two cores.
constexpr std::int64_t kTrialMacs = std::int64_t{1} << 30;
constexpr std::int64_t kLeastBatch = 16;
constexpr std::int64_t kLeastRows = 8;  // two of Winograd's tiles

std::int64_t macs_of_sample(const Convolution& op, const Shape& input) {
  return std::max<std::int64_t>(op.macs(std::span(&input, 1)), 1);
}

}  // namespace

std::int64_t trial_batch(const Convolution& op, const Site& site) {
  const std::int64_t quick = std::max(kLeastBatch, kTrialMacs / macs_of_sample(op, site.inputs[0]));
  const std::int64_t samples = std::min(site.batch, quick);
  // Batches that differ little share a choice: micro-batches whose sizes differ by one above all.
  return samples <= kLeastBatch
             ? samples
             : static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(samples)));
}

std::string problem_text(const Convolution& op, const Site& site) {
  const Shape& in = site.inputs[0];
  std::string text =
      fmt::format("{} {}x{}x{} to {}", name_of(site.type), in.channels, in.height, in.width, op.outputs);
  text +=
      fmt::format(", kernel {}x{}, stride {}x{}, padding {},{},{},{}", op.kernel_y, op.kernel_x, op.stride_y,
                  op.stride_x, op.padding_top, op.padding_left, op.padding_bottom, op.padding_right);
  if (op.dilation_y != 1 || op.dilation_x != 1)
    text += fmt::format(", dilation {}x{}", op.dilation_y, op.dilation_x);
  if (op.groups != 1) text += fmt::format(", groups {}", op.groups);
  if (op.bias) text += ", bias";
  if (site.relu_follows) text += ", relu";
  return text + fmt::format(", batch {}", trial_batch(op, site));
}

Site trial_site(const Convolution& op, const Site& site) {
  Site trial = site;
  trial.batch = trial_batch(op, site);
  trial.workspace_bytes = kAnyWorkspace;
  trial.lean.clear();
  Shape& in = trial.inputs[0];
  const std::int64_t rows = site.output.height;
  const std::int64_t work = macs_of_sample(op, in) * trial.batch;
  const std::int64_t fewer = std::max(kLeastRows, rows * kTrialMacs / work);
  if (fewer < rows) {
    const std::int64_t window = (op.kernel_y - 1) * op.dilation_y + 1;
    const std::int64_t height = (fewer - 1) * op.stride_y + window - op.padding_top - op.padding_bottom;
    in.height = std::clamp<std::int64_t>(height, 1, in.height);
    trial.output = op.output(trial.inputs);
  }
  return trial;
}

double trial_share(const Convolution& op, const Site& site) {
  const Site trial = trial_site(op, site);
  const auto work = [&](const Site& one) {
    return static_cast<double>(macs_of_sample(op, one.inputs[0])) * static_cast<double>(one.batch);
  };
  return work(trial) / work(site);
}

std::optional<Layout> input_for_trial(const Site& site, const Site& trial, const Layout& input,
                                      Engine& engine) {
  const std::optional<ImageLayout> layout = image_layout(engine.desc(input), site.inputs[0], site.batch);
  if (!layout) return std::nullopt;
  return engine.layout(image_like(*layout, trial.inputs[0], trial.batch, site.type));
}

}  // namespace convoy::cpu
