#include <cstdlib>
#include <random>

#include "layers/core/error.h"
#include "tests/trainer/storage/storage_fixture.h"
#include "trainer/storage/safetensors.h"

namespace convoy::testing {
namespace {

/// Mutates files at random: bytes, and pieces of JSON that come from the format itself.
class Mutator {
 public:
  void mutate(std::string& text) {
    for (std::size_t n = below(4) + 1; n > 0; --n) mutate_once(text);
  }

  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }

 private:
  void mutate_once(std::string& text) {
    static const std::vector<std::string> words{
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "0",
        "-1",
        "1e9",
        "9223372036854775807",
        "18446744073709551616",
        "null",
        "true",
        "\"dtype\"",
        "\"shape\":[",
        "\"data_offsets\":[0,4]",
        "\"F32\"",
        "\"I64\"",
        "\"__metadata__\":{",
        "\"w\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},",
        "\\u0000",
        "\\ud83d",
        "\xf0\x9f",
        "[[[[[[["};
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = below(8);
    switch (below(5)) {
      case 0:
        text.insert(at, words[below(words.size())]);
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.replace(at, length, words[below(words.size())]);
        break;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), below(40)));
        break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
    }
  }

  std::mt19937_64 random_{20260101};
};

/// How many files to try; CONVOY_FUZZ_ROUNDS asks for more.
int rounds() {
  const char* asked = std::getenv("CONVOY_FUZZ_ROUNDS");
  return asked == nullptr ? 20'000 : std::atoi(asked);
}

using MutatedFile = StorageTest;

TEST_F(MutatedFile, IsReadOrRefusedButNeverWorse) {
  write_safetensors(path("seed"), views_of(sample_tensors()), {{"step", "1"}});
  const std::string seed = read_file(path("seed"));
  const std::size_t header = static_cast<unsigned char>(seed[0]) + 256U * static_cast<unsigned char>(seed[1]);
  Mutator mutator;
  int read = 0;
  for (int round = 0; round < rounds(); ++round) {
    std::string json = seed.substr(8, header);
    std::string data = seed.substr(8 + header);
    mutator.mutate(mutator.below(8) == 0 ? data : json);
    std::string text = file_text(json, data);
    if (mutator.below(8) == 0) mutator.mutate(text);  // the length, too
    write_file(path("a"), text);
    std::size_t sum = 0;
    try {
      const SafetensorsFile file = SafetensorsFile::open(path("a"));
      for (const TensorView& tensor : file.tensors())
        for (const std::byte byte : tensor.data) sum += static_cast<std::size_t>(byte);
      ++read;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::usage) << error.what();
    }
    if (text == seed) continue;
    EXPECT_NE(refusal(path("a"), SafetensorsFile::open_checked), "") << "round " << round << ", sum " << sum;
  }
  EXPECT_GT(read, rounds() / 100) << "the mutations are too wild to reach deep";
}

}  // namespace
}  // namespace convoy::testing
