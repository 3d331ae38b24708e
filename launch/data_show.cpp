#include <fmt/format.h>

#include <algorithm>

#include "launch/data_folders.h"
#include "launch/options.h"
#include "layers/core/error.h"
#include "trainer/data/epoch_order.h"
#include "trainer/data/image_folder.h"
#include "trainer/data/png_writer.h"
#include "trainer/data/prepare.h"
#include "trainer/data/skip_broken.h"

namespace convoy {
namespace {

namespace po = boost::program_options;

constexpr int kGap = 4;                 // pixels between samples
constexpr std::uint8_t kBetween = 128;  // their grey level

/// Copies a sample to its place in the sheet.
void put(const std::vector<std::uint8_t>& sample, int size, int row, int column, Image& sheet) {
  const std::int64_t top = kGap + std::int64_t{row} * (size + kGap);
  const std::int64_t left = kGap + std::int64_t{column} * (size + kGap);
  for (std::int64_t y = 0; y < size; ++y) {
    std::copy_n(sample.data() + y * size * 3, size * 3,
                sheet.pixels.data() + ((top + y) * sheet.width + left) * 3);
  }
}

/// A row for each sample: what evaluation sees of it, then what training sees in one epoch after another.
Image draw_sheet(const Dataset& set, int size, int rows, int columns, std::uint64_t seed) {
  Image sheet;
  sheet.channels = 3;
  sheet.height = kGap + rows * (size + kGap);
  sheet.width = kGap + columns * (size + kGap);
  sheet.pixels.assign(static_cast<std::size_t>(sheet.height) * static_cast<std::size_t>(sheet.width) * 3,
                      kBetween);
  Augmentation training;
  training.crop = CropKind::random_resized;
  training.flip = true;
  Augmentation evaluation;
  evaluation.crop = CropKind::centre;
  evaluation.shorter_side = size * 8 / 7;
  const Shape output{3, size, size};
  const RandomStream stream(seed, Purpose::augment, 0);
  const EpochOrder order(seed, 0, set.size(), true);
  std::vector<std::uint8_t> sample(static_cast<std::size_t>(output.elements()));
  PrepareScratch scratch;
  for (int row = 0; row < rows; ++row) {
    const std::int64_t index = order.at(row);
    for (int column = 0; column < columns; ++column) {
      prepare_sample(set, column == 0 ? evaluation : training, stream, column, index, scratch, sample.data(),
                     output);
      put(sample, size, row, column, sheet);
    }
  }
  return sheet;
}

}  // namespace

int data_show(const std::vector<std::string>& arguments) {
  CommandLine line(
      "data show DIR --out SHEET.png [options]",
      "Writes a sheet of samples, drawn from DIR/train (or DIR, or its shards, where there is none): a row "
      "for each, "
      "first what evaluation\nsees, then random resized crops and flips of one epoch after another.");
  line.positional("DIR", "folder of images or shards, or a list file");
  line.options().add_options()("out", po::value<std::string>()->value_name("FILE"), "PNG file to write")(
      "rows", po::value<std::int64_t>()->default_value(8)->value_name("N"), "samples")(
      "columns", po::value<std::int64_t>()->default_value(8)->value_name("N"), "views of each")(
      "size", po::value<std::int64_t>()->default_value(160)->value_name("N"), "pixels of each side")(
      "seed", po::value<std::int64_t>()->default_value(1)->value_name("N"), "of order and augmentation")(
      "orientation", po::bool_switch(), "turn images as their EXIF block says");
  if (!line.parse(arguments)) return 0;
  if (!line.has("out")) fail(ExitCode::usage, "--out is missing: the PNG file to write");
  std::vector<std::string> notes;
  const std::shared_ptr<const ImageFolder> images =
      open_place(image_places(line.required("DIR")).front(), {line.flag("orientation"), 255}, notes);
  const SkipBroken set(images, {images->size()}, std::move(notes));
  const auto rows = static_cast<int>(std::min(line.number("rows", 1, 64), set.size()));
  const auto columns = static_cast<int>(line.number("columns", 1, 64));
  const auto size = static_cast<int>(line.number("size", 8, 1024));
  if (std::int64_t{rows} * columns * (size + kGap) * (size + kGap) > kMostPixels)
    fail(ExitCode::usage, "a sheet of {} x {} samples of {} pixels a side is too large", rows, columns, size);
  const Image sheet =
      draw_sheet(set, size, rows, columns, static_cast<std::uint64_t>(line.number("seed", 0, INT64_MAX)));
  write_png(line.text("out"), sheet);
  for (const std::string& note : set.take_notes()) fmt::print("note: {}\n", note);
  fmt::print("{}: {} x {} pixels, {} samples of {}\n", line.text("out"), sheet.width, sheet.height, rows,
             set.size());
  return 0;
}

}  // namespace convoy
