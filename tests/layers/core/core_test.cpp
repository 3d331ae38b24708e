#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <vector>

#include "layers/core/bytes.h"
#include "layers/core/error.h"
#include "layers/core/philox.h"
#include "layers/core/philox_blocks.h"
#include "layers/core/text.h"

namespace convoy {
namespace {

TEST(Bytes, ReadsBinaryAndDecimalUnits) {
  EXPECT_EQ(parse_bytes("4GiB"), std::int64_t{4} << 30);
  EXPECT_EQ(parse_bytes("1.5 MiB"), 1572864);
  EXPECT_EQ(parse_bytes("512MB"), 512000000);
  EXPECT_EQ(parse_bytes("4096"), 4096);
  EXPECT_EQ(parse_bytes("1PiB"), std::int64_t{1} << 50);
  EXPECT_EQ(parse_bytes("4EiB"), std::int64_t{1} << 62);
  EXPECT_EQ(parse_bytes("1.5PB"), 1500000000000000);
  EXPECT_EQ(parse_bytes("4KB"), 4000);
  EXPECT_EQ(parse_bytes("4kB"), 4000);
}

TEST(Bytes, AreWrittenInTheLargestUnitThatTheyFill) {
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(3 << 19), "1.50 MiB");
  EXPECT_EQ(format_bytes(std::int64_t{2} << 30), "2.00 GiB");
  EXPECT_EQ(format_bytes(std::int64_t{1} << 40), "1.00 TiB");
  EXPECT_EQ(format_bytes(std::int64_t{3} << 50), "3.00 PiB");
  EXPECT_EQ(format_bytes(INT64_MAX), "8.00 EiB");
}

TEST(Errors, OfWritingBlameThePathOrTheDisk) {
  for (const int error : {EACCES, ENOENT, ENOTDIR, EISDIR, EROFS})
    EXPECT_EQ(code_of_write(error), ExitCode::usage) << error;
  for (const int error : {ENOSPC, EDQUOT, EIO, EFBIG, EMFILE})
    EXPECT_EQ(code_of_write(error), ExitCode::internal) << error;
}

TEST(Bytes, RefusesWhatIsNoSize) {
  for (const char* text : {"", "12 parsecs", "-1GiB", "GiB", "1e400", "nan", "1.5", "0.5B", "9999999999GiB",
                           "4.1EiB", "4gib", "1e3", "1e3MB", "4k", "4K", "4M", "4Gi"}) {
    EXPECT_THROW(parse_bytes(text), Error) << text;
  }
}

TEST(Bytes, RefusalsNameTheForms) {
  try {
    parse_bytes("4k");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    for (const char* form : {"\"4k\"", "number of bytes", "KB, MB, GB", "KiB, MiB, GiB", "1000", "1024"})
      EXPECT_NE(std::string(error.what()).find(form), std::string::npos) << form;
  }
}

// Known answers of the Random123 distribution, kat_vectors.
TEST(Philox, MatchesPublishedVectors) {
  const Random4 zero = philox4x32({{0, 0, 0, 0}}, 0, 0);
  EXPECT_EQ(zero.word[0], 0x6627e8d5U);
  EXPECT_EQ(zero.word[3], 0x9b00dbd8U);
  const Random4 ones = philox4x32({{~0U, ~0U, ~0U, ~0U}}, ~0U, ~0U);
  EXPECT_EQ(ones.word[0], 0x408f276dU);
  EXPECT_EQ(ones.word[3], 0x6d5451fdU);
}

TEST(Philox, StreamsOfDifferentPurposeDiffer) {
  const RandomStream a(1, Purpose::dropout, 0);
  const RandomStream b(1, Purpose::dropout, 1);
  const RandomStream c(1, Purpose::shuffle, 0);
  EXPECT_NE(a.word(0, 0, 0), b.word(0, 0, 0));
  EXPECT_NE(a.word(0, 0, 0), c.word(0, 0, 0));
  EXPECT_NE(a.word(0, 0, 0), a.word(1, 0, 0));
  EXPECT_NE(a.word(0, 0, 0), a.word(0, 1, 0));
}

TEST(Philox, ManyBlocksAtOnceGiveTheWordsOfEach) {
  const RandomStream stream(11, Purpose::dropout, 5);
  constexpr std::uint64_t kStep = (std::uint64_t{3} << 32) | 17;
  constexpr std::uint64_t kSample = (std::uint64_t{9} << 32) | 4;
  constexpr std::uint64_t kFirst = 1020;
  std::uint32_t words[kRandomWords];
  random_words(stream, kStep, kSample, kFirst, words);
  for (std::int64_t i = 0; i < kRandomWords; ++i)
    EXPECT_EQ(words[i], stream.word(kStep, kSample, kFirst + static_cast<std::uint64_t>(i))) << i;
}

TEST(Philox, UniformAndNormalHaveTheRightMoments) {
  const RandomStream stream(7, Purpose::initialise, 3);
  double sum = 0;
  double normal_sum = 0;
  double normal_squares = 0;
  constexpr int kCount = 100000;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const Random4 words = stream.block(0, 0, i);
    sum += static_cast<double>(uniform01(words.word[0]));
    const double x = static_cast<double>(normal(words.word[1], words.word[2]));
    normal_sum += x;
    normal_squares += x * x;
  }
  EXPECT_NEAR(sum / kCount, 0.5, 0.005);
  EXPECT_NEAR(normal_sum / kCount, 0.0, 0.015);
  EXPECT_NEAR(normal_squares / kCount, 1.0, 0.02);
}

TEST(Text, CountsInTheSingularAndThePlural) {
  EXPECT_EQ(counted(1, "sample"), "1 sample");
  EXPECT_EQ(counted(0, "sample"), "0 samples");
  EXPECT_EQ(counted(2, "micro-batch"), "2 micro-batches");
  EXPECT_EQ(counted(2, "epoch"), "2 epochs");
  EXPECT_EQ(counted(2, "class"), "2 classes");
}

TEST(Text, FiguresKeepColumnsReadable) {
  EXPECT_EQ(figure_text(2.302585), "2.3026");
  EXPECT_EQ(figure_text(-0.5), "-0.5000");
  EXPECT_EQ(figure_text(99999.5), "99999.5000");
  EXPECT_EQ(figure_text(2e24), "2.0000e+24");
  EXPECT_EQ(figure_text(-1.5e300), "-1.5000e+300");
  EXPECT_EQ(figure_text(INFINITY), "inf");
}

TEST(Text, FindsTheNearestWord) {
  const std::vector<std::string> words{"momentum", "learning_rate", "nesterov"};
  EXPECT_EQ(nearest_word("momentun", words), "momentum");
  EXPECT_EQ(nearest_word("lerning_rate", words), "learning_rate");
  EXPECT_EQ(nearest_word("zebra", words), "");
}

}  // namespace
}  // namespace convoy
