#include "trainer/data/ten_crops.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/trainer/data/image_files.h"
#include "trainer/data/prepare.h"

namespace convoy {
namespace {

const RandomStream kTenCropsStream(0, Purpose::augment, 0);

/// An image, once.
class Single : public Dataset {
 public:
  explicit Single(Image image) : image_(std::move(image)) {}
  std::int64_t size() const override { return 1; }
  int classes() const override { return 1; }
  const std::vector<std::string>& class_names() const override { return names_; }
  Shape shape() const override { return {image_.channels, image_.height, image_.width}; }
  std::int32_t read(std::int64_t, Image& image) const override {
    image = image_;
    return 0;
  }

 private:
  Image image_;
  std::vector<std::string> names_{"one"};
};

/// The views of an image one below the other.
Image views_of(const Image& image, const Augmentation& augmentation, Shape output) {
  PrepareScratch scratch;
  Image out{image.channels,
            static_cast<int>(output.height) * augmentation.views(),
            static_cast<int>(output.width),
            {}};
  out.pixels.resize(static_cast<std::size_t>(output.elements() * augmentation.views()), 0xEE);
  prepare_sample(Single(image), augmentation, kTenCropsStream, 0, 0, scratch, out.pixels.data(), output);
  return out;
}

Augmentation evaluation(CropKind crop, bool ten, int shorter_side = 32) {
  Augmentation augmentation{.crop = crop, .shorter_side = shorter_side, .centred = true};
  augmentation.ten_crops = ten;
  return augmentation;
}

Image view_at(const Image& views, int number, Shape output) {
  const auto first = views.pixels.begin() + number * output.elements();
  return {views.channels, static_cast<int>(output.height), views.width, {first, first + output.elements()}};
}

Image turned(const Image& in) {
  Image out{in.channels, in.width, in.height, Bytes(in.pixels.size())};
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      for (int c = 0; c < 3; ++c)
        out.pixels[static_cast<std::size_t>((y * out.width + x) * 3 + c)] =
            in.pixels[static_cast<std::size_t>((x * in.width + in.width - 1 - y) * 3 + c)];
    }
  }
  return out;
}

TEST(TenCrops, AreTorchvisionsWithinOneLevel) {
  const Image lying = cut(decoded(read_bytes(kImages + "resize.png")));
  for (const auto& [name, image] : {std::pair{"lying", lying}, {"standing", turned(lying)}}) {
    const Image ten = views_of(image, evaluation(CropKind::centre, true), {3, 24, 24});
    EXPECT_LE(distance(ten, read_ppm(kImages + "ten_" + name + ".ppm")), 1) << name;
  }
}

// Also where the decoder gives a smaller image, and where the shorter side is raised to cover the output.
TEST(TenCrops, TheFifthIsWhatTheCentralWindowShows) {
  for (const auto& [height, width] : {std::pair{47, 61}, {61, 47}, {24, 24}, {10, 300}, {200, 900}}) {
    const Bytes file = jpeg_of(pattern(height, width));
    for (const Shape output : {Shape{3, 24, 24}, {3, 12, 20}}) {
      const auto views = [&](bool ten) {
        const Augmentation augmentation = evaluation(CropKind::centre, ten);
        EvaluationViews made(augmentation, output);
        View view = decoded(file, [&](int h, int w) { return made.choose(h, w); });
        Image out{
            3, static_cast<int>(output.height) * augmentation.views(), static_cast<int>(output.width), {}};
        out.pixels.resize(static_cast<std::size_t>(output.elements() * augmentation.views()));
        ResampleScratch scratch;
        made.make(view, scratch, out.pixels.data());
        return out;
      };
      EXPECT_EQ(distance(view_at(views(true), 4, output), views(false)), 0) << height << " x " << width;
    }
  }
}

TEST(TenCrops, OfStoredPixelsAreWindowsAndTheirMirrors) {
  Image image{3, 5, 7, Bytes(105)};
  std::iota(image.pixels.begin(), image.pixels.end(), std::uint8_t{1});
  const Shape output{3, 3, 4};
  const Image ten = views_of(image, evaluation(CropKind::window, true), output);
  const int starts[5][2] = {{0, 0}, {0, 3}, {2, 0}, {2, 3}, {1, 1}};
  for (int k = 0; k < 10; ++k) {
    const Image view = view_at(ten, k, output);
    for (int i = 0; i < 36; ++i) {
      const int y = starts[k % 5][0] + i / 12;
      const int x = starts[k % 5][1] + (k < 5 ? i / 3 % 4 : 3 - i / 3 % 4);
      ASSERT_EQ(view.pixels[static_cast<std::size_t>(i)], 1 + (y * 7 + x) * 3 + i % 3) << k;
    }
  }
}

TEST(TenCrops, OfAnImageSmallerThanTheOutputShowItInTheMiddle) {
  const Image image{1, 2, 2, {1, 2, 3, 4}};
  Augmentation augmentation = evaluation(CropKind::window, true);
  augmentation.crop_padding = 1;
  const Image ten = views_of(image, augmentation, {1, 4, 4});
  const Bytes plain{0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0};
  const Bytes mirrored{0, 0, 0, 0, 0, 2, 1, 0, 0, 4, 3, 0, 0, 0, 0, 0};
  for (int k = 0; k < 10; ++k) EXPECT_EQ(view_at(ten, k, {1, 4, 4}).pixels, k < 5 ? plain : mirrored) << k;
}

// A thin strip of an image must not be made as large as its longer side says.
TEST(TenCrops, OfAStripTakeNoMoreMemoryThanOfAnyImage) {
  const Image strip = pattern(1, 4000);
  const Image ten = views_of(strip, evaluation(CropKind::centre, true, 256), {3, 224, 224});
  EXPECT_EQ(ten.pixels.size(), 10U * 3 * 224 * 224);
}

}  // namespace
}  // namespace convoy
