#include "trainer/planner/plan_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "layers/core/bytes.h"
#include "layers/core/text.h"
#include "trainer/planner/markup.h"

namespace convoy {
namespace {

// Pixels of the picture.
constexpr double kLeft = 78, kTop = 44, kWidth = 1100, kHeight = 430;
constexpr double kStrip = 60, kGap = 42;  // the curve of bytes alive, and what is between
constexpr double kCharacter = 6.4;        // of a label, about
constexpr double kEdged = 5;              // least width and height of a rectangle with a line around it

class Map {
 public:
  explicit Map(const Plan& plan)
      : plan_(plan),
        program_(plan.program),
        steps_(std::max<std::size_t>(plan.program.steps.size(), 1)),
        room_(plan.request.limit_bytes - plan.request.beside_bytes()) {
    top_ = std::max<std::int64_t>(plan.arena_bytes(), program_.alignment);
    // A limit that is near is shown.
    if (room_ > top_ && static_cast<double>(room_) < 1.15 * static_cast<double>(top_))
      top_ = round_up(room_, program_.alignment);
  }

  std::string draw() {
    const double height = kTop + kHeight + kGap + kStrip + 24;
    text_ = fmt::format(
        "<svg class=\"map\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Map of the arena\">\n",
        kLeft + kWidth + 12, height);
    addresses();
    tensors();
    segments();
    limit();
    alive();
    peak();
    return text_ + "</svg>\n";
  }

 private:
  double x(double step) const { return kLeft + kWidth * step / static_cast<double>(steps_); }
  double y(std::int64_t bytes) const {
    return kTop + kHeight * (1 - static_cast<double>(bytes) / static_cast<double>(top_));
  }

  void line(const char* kind, double x1, double y1, double x2, double y2) {
    text_ += fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                         kind, x1, y1, x2, y2);
  }
  void label(const char* kind, double at_x, double at_y, const char* anchor, const std::string& words) {
    text_ += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", kind,
                         at_x, at_y, anchor, escaped(words));
  }

  /// A round number near `rough`: 1, 2 or 5 times a power of ten.
  static double rounded(double rough) {
    const double ten = std::pow(10, std::floor(std::log10(rough)));
    const double many = rough / ten;
    return ten * (many < 1.5 ? 1 : many < 3.5 ? 2 : many < 7.5 ? 5 : 10);
  }

  void addresses() {
    constexpr std::array kUnits{"bytes", "KiB", "MiB", "GiB", "TiB"};
    double unit = 1;
    std::size_t name = 0;
    for (; unit * 1024 <= static_cast<double>(top_) && name + 1 < kUnits.size(); ++name) unit *= 1024;
    const double most = static_cast<double>(top_) / unit;
    const double each = rounded(most / 4.5);
    for (int i = 0; i * each <= most; ++i) {
      const double at = y(static_cast<std::int64_t>(i * each * unit));
      line("grid", kLeft, at, kLeft + kWidth, at);
      label("axis", kLeft - 8, at + 4, "end", i == 0 ? "0" : fmt::format("{:g} {}", i * each, kUnits[name]));
    }
  }

  std::string title(const Tensor& tensor, std::int64_t offset) const {
    const auto name = [&](int step) { return program_.steps[static_cast<std::size_t>(step)].name; };
    return escaped(fmt::format("{} ({}): {}, {} bytes at {}; steps {} to {}, {} to {}", tensor.name,
                               name_of(tensor.category), format_bytes(tensor.bytes), tensor.bytes, offset,
                               tensor.first, tensor.last, name(tensor.first), name(tensor.last)));
  }

  void tensors() {
    // Browsers do not draw beyond 2^25; beyond 2^24 floats, which they compute with, have no ones.
    std::int64_t unit = program_.alignment;
    while (top_ / unit > 1 << 24) unit *= 2;
    const auto units = [&](std::int64_t bytes) {
      return static_cast<double>(bytes) / static_cast<double>(unit);
    };
    text_ += fmt::format(
        "<svg x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" "
        "preserveAspectRatio=\"none\">\n<g transform=\"matrix(1 0 0 -1 0 {})\">\n",
        kLeft, kTop, kWidth, kHeight, steps_, units(top_), units(top_));
    std::vector<std::size_t> order(program_.tensors.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto area = [&](std::size_t i) {
      const Tensor& tensor = program_.tensors[i];
      return static_cast<double>(tensor.last - tensor.first + 1) * static_cast<double>(tensor.bytes);
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return area(a) > area(b); });
    constexpr std::size_t kMostSmall = 2 * kMostRectangles;  // beyond them nothing can be seen
    order.resize(std::min(order.size(), kMostRectangles + kMostSmall));
    std::string small;
    std::size_t drawn = 0;
    for (const std::size_t i : order) {
      const Tensor& tensor = program_.tensors[i];
      if (tensor.bytes == 0) continue;
      const auto category = static_cast<std::size_t>(tensor.category);
      const std::int64_t offset = plan_.layout.offsets[i];
      const int wide = tensor.last - tensor.first + 1;
      const double high = units(round_up(tensor.bytes, program_.alignment));
      const double pixels = std::min(kWidth * wide / static_cast<double>(steps_),
                                     kHeight * static_cast<double>(tensor.bytes) / static_cast<double>(top_));
      if (pixels >= 1 && drawn < kMostRectangles) {
        ++drawn;
        text_ += fmt::format(
            "<rect class=\"c{}{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}</title></rect>\n",
            category, pixels >= kEdged ? " edged" : "", tensor.first, units(offset), wide, high,
            title(tensor, offset));
      } else {
        small += fmt::format("<rect class=\"c{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", category,
                             tensor.first, units(offset), wide, high);
      }
    }
    text_ += small + "</g>\n</svg>\n";
  }

