#include <gtest/gtest.h>
#include <png.h>

#include "tests/trainer/data/image_files.h"
#include "trainer/data/png_writer.h"

// What comes out of the decoders against Pillow (tests/golden/make_images.py), and what of broken files.

namespace convoy {
namespace {

struct Golden {
  std::string name;
  int tolerance = 0;
  bool orientation = false;
  friend void PrintTo(const Golden& one, std::ostream* out) { *out << one.name; }
};

class DecodeGolden : public testing::TestWithParam<Golden> {};

TEST_P(DecodeGolden, IsPillows) {
  const Golden& golden = GetParam();
  const View view = decoded(read_bytes(kImages + golden.name), whole_image, {golden.orientation, 255});
  EXPECT_LE(distance(cut(view), read_ppm(kImages + golden.name + ".ppm")), golden.tolerance);
}

INSTANTIATE_TEST_SUITE_P(Files, DecodeGolden,
                         testing::Values(Golden{"rgb444.jpg"}, Golden{"rgb422.jpg"}, Golden{"rgb420.jpg"},
                                         Golden{"progressive.jpg"}, Golden{"grey.jpg"}, Golden{"cmyk.jpg"},
                                         Golden{"ycck.jpg"}, Golden{"turned1.jpg", 0, true},
                                         Golden{"turned2.jpg", 0, true}, Golden{"turned3.jpg", 0, true},
                                         Golden{"turned4.jpg", 0, true}, Golden{"turned5.jpg", 0, true},
                                         Golden{"turned6.jpg", 0, true}, Golden{"turned7.jpg", 0, true},
                                         Golden{"turned8.jpg", 0, true}, Golden{"rgb.png"},
                                         Golden{"grey.png"}, Golden{"bits.png"}, Golden{"palette.png"},
                                         Golden{"palette_alpha.png", 1}, Golden{"rgba.png", 1},
                                         Golden{"grey_alpha.png", 1}, Golden{"turned.png", 0, true},
                                         Golden{"interlaced.png"}, Golden{"rgb16.png"}, Golden{"grey16.png"}),
                         [](const auto& parameter) {
                           std::string name = parameter.param.name;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

TEST(ImageDecoder, TurnsNothingUnlessAsked) {
  const View view = decoded(read_bytes(kImages + "turned6.jpg"));
  EXPECT_EQ(view.image.width, 37);
  EXPECT_EQ(view.image.height, 29);
}

TEST(ImageDecoder, TheBackgroundShowsThrough) {
  const Bytes file = read_bytes(kImages + "rgba.png");
  EXPECT_GT(distance(cut(decoded(file, whole_image, {false, 0})), cut(decoded(file))), 100);
}

/// Decodes and expects an Error(data) with the name and `part`.
void expect_broken(const Bytes& file, const std::string& part) {
  expect_error(ExitCode::data, {"some\\nname: ", part},
               [&] { decoded(file, whole_image, {}, "some\nname"); });
}

TEST(ImageDecoder, RefusesWhatIsNoImage) {
  expect_broken({}, "is empty");
  expect_broken({'h', 'e', 'l', 'l', 'o'}, "neither a JPEG nor a PNG");
  expect_broken({0xFF, 0xD8}, "neither");
  expect_broken({0xFF, 0xD8, 0xFF}, "broken JPEG");
  expect_broken({0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'}, "cut short");
}

// Cut anywhere, a file is refused; nothing is made up for what is missing.
TEST(ImageDecoder, RefusesTruncatedFiles) {
  for (const char* name : {"rgb420.jpg", "progressive.jpg", "cmyk.jpg", "rgb.png", "interlaced.png"}) {
    const Bytes whole = read_bytes(kImages + name);
    const std::size_t ends =
        std::string(name).ends_with("jpg") ? 2 : 0;  // without its end marker it is whole
    for (std::size_t length = 3; length + ends < whole.size(); length += 1 + whole.size() / 200) {
      const Bytes cut_off(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_THROW(decoded(cut_off), Error) << name << " after " << length << " of " << whole.size();
    }
  }
}

// Whatever is done to its bytes, a file gives an image or an Error.
TEST(ImageDecoder, SurvivesDamage) {
  for (const char* name : {"rgb420.jpg", "progressive.jpg", "ycck.jpg", "turned5.jpg", "palette_alpha.png",
                           "interlaced.png", "rgb16.png", "turned.png"}) {
    const Bytes whole = read_bytes(kImages + name);
    std::uint32_t state = 1;
    for (int i = 0; i < 600; ++i) {
      Bytes damaged = whole;
      for (int changes = 0; changes < 1 + i % 4; ++changes) {
        state = state * 1664525 + 1013904223;
        damaged[(state >> 8) % damaged.size()] = static_cast<std::uint8_t>(state);
      }
      try {
        decoded(damaged, whole_image, {true, 255});
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::data) << error.what();
      }
    }
  }
}

/// Where the frame header of a JPEG file starts: at its marker.
std::size_t frame_header(const Bytes& file) {
  for (std::size_t at = 2; at + 9 < file.size();) {
    if (file[at + 1] >= 0xC0 && file[at + 1] <= 0xC2) return at;
    at += 2U + (static_cast<std::size_t>(file[at + 2]) << 8 | file[at + 3]);
  }
  ADD_FAILURE() << "no frame header";
  return 0;
}

TEST(ImageDecoder, RefusesHugeHeadersBeforeTakingMemory) {
  Bytes jpeg = read_bytes(kImages + "rgb420.jpg");
  const std::size_t at = frame_header(jpeg);
  for (const std::size_t place : {5, 7}) {
    jpeg[at + place] = 0xFD;  // 64,8xx
    jpeg[at + place + 1] = 0xE8;
  }
  expect_broken(jpeg, "promises 65000 x 65000 pixels");
  Bytes png = read_bytes(kImages + "rgb.png");
  for (const std::size_t place : {16, 20}) {  // 100,000
    png[place + 1] = 1;
    png[place + 2] = 0x86;
    png[place + 3] = 0xA0;
  }
  const auto crc = static_cast<std::uint32_t>(crc32(0, png.data() + 12, 17));
  for (int i = 0; i < 4; ++i)
    png[29U + static_cast<unsigned>(i)] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
  expect_broken(png, "promises 100000 x 100000 pixels");
}

TEST(ImageDecoder, BoundsTheScansOfAProgressiveFile) {
  const Image image = pattern(40, 40);
  JpegSettings settings{2, 2, 90, true};
  settings.coefficient_scans = 126;
  const Bytes many = jpeg_of(image, settings);
  settings.coefficient_scans = 0;
  EXPECT_EQ(distance(cut(decoded(many)), cut(decoded(jpeg_of(image, settings)))), 0);
  settings.coefficient_scans = 129;
  expect_broken(jpeg_of(image, settings), "more than 128 scans");
  // The last scan again and again: a thousand of them, none of which can be right.
  std::size_t last = 0;
  for (std::size_t at = 2; at + 1 < many.size(); ++at) {
    if (many[at] == 0xFF && many[at + 1] == 0xDA) last = at;
  }
  Bytes longer(many.begin(), many.end() - 2);
  for (int i = 0; i < 1000; ++i) {
    longer.insert(longer.end(), many.begin() + static_cast<std::ptrdiff_t>(last), many.end() - 2);
  }
  longer.insert(longer.end(), many.end() - 2, many.end());
  EXPECT_THROW(decoded(longer), Error);
}

// Each scan goes over the whole image, so a small file may ask for hours; one of a thousand valid scans is
// given up at the first that is too many.
TEST(ImageDecoder, AValidFileOfAThousandScansIsRefusedSoon) {
  JpegSettings settings{1, 1, 90, true};
  settings.coefficient_scans = 3 * 63;
  settings.refinements = 5;
  const Bytes file = jpeg_of(pattern(300, 300), settings);
  int scans = 0;
  for (std::size_t at = 2; at + 1 < file.size(); ++at) scans += file[at] == 0xFF && file[at + 1] == 0xDA;
  EXPECT_GT(scans, 1000);
  Image whole;
  decode_plainly(file, whole);
  EXPECT_EQ(whole.height, 300) << "it is a valid file";
  const auto start = std::chrono::steady_clock::now();
  expect_broken(file, "more than 128 scans");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(PngWriter, WhatItWritesIsReadAgain) {
  const Folder folder;
  const Image image = pattern(33, 20);
  write_png(folder.path() + "/a b.png", image);
  EXPECT_EQ(distance(cut(decoded(read_bytes(folder.path() + "/a b.png"))), image), 0);
  EXPECT_THROW(write_png(folder.path() + "/no/such/folder.png", image), Error);
}

}  // namespace
}  // namespace convoy
