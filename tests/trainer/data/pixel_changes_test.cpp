#include <gtest/gtest.h>

#include "tests/trainer/data/image_files.h"
#include "trainer/data/prepare.h"

// Where in the preparation of a sample colours change and rectangles are erased, and for whom.

namespace convoy {
namespace {

const RandomStream kChangesStream(9, Purpose::augment, 0);
constexpr Shape kOutput{3, 16, 16};

/// A pattern of 20 × 24 pixels, one after the other.
class Patterns : public Dataset {
 public:
  std::int64_t size() const override { return 100; }
  int classes() const override { return 1; }
  const std::vector<std::string>& class_names() const override { return names_; }
  Shape shape() const override { return {3, 20, 24}; }
  std::int32_t read(std::int64_t, Image& image) const override {
    image = pattern(20, 24);
    return 0;
  }

 private:
  std::vector<std::string> names_{"pattern"};
};

Bytes prepared(const Augmentation& augmentation, std::int64_t epoch, std::int64_t index) {
  PrepareScratch scratch;
  Bytes out(static_cast<std::size_t>(kOutput.elements()));
  prepare_sample(Patterns(), augmentation, kChangesStream, epoch, index, scratch, out.data(), kOutput);
  return out;
}

Augmentation cropped(CropKind kind) {
  Augmentation augmentation{.crop_padding = kind == CropKind::window ? 2 : 0, .flip = true, .crop = kind};
  augmentation.shorter_side = 18;
  return augmentation;
}

// After the crop and flip, of all kinds: jitter, then the shift, then erasing.
TEST(PixelChanges, ComeAfterTheCropInTheirOrder) {
  for (const CropKind kind : {CropKind::window, CropKind::random_resized, CropKind::random}) {
    Augmentation augmentation = cropped(kind);
    augmentation.jitter = {0.4, 0.4, 0.4, 0.1};
    augmentation.shift.sigma = 0.3;
    augmentation.erasing.probability = 0.7;
    for (std::int64_t i = 0; i < 30; ++i) {
      Bytes expected = prepared(cropped(kind), 4, i);
      jitter_colours(draw_jitter(augmentation.jitter, kChangesStream, 4, i), 3, expected);
      shift_colours(draw_shift(augmentation.shift, kChangesStream, 4, i), expected);
      erase_rectangle(augmentation.erasing, kChangesStream, 4, i,
                      rectangle_to_erase(augmentation.erasing, kChangesStream, 4, i, 16, 16), kOutput,
                      expected.data());
      ASSERT_EQ(prepared(augmentation, 4, i), expected);
      ASSERT_NE(prepared(augmentation, 4, i), prepared(cropped(kind), 4, i));
    }
  }
}

TEST(PixelChanges, DrawAnewForEachEpochAndSample) {
  for (int k = 0; k < 3; ++k) {
    Augmentation augmentation;
    if (k == 0) augmentation.jitter.brightness = 0.4;
    if (k == 1) augmentation.shift.sigma = 0.5;
    if (k == 2) augmentation.erasing.probability = 1;
    EXPECT_EQ(prepared(augmentation, 1, 1), prepared(augmentation, 1, 1)) << k;
    EXPECT_NE(prepared(augmentation, 1, 1), prepared(augmentation, 2, 1)) << k;
    EXPECT_NE(prepared(augmentation, 1, 1), prepared(augmentation, 1, 2)) << k;
  }
}

TEST(PixelChanges, ColoursNeedThreeChannels) {
  Augmentation augmentation;
  augmentation.jitter.brightness = augmentation.jitter.contrast = 0.5;
  EXPECT_NO_THROW(check_augmentation(augmentation, {1, 8, 8}, {1, 8, 8}));
  augmentation.shift.sigma = 0.1;
  EXPECT_NO_THROW(check_augmentation(augmentation, {3, 8, 8}, {3, 8, 8}));
  expect_error(ExitCode::usage, {"data.colour_shift", "1 channel", "set it to 0"}, [&] {
    check_augmentation(augmentation, {1, 8, 8}, {1, 8, 8});
  });
  augmentation.jitter.hue = 0.1;
  expect_error(ExitCode::usage, {"data.hue"}, [&] {
    check_augmentation(augmentation, {1, 8, 8}, {1, 8, 8});
  });
}

}  // namespace
}  // namespace convoy