  static std::string words_of(SegmentKind kind) {
    return kind == SegmentKind::train ? "training" : kind == SegmentKind::evaluate ? "evaluation" : "update";
  }

  void segments() {
    for (std::size_t i = 0; i < program_.segments.size(); ++i) {
      const Segment& segment = program_.segments[i];
      const double begin = x(segment.first);
      const double width = x(segment.end) - begin;
      if (i > 0) line("cut", begin, kTop - 34, begin, kTop + kHeight + kGap + kStrip);
      const std::string kind = words_of(segment.kind);
      const std::string number = fmt::format("{}", i + 1);
      const std::string full =
          segment.samples > 0 ? fmt::format("{} {}, {}", number, kind, counted(segment.samples, "sample"))
                              : number + " " + kind;
      std::string shown;
      for (const std::string& words : {full, number + " " + kind, number}) {
        if (shown.empty() && kCharacter * static_cast<double>(words.size()) < width) shown = words;
      }
      if (!shown.empty()) label("segment", begin + width / 2, kTop - 26, "middle", shown);
      if (segment.kind == SegmentKind::train) ways(segment);
    }
    label("axis", kLeft - 8, kTop + kHeight + 16, "end", "step");
    const auto each = static_cast<std::size_t>(std::max(rounded(static_cast<double>(steps_) / 9), 1.0));
    for (std::size_t step = 0; step < steps_; step += each)
      label("axis", x(static_cast<double>(step)), kTop + kHeight + 16, "middle", fmt::format("{}", step));
  }

  /// Where forward ends and backward begins.
  void ways(const Segment& segment) {
    int turn = segment.first;
    while (turn < segment.end) {
      const Step& step = program_.steps[static_cast<std::size_t>(turn)];
      if (step.kind == StepKind::layer && !goes_forward(step.lowered->spec().passes[step.pass].kind)) break;
      ++turn;
    }
    if (turn == segment.end) return;
    const double under = kTop + kHeight + 31;
    line("turn", x(turn), kTop, x(turn), under);
    if (x(turn) - x(segment.first) > 60) label("way", x(turn) - 5, under, "end", "forward");
    if (x(segment.end) - x(turn) > 64) label("way", x(turn) + 5, under, "start", "backward");
  }

  void limit() {
    if (room_ > top_ || room_ <= 0) return;
    line("limit", kLeft, y(room_), kLeft + kWidth, y(room_));
    label("limit-text", kLeft + kWidth - 6, y(room_) + (room_ < top_ ? -5 : 13), "end",
          "limit: " + format_bytes(room_));
  }

  /// The sums of the bytes of each step, as a curve; of several steps in one pixel the most.
  void alive() {
    std::vector<std::int64_t> change(steps_ + 1);
    for (const Tensor& tensor : program_.tensors) {
      if (tensor.bytes == 0) continue;
      change[static_cast<std::size_t>(tensor.first)] += round_up(tensor.bytes, program_.alignment);
      change[static_cast<std::size_t>(tensor.last) + 1] -= round_up(tensor.bytes, program_.alignment);
    }
    const std::size_t columns = std::min(steps_, static_cast<std::size_t>(kWidth));
    std::vector<std::int64_t> most(columns);
    std::int64_t sum = 0;
    for (std::size_t step = 0; step < steps_; ++step) {
      sum += change[step];
      std::int64_t& column = most[step * columns / steps_];
      column = std::max(column, sum);
    }
    const double bottom = kTop + kHeight + kGap + kStrip;
    std::string path = fmt::format("M{} {:.1f}", kLeft, bottom);
    for (std::size_t c = 0; c < columns; ++c) {
      const double level = bottom - kStrip * static_cast<double>(most[c]) / static_cast<double>(top_);
      path += fmt::format("V{:.1f}H{:.1f}", level,
                          kLeft + kWidth * static_cast<double>(c + 1) / static_cast<double>(columns));
    }
    text_ += fmt::format("<path class=\"alive\" d=\"{}V{:.1f}z\"/>\n", path, bottom);
    line("grid", kLeft, bottom, kLeft + kWidth, bottom);
    label("axis", kLeft - 8, bottom - kStrip / 2 + 4, "end", "alive");
  }

  void peak() {
    const double at = x(plan_.layout.peak_step + 0.5);
    line("peak", at, kTop - 6, at, kTop + kHeight + kGap + kStrip);
    const std::string words = fmt::format(
        "peak: {} alive in step {}, {}", format_bytes(plan_.layout.lower_bound), plan_.layout.peak_step,
        program_.steps[static_cast<std::size_t>(plan_.layout.peak_step)].name);
    const bool right = at < kLeft + kWidth / 2;
    label("peak-text", at + (right ? -4 : 4), kTop - 9, right ? "start" : "end", words);
  }

  const Plan& plan_;
  const Program& program_;
  std::size_t steps_;
  std::int64_t room_;  ///< for the arena, by the limit
  std::int64_t top_;   ///< bytes from the bottom to the top of the map
  std::string text_;
};

}  // namespace

std::string plan_map(const Plan& plan) { return Map(plan).draw(); }

}  // namespace convoy
