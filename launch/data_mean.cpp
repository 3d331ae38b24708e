#include <fmt/format.h>

#include <boost/json.hpp>
#include <limits>

#include "launch/data_folders.h"
#include "launch/data_progress.h"
#include "launch/options.h"
#include "layers/core/clock.h"
#include "layers/core/text.h"
#include "trainer/data/parallel.h"
#include "trainer/data/statistics.h"

namespace convoy {
namespace {

namespace po = boost::program_options;

/// The way evaluation prepares images, by the job's defaults.
Augmentation centre_of(int size) {
  Augmentation preparation;
  preparation.crop = CropKind::centre;
  preparation.shorter_side = size * 8 / 7;
  return preparation;
}

std::string list_text(const std::vector<double>& values) {
  std::vector<std::string> words;
  for (const double value : values) words.push_back(fmt::format("{:.6g}", value));
  return fmt::format("[{}]", join(words));
}

}  // namespace

int data_mean(const std::vector<std::string>& arguments) {
  CommandLine line("data mean DIR [options]",
                   "Mean and standard deviation of each channel over the training images (of DIR/train, or "
                   "of the first shards "
                   "in DIR),\nof pixels in 0 to 255, as [data] of a job takes them. Exact: the same on any "
                   "number of threads. "
                   "Of each image what\nevaluation sees counts, the central crop after resizing; with "
                   "--whole every pixel.");
  line.positional("DIR", "folder of images or shards, or a list file");
  line.options().add_options()("size", po::value<std::int64_t>()->default_value(224)->value_name("N"),
                               "pixels of each side of the crop; the shorter side is resized to 8/7 of it")(
      "whole", po::bool_switch(), "all pixels of all images, as they are stored")(
      "samples", po::value<std::int64_t>()->default_value(0)->value_name("N"),
      "images, spread evenly over the set; 0: all")(
      "threads", po::value<std::int64_t>()->default_value(0)->value_name("N"),
      "threads; 0: one for each core")("orientation", po::bool_switch(),
                                       "turn images as their EXIF block says")("json", po::bool_switch(),
                                                                               "print one JSON object");
  if (!line.parse(arguments)) return 0;
  const auto size = static_cast<int>(line.number("size", 1, 4096));
  const std::int64_t most = line.number("samples", 0, std::numeric_limits<std::int64_t>::max());
  const int threads = threads_or_cores(line.number("threads", 0, 256));
  const auto start = Clock::now();
  std::vector<std::string> notes;
  const ImagePlace place = image_places(line.required("DIR")).front();
  const std::shared_ptr<const ImageFolder> set = open_place(place, {line.flag("orientation"), 255}, notes);
  const std::int64_t samples = most == 0 ? set->size() : std::min(most, set->size());
  ChannelStatistics found;
  {
    std::atomic<std::int64_t> done = 0;
    const DataProgress progress(samples, done, line.flag("json"));
    found = line.flag("whole")
                ? channel_statistics(*set, samples, threads, &done)
                : channel_statistics(*set, samples, centre_of(size), {3, size, size}, threads, &done);
  }
  if (line.flag("json")) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{
                           {"images", samples},
                           {"mean", boost::json::array(found.mean.begin(), found.mean.end())},
                           {"deviation", boost::json::array(found.deviation.begin(), found.deviation.end())},
                           {"seconds", seconds_since(start)}}));
    return 0;
  }
  for (const std::string& note : notes) fmt::print("note: {}\n", note);
  fmt::print("# {} of {}, {:.1f} s\nmean = {}\ndeviation = {}\n", counted(samples, "image"), place.text(),
             seconds_since(start), list_text(found.mean), list_text(found.deviation));
  return 0;
}

}  // namespace convoy
