#include "layers/core/text.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace convoy {
namespace {

/// Levenshtein distance, one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      row[j] = std::min({above + 1, row[j - 1] + 1, change});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest_word(std::string_view word, std::span<const std::string> candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string best = nearest_word(word, candidates);
  return best.empty() ? "" : " (did you mean \"" + best + "\"?)";
}

std::string counted(std::int64_t count, std::string_view noun) {
  const char* ending = count == 1 ? "" : noun.ends_with("tch") || noun.ends_with("ss") ? "es" : "s";
  return std::to_string(count) + " " + std::string(noun) + ending;
}

std::string join(std::span<const std::string> words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::string figure_text(double value) {
  constexpr double kMostInFull = 1e5;
  return std::abs(value) < kMostInFull ? fmt::format("{:.4f}", value) : fmt::format("{:.4e}", value);
}

}  // namespace convoy
