#include <fmt/format.h>

#include <boost/json.hpp>
#include <limits>
#include <span>

#include "launch/data_folders.h"
#include "launch/data_progress.h"
#include "launch/options.h"
#include "layers/core/clock.h"
#include "layers/core/text.h"
#include "trainer/data/parallel.h"
#include "trainer/data/principal_colours.h"
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

std::string list_text(std::span<const double> values) {
  std::vector<std::string> words;
  for (const double value : values) words.push_back(fmt::format("{:.6g}", value));
  return join(words);
}

/// The rows of a 3 x 3 matrix below each other.
std::string rows_text(std::span<const double> values, const std::string& between) {
  return list_text(values.first(3)) + between + list_text(values.subspan(3, 3)) + between +
         list_text(values.subspan(6, 3));
}

/// Lines of [data] of a job; what is of no use there is a comment.
std::string job_lines(const ChannelStatistics& found, const PrincipalColours& colours) {
  const double all = colours.values[0] + colours.values[1] + colours.values[2];
  std::vector<std::string> shares;
  for (const double value : colours.values)
    shares.push_back(fmt::format("{:.1f}%", all > 0 ? 100 * value / all : 0));
  return fmt::format(
      "mean = [{}]\ndeviation = [{}]\n# covariance of red, green and blue:\n#   {}\n"
      "# its principal components, for colour_shift, of pixels in 0 to 1; {} of the variance:\n"
      "colour_eigenvalues = [{}]\ncolour_eigenvectors = [{}]\n",
      list_text(found.mean), list_text(found.deviation), rows_text(found.covariance, "\n#   "), join(shares),
      list_text(colours.values), rows_text(vector_list(colours), ",\n                       "));
}

boost::json::array array_of(std::span<const double> values) {
  return boost::json::array(values.begin(), values.end());
}

boost::json::object object_of(const ChannelStatistics& found, const PrincipalColours& colours) {
  boost::json::array covariance;
  for (std::size_t c = 0; c < 3; ++c)
    covariance.push_back(array_of(std::span(found.covariance).subspan(3 * c, 3)));
  return {{"mean", array_of(found.mean)},
          {"deviation", array_of(found.deviation)},
          {"covariance", covariance},
          {"colour_eigenvalues", array_of(colours.values)},
          {"colour_eigenvectors", array_of(vector_list(colours))}};
}

}  // namespace

int data_mean(const std::vector<std::string>& arguments) {
  CommandLine line(
      "data mean DIR [options]",
      "Mean and standard deviation of each channel over the training images (of DIR/train, or "
      "of the first shards in DIR),\nof pixels in 0 to 255, and the principal components of their "
      "colours, as [data] of a job takes them. Exact: the same\non any number of threads. Of each "
      "image what evaluation sees counts, the central crop after resizing; with --whole\nevery "
      "pixel.");
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
  const PrincipalColours colours = principal_colours(found);
  if (line.flag("json")) {
    boost::json::object answer = object_of(found, colours);
    answer["images"] = samples;
    answer["seconds"] = seconds_since(start);
    fmt::print("{}\n", boost::json::serialize(answer));
    return 0;
  }
  for (const std::string& note : notes) fmt::print("note: {}\n", note);
  fmt::print("# {} of {}, {:.1f} s; of pixels in 0 to 255:\n{}", counted(samples, "image"), place.text(),
             seconds_since(start), job_lines(found, colours));
  return 0;
}

}  // namespace convoy
