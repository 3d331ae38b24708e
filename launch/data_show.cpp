#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "launch/data_folders.h"
#include "launch/job/read_job.h"
#include "launch/options.h"
#include "layers/core/error.h"
#include "layers/core/text.h"
#include "layers/graph/graph.h"
#include "trainer/data/epoch_order.h"
#include "trainer/data/image_folder.h"
#include "trainer/data/mixup.h"
#include "trainer/data/png_writer.h"
#include "trainer/data/prepare.h"
#include "trainer/data/skip_broken.h"
#include "trainer/measured_keys.h"
#include "trainer/preparation.h"

namespace convoy {
namespace {

namespace po = boost::program_options;

constexpr int kGap = 4;                 // pixels between samples
constexpr std::uint8_t kBetween = 128;  // their grey level

/// What the sheet shows.
struct Showing {
  Augmentation training;
  Augmentation evaluation;
  Shape output{3, 160, 160};
  DecodeOptions decode;
  /// The job, where it leaves the mean that erased pixels become, or the colours of the shift, to be
  /// measured.
  std::optional<Job> unmeasured;
};

/// By the defaults of a job.
Showing usual(int size) {
  Showing showing;
  showing.output = {3, size, size};
  showing.training.crop = CropKind::random_resized;
  showing.training.flip = true;
  showing.evaluation.crop = CropKind::centre;
  showing.evaluation.shorter_side = size * 8 / 7;
  return showing;
}

Showing of_job(const Job& job) {
  if (!holds_image_files(job.data.kind)) {
    fail(ExitCode::usage,
         "--job: its data.kind = \"{}\" has no image files; this shows jobs on image-folder, image-list and "
         "image-shards",
         job.data.kind);
  }
  Showing showing;
  showing.output = read_network(job.network).input();
  if (showing.output.channels != 3) {
    fail(ExitCode::usage, "--job: its network takes images of {}, but these are in colour",
         counted(showing.output.channels, "channel"));
  }
  showing.training = training_augmentation(job, showing.output);
  showing.evaluation = evaluation_augmentation(job, showing.output);
  showing.evaluation.ten_crops = false;  // the middle one
  showing.decode = decode_options(job);
  const bool leaves_mean = showing.training.erasing.with == EraseWith::mean && job.data.mean.empty();
  if (leaves_mean || leaves_colours(job)) showing.unmeasured = job;
  return showing;
}

/// Copies a sample to its place in the sheet.
void put(const std::vector<std::uint8_t>& sample, Shape shape, int row, int column, Image& sheet) {
  const std::int64_t top = kGap + row * (shape.height + kGap);
  const std::int64_t left = kGap + column * (shape.width + kGap);
  for (std::int64_t y = 0; y < shape.height; ++y) {
    std::copy_n(sample.data() + y * shape.width * 3, shape.width * 3,
                sheet.pixels.data() + ((top + y) * sheet.width + left) * 3);
  }
}

/// A row for each sample: what evaluation sees of it, then what training sees in one epoch after another.
Image draw_sheet(const Dataset& set, const Showing& showing, int rows, int columns, std::uint64_t seed) {
  const Shape output = showing.output;
  Image sheet;
  sheet.channels = 3;
  sheet.height = static_cast<int>(kGap + rows * (output.height + kGap));
  sheet.width = static_cast<int>(kGap + columns * (output.width + kGap));
  sheet.pixels.assign(static_cast<std::size_t>(sheet.height) * static_cast<std::size_t>(sheet.width) * 3,
                      kBetween);
  const RandomStream stream(seed, Purpose::augment, 0);
  const EpochOrder order(seed, 0, set.size(), true);
  std::vector<std::uint8_t> sample(static_cast<std::size_t>(output.elements()));
  std::vector<std::uint8_t> other(sample.size());
  PrepareScratch scratch;
  const auto prepare = [&](std::int64_t row, int column, std::vector<std::uint8_t>& pixels) {
    prepare_sample(set, column == 0 ? showing.evaluation : showing.training, stream, column, order.at(row),
                   scratch, pixels.data(), output);
  };
  for (int row = 0; row < rows; ++row) {
    const std::int64_t partner = mixup_partner(row, set.size());
    for (int column = 0; column < columns; ++column) {
      prepare(row, column, sample);
      if (showing.training.mixup > 0 && column > 0 && partner >= 0) {
        prepare(partner, column, other);
        mix_pair(draw_mixup(showing.training.mixup, stream, column,
                            order.at(std::min<std::int64_t>(row, partner))),
                 sample, other);
      }
      put(sample, output, row, column, sheet);
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
      "first what evaluation\nsees, then what training sees in one epoch after another: with the "
      "augmentations "
      "of a job, or with random "
      "resized crops and flips.");
  line.positional("DIR", "folder of images or shards, or a list file");
  line.options().add_options()("out", po::value<std::string>()->value_name("FILE"), "PNG file to write")(
      "rows", po::value<std::int64_t>()->default_value(8)->value_name("N"), "samples")(
      "columns", po::value<std::int64_t>()->default_value(8)->value_name("N"), "views of each")(
      "job", po::value<std::string>()->value_name("FILE"),
      "job file whose augmentations and network's input to take")(
      "set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
      "change a key of the job")("size", po::value<std::int64_t>()->value_name("N"),
                                 "without a job, pixels of each side (default: 160)")(
      "seed", po::value<std::int64_t>()->default_value(1)->value_name("N"), "of order and augmentation")(
      "orientation", po::bool_switch(), "without a job, turn images as their EXIF block says");
  if (!line.parse(arguments)) return 0;
  if (!line.has("out")) fail(ExitCode::usage, "--out is missing: the PNG file to write");
  if (!line.has("job") && line.has("set"))
    fail(ExitCode::usage, "--set changes keys of a job: give --job too");
  if (line.has("job") && (line.has("size") || line.flag("orientation")))
    fail(ExitCode::usage, "--job says the size and orientation: leave --size and --orientation out");
  Showing showing = line.has("job")
                        ? of_job(read_job(line.text("job"), line.texts("set")))
                        : usual(line.has("size") ? static_cast<int>(line.number("size", 8, 1024)) : 160);
  if (!line.has("job")) showing.decode = {line.flag("orientation"), 255};
  std::vector<std::string> notes;
  const std::shared_ptr<const ImageFolder> images =
      open_place(image_places(line.required("DIR")).front(), showing.decode, notes);
  const SkipBroken set(images, {images->size()}, std::move(notes));
  const auto rows = static_cast<int>(std::min(line.number("rows", 1, 64), set.size()));
  const auto columns = static_cast<int>(line.number("columns", 1, 64));
  const Shape output = showing.output;
  if (rows * columns * (output.height + kGap) * (output.width + kGap) > kMostPixels) {
    fail(ExitCode::usage, "a sheet of {} x {} samples of {} x {} pixels is too large", rows, columns,
         output.height, output.width);
  }
  if (showing.unmeasured) {
    fill_measured(*showing.unmeasured, output, set);
    showing.training = training_augmentation(*showing.unmeasured, output);
  }
  const Image sheet =
      draw_sheet(set, showing, rows, columns, static_cast<std::uint64_t>(line.number("seed", 0, INT64_MAX)));
  write_png(line.text("out"), sheet);
  for (const std::string& note : set.take_notes()) fmt::print("note: {}\n", note);
  fmt::print("{}: {} x {} pixels, {} samples of {}\n", line.text("out"), sheet.width, sheet.height, rows,
             set.size());
  return 0;
}

}  // namespace convoy
