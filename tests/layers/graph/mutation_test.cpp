#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "layers/core/philox.h"
#include "layers/graph/graph.h"
#include "tests/layers/graph/networks.h"

namespace convoy {
namespace {

/// A sequence of random numbers for tests.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : stream_(seed, Purpose::synthetic, 0) {}
  std::size_t below(std::size_t bound) {
    return uniform_below(stream_.word(0, 0, count_++), static_cast<std::uint32_t>(bound));
  }

 private:
  RandomStream stream_;
  std::uint64_t count_ = 0;
};

/// Changes the text at one to four places: bytes flipped, removed, doubled, or words of the format put in.
std::string mutated(std::string text, Dice& dice) {
  static constexpr std::array<const char*, 18> kWords{"$width",
                                                      "block = \"unit\", ",
                                                      "repeat = 9, ",
                                                      "when = \"not $project\", ",
                                                      "0",
                                                      "-1",
                                                      "9223372036854775807",
                                                      "1e308",
                                                      "nan",
                                                      "{",
                                                      "]",
                                                      "\"input\"",
                                                      "type",
                                                      "\"sum\"",
                                                      "[\"input\", \"input\"]",
                                                      "kernel = 3,",
                                                      "true",
                                                      "\n"};
  const std::size_t changes = 1 + dice.below(4);
  for (std::size_t i = 0; i < changes; ++i) {
    const std::size_t at = dice.below(text.size());
    switch (dice.below(5)) {
      case 0:
        text[at] = static_cast<char>(dice.below(256));
        break;
      case 1:
        text.erase(at, 1 + dice.below(12));
        break;
      case 2:
        text.insert(at, text.substr(dice.below(text.size()), dice.below(60)));
        break;
      case 3:
        text.insert(at, kWords[dice.below(kWords.size())]);
        break;
      default: {  // a number becomes another
        const std::size_t digit = text.find_first_of("0123456789", at);
        if (digit != std::string::npos) text.replace(digit, 1, kWords[dice.below(5)]);
      }
    }
    if (text.empty()) return text;
  }
  return text;
}

TEST(NetworkFile, NeverCrashesOnMutations) {
  Dice dice(1);
  int parsed = 0;
  int refused = 0;
  for (const char* network : {networks::kLeNet, networks::kTangle, networks::kBlocks, networks::kHeads}) {
    for (int i = 0; i < 4000; ++i) {
      const std::string text = mutated(network, dice);
      try {
        const Graph graph = parse_network(text, "net.toml");
        EXPECT_GE(graph.parameters(), 0) << text;
        EXPECT_GE(graph.macs(), 0) << text;
        EXPECT_GE(graph.activation_elements(), 0) << text;
        ++parsed;
      } catch (const Error& error) {
        ASSERT_EQ(error.code(), ExitCode::usage) << error.what() << "\n" << text;
        ASSERT_EQ(std::string(error.what()).rfind("net.toml", 0), 0U) << error.what();
        ++refused;
      }
    }
  }
  EXPECT_GT(parsed, 100);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace convoy
