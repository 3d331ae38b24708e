#pragma once

#include <filesystem>

#include "tests/trainer/data/image_files.h"
#include "trainer/data/dataset.h"

namespace convoy {

/// An image of one colour, which tells it from others: exact after decoding a PNG file, nearly after a
/// JPEG's.
inline Image colour(int number, int height = 12, int width = 16) {
  Image image{3, height, width, {}};
  for (int i = 0; i < height * width; ++i) {
    for (const int value : {number * 37, number * 11 + 5, number}) {
      image.pixels.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return image;
}

/// root/train and root/val with JPEG files "a.jpg", "b.jpg", ... in folders for classes.
class ImageTree {
 public:
  /// `sizes[c]` training images of class c, one test image each.
  ImageTree(const std::vector<std::string>& classes, const std::vector<int>& sizes) {
    int number = 0;
    for (std::size_t c = 0; c < classes.size(); ++c) {
      for (int i = 0; i < sizes[c]; ++i) {
        const std::string name(1, static_cast<char>('a' + i));
        folder.write("train/" + classes[c] + "/" + name + ".jpg", jpeg_of(colour(number++, 10 + i, 20 - i)));
      }
      folder.write("val/" + classes[c] + "/v.jpg", jpeg_of(colour(number++)));
    }
  }

  DataSource source() const {
    DataSource source{.kind = "image-folder", .root = folder.path()};
    source.train_folder = "train";
    source.test_folder = "val";
    return source;
  }

  std::string path(const std::string& name) const { return folder.path() + "/" + name; }

  Folder folder;
};

}  // namespace convoy
