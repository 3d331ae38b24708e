#include "layers/cpu/lrn_strip.h"

#include "layers/core/bytes.h"

namespace convoy::cpu {
namespace {

// Values of a strip: of few, so that its buffers stay in the nearest cache; of a plane, in the next.
constexpr std::int64_t kFew = 2048;
constexpr std::int64_t kPlane = 1 << 15;

}  // namespace

LrnStrips::LrnStrips(const Lrn& op, const ChannelView& view, std::int64_t width)
    : view_(view), across_(op.region == Lrn::Region::across), reach_(op.size / 2), width_(width) {
  if (across_) {
    const std::int64_t fitting = kFew / (view.blocks * view.lanes);
    part_ = view.lanes > 1 ? fitting : fitting / 16 * 16;
    part_ = std::min(std::max<std::int64_t>(part_, view.lanes > 1 ? 1 : 16), view.pixels);
    parts_ = (view.pixels + part_ - 1) / part_;
    tasks_ = view.samples * parts_;
  } else {
    const std::int64_t plane = view.pixels / width * (width + reach_);
    part_ = std::min<std::int64_t>(view.lanes, 16);
    while (part_ > 1 && part_ * plane > kPlane) part_ /= 2;
    parts_ = (view.lanes + part_ - 1) / part_;
    tasks_ = view.samples * view.blocks * parts_;
  }
  most_floats_ = round_up(strip(0).floats(), 16);  // no later strip is larger
}

LrnStrip LrnStrips::across(std::int64_t task) const {
  const std::int64_t first = task % parts_ * part_;
  const std::int64_t pixels = std::min(part_, view_.pixels - first);
  const std::int64_t run_gap = view_.pixels * view_.lanes;
  LrnStrip strip;
  strip.offset = view_.offset(task / parts_, 0, first);
  strip.runs = view_.blocks;
  strip.run_gap = run_gap;
  if (view_.lanes == 1) {  // a run of pixels for each channel
    strip.groups = 1;
    strip.length = pixels;
    strip.group_floats = view_.blocks * pixels;
    strip.steps = {pixels, 0};
  } else {  // a group of all channels for each pixel
    strip.groups = pixels;
    strip.group_gap = view_.lanes;
    strip.length = view_.lanes;
    strip.group_floats = view_.blocks * view_.lanes + reach_;
    strip.steps = {1, 0};
  }
  strip.lead = reach_ * strip.steps[0];
  strip.body = strip.groups * strip.group_floats;
  return strip;
}

LrnStrip LrnStrips::within(std::int64_t task) const {
  const std::int64_t first = task % parts_ * part_;
  const std::int64_t lanes = std::min(part_, view_.lanes - first);
  LrnStrip strip;
  strip.offset = view_.offset(task / parts_ / view_.blocks, task / parts_ % view_.blocks, 0) + first;
  strip.groups = view_.pixels / width_;  // rows of the image
  strip.group_gap = width_ * view_.lanes;
  if (view_.lanes == 1) {
    strip.runs = 1;
    strip.length = width_;
  } else {
    strip.runs = width_;
    strip.run_gap = view_.lanes;
    strip.length = lanes;
  }
  strip.group_floats = (width_ + reach_) * lanes;
  strip.steps = {lanes, strip.group_floats};
  strip.lead = reach_ * strip.group_floats;
  strip.body = strip.groups * strip.group_floats;
  return strip;
}

}  // namespace convoy::cpu
