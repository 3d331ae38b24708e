#include "trainer/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "layers/core/text.h"

namespace convoy {
namespace {

constexpr int kBarWidth = 24;
constexpr auto kTerminalInterval = std::chrono::milliseconds(100);
constexpr auto kPlainInterval = std::chrono::seconds(10);

std::string figures(const Progress::State& state) {
  std::string text =
      fmt::format("epoch {}/{}  {}/{}  loss {}  top-1 {:.4f}  {:.0f} images/s  {} left", state.epoch + 1,
                  state.epochs, state.in_epoch, state.per_epoch, figure_text(state.loss), state.top1,
                  state.images_per_second, format_seconds(state.seconds_left));
  if (state.data_wait_share > Progress::kNoticedWait) {
    text += fmt::format("  waits for data {:.0f}%{}", 100 * state.data_wait_share,
                        state.loader.empty() ? "" : " (" + state.loader + ")");
  }
  return text;
}

}  // namespace

std::string format_seconds(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds)));
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

Progress::Progress(std::FILE* out, bool terminal) : out_(out), terminal_(terminal) {
  next_ = std::chrono::steady_clock::now() + (terminal_ ? kTerminalInterval : kPlainInterval);
}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (drawn_) fmt::print(out_, "\r\033[K");
  drawn_ = false;
}

bool Progress::is_time() const { return out_ != nullptr && std::chrono::steady_clock::now() >= next_; }

void Progress::show(const State& state) {
  if (!is_time()) return;
  draw(
      static_cast<double>(state.iteration) / static_cast<double>(std::max<std::int64_t>(state.iterations, 1)),
      figures(state));
}

void Progress::show(double share, const std::string& text) {
  if (is_time()) draw(share, text);
}

void Progress::draw(double share, const std::string& text) {
  const auto now = std::chrono::steady_clock::now();
  if (terminal_) {
    const int full = static_cast<int>(std::clamp(share, 0.0, 1.0) * kBarWidth);
    fmt::print(out_, "\r\033[K[{:=<{}}{:<{}}] {}", "", full, "", kBarWidth - full, text);
    drawn_ = true;
    next_ = now + kTerminalInterval;
  } else {
    fmt::print(out_, "{}\n", text);
    next_ = now + kPlainInterval;
  }
  std::fflush(out_);
}

void Progress::line(const std::string& text) {
  if (out_ == nullptr) return;
  clear();
  fmt::print(out_, "{}\n", text);
  std::fflush(out_);
}

}  // namespace convoy
