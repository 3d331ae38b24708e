#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace convoy {

/// The candidate nearest to `word` by edit distance, or "" when none is near enough to be a slip of the
/// finger.
std::string nearest_word(std::string_view word, std::span<const std::string> candidates);

/// " (did you mean \"x\"?)" or "".
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

/// "1 sample", "3 samples", "2 micro-batches".
std::string counted(std::int64_t count, std::string_view noun);

/// "a, b, c".
std::string join(std::span<const std::string> words, std::string_view separator = ", ");

/// A loss or a score in a line for people, in at most twelve columns: "2.3026", "-0.5000", "2.0000e+24".
std::string figure_text(double value);

}  // namespace convoy
