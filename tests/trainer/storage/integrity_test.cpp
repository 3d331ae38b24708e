#include <gmock/gmock.h>

#include "layers/core/error.h"
#include "tests/trainer/storage/storage_fixture.h"
#include "trainer/storage/safetensors.h"

namespace convoy::testing {
namespace {

class Integrity : public StorageTest {
 protected:
  Integrity() {
    write_safetensors(path("whole"), views_of(sample_tensors()), {{"convoy.format", "1"}, {"note", "\" é"}});
    whole_ = read_file(path("whole"));
    SafetensorsFile::open_checked(path("whole"));
  }

  void expect_found(const std::string& text, const std::string& what, std::size_t place) {
    write_file(path("a"), text);
    const std::string message = refusal(path("a"), SafetensorsFile::open_checked);
    EXPECT_THAT(message, ::testing::HasSubstr(path("a"))) << what << ' ' << place << " was not found";
  }

  std::string whole_;
};

TEST_F(Integrity, FindsEveryFlippedBit) {
  for (std::size_t bit = 0; bit < whole_.size() * 8; ++bit) {
    std::string text = whole_;
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
    expect_found(text, "bit", bit);
  }
}

TEST_F(Integrity, FindsEveryInvertedByte) {
  for (std::size_t i = 0; i < whole_.size(); ++i) {
    std::string text = whole_;
    text[i] = static_cast<char>(~text[i]);
    expect_found(text, "byte", i);
  }
}

TEST_F(Integrity, FindsTruncationAtEveryLength) {
  for (std::size_t size = 0; size < whole_.size(); ++size)
    expect_found(whole_.substr(0, size), "cut at", size);
}

TEST_F(Integrity, FindsZeroedTails) {
  // What a crash of the machine leaves of a file that was not synced: the right length, zeros at the end.
  for (std::size_t size = 0; size + 4 < whole_.size(); ++size) {
    std::string text = whole_;
    text.replace(size, std::string::npos, whole_.size() - size, '\0');
    if (text != whole_) expect_found(text, "zeros from", size);
  }
}

TEST_F(Integrity, FindsAppendedBytes) {
  expect_found(whole_ + '\0', "one more byte", 0);
  expect_found(whole_ + whole_, "twice the file", 0);
}

}  // namespace
}  // namespace convoy::testing
