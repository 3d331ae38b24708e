#include <fmt/format.h>

#include <boost/json.hpp>

#include "launch/data_folders.h"
#include "launch/data_progress.h"
#include "launch/options.h"
#include "launch/ranks.h"
#include "layers/core/bytes.h"
#include "layers/core/clock.h"
#include "layers/core/error.h"
#include "layers/core/text.h"
#include "trainer/data/image_shards.h"
#include "trainer/data/parallel.h"
#include "trainer/data/printable.h"
#include "trainer/data/shard_names.h"
#include "trainer/data/shard_packer.h"
#include "trainer/data/shard_scan.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

struct Settings {
  PackOptions pack;
  DecodeOptions decode;
  fs::path out;
  int threads = 1;
  bool json = false;
};

/// What became of one folder.
struct Packed {
  std::string name;
  std::int64_t images = 0;
  std::int64_t shards = 0;
  std::int64_t shards_before = 0;  ///< that an earlier command had written
  std::int64_t left_out = 0;       ///< of all, also by earlier commands
  std::int64_t bytes = 0;
  std::vector<std::string> problems;
  bool stopped = false;
};

/// "train" of DIR/train and of DIR/train/.
std::string name_of(const fs::path& folder) {
  fs::path whole = fs::absolute(folder).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  return whole.filename().string();
}

void write_shards(const ShardPacker& packer, const Settings& settings, PackProgress& progress) {
  std::vector<std::int64_t> missing;
  std::int64_t images = 0;
  for (std::int64_t i = 0; i < packer.shards(); ++i) {
    if (packer.is_done(i)) continue;
    missing.push_back(i);
    images += packer.images_of(i);
  }
  const DataProgress shown(images, progress.images, settings.json,
                           [&] { return format_bytes(progress.bytes) + " written"; });
  in_parallel(static_cast<std::int64_t>(missing.size()), settings.threads, [&] {
    return [&, scratch = PackScratch()](std::int64_t i) mutable {
      if (!progress.stop->load()) packer.pack(missing[static_cast<std::size_t>(i)], scratch, progress);
    };
  });
}

Packed pack_folder(const fs::path& folder, const std::vector<std::string>& classes, const Settings& settings,
                   std::vector<std::string>& notes) {
  const auto set = open_folder(folder, classes, settings.decode, false, notes);
  Packed packed;
  packed.name = name_of(folder);
  const ShardPacker packer(*set, settings.out, packed.name, settings.pack);
  packed.shards = packer.shards();
  for (std::int64_t i = 0; i < packer.shards(); ++i) packed.shards_before += packer.is_done(i) ? 1 : 0;
  PackProgress progress;
  progress.stop = &stop_requested();
  write_shards(packer, settings, progress);
  packed.problems = std::move(progress.left_out);
  packed.stopped = stop_requested();
  if (packed.stopped) return packed;

  std::vector<std::string> names;
  for (std::int64_t i = 0; i < packer.shards(); ++i) {
    names.push_back(packer.shard_name(i));
    packed.bytes += static_cast<std::int64_t>(fs::file_size(settings.out / names.back()));
  }
  const Listing listing = scan_shards(settings.out, names, settings.threads);
  write_index(shards_index_path(settings.out, packer.pattern()), index_bytes(listing));
  for (const ListedFolder& shard : listing.folders)
    packed.images += static_cast<std::int64_t>(shard.files.size());
  packed.left_out = set->size() - packed.images;
  return packed;
}

boost::json::object as_json(const Packed& packed) {
  return {{"name", packed.name},
          {"images", packed.images},
          {"shards", packed.shards},
          {"shards_before", packed.shards_before},
          {"left_out", packed.left_out},
          {"problems", boost::json::array(packed.problems.begin(), packed.problems.end())},
          {"bytes", packed.bytes}};
}

void tell(const Packed& packed) {
  for (const std::string& problem : packed.problems) fmt::print("{}; left out\n", problem);
  const std::string before =
      packed.shards_before > 0 ? fmt::format(" ({} were there)", packed.shards_before) : "";
  const std::string left_out = packed.left_out > 0 ? fmt::format(", {} left out", packed.left_out) : "";
  fmt::print("{}: {} in {}{}, {}{}\n", printable(packed.name), counted(packed.images, "image"),
             counted(packed.shards, "shard"), before, format_bytes(packed.bytes), left_out);
}

void add_options(po::options_description& options) {
  options.add_options()("out", po::value<std::string>()->value_name("DIR"), "folder to write the shards to")(
      "shorter-side", po::value<std::int64_t>()->default_value(0)->value_name("N"),
      "resize larger images so that their shorter side has N pixels; 0: none")(
      "quality", po::value<std::int64_t>()->value_name("Q"),
      "encode all images anew as JPEG of this quality, 1 to 100; without it, only those that are resized, at "
      "95")("raw", po::bool_switch(), "keep pixels (PPM), which cost no decoding, in place of JPEG")(
      "orientation", po::bool_switch(), "turn images as their EXIF block says; encodes all anew")(
      "background", po::value<std::int64_t>()->default_value(255)->value_name("N"),
      "grey level behind transparent pixels of images that are encoded anew")(
      "shard-size", po::value<std::int64_t>()->default_value(1000)->value_name("N"), "images a shard")(
      "broken", po::value<std::string>()->default_value("stop")->value_name("stop|skip"),
      "at an image that cannot be decoded: end with its name, or leave it out and tell it")(
      "threads", po::value<std::int64_t>()->default_value(0)->value_name("N"),
      "threads; 0: one for each core")("json", po::bool_switch(), "print one JSON object");
}

Settings settings_of(const CommandLine& line) {
  if (!line.has("out")) fail(ExitCode::usage, "--out is missing: the folder to write the shards to");
  const std::string broken = line.text("broken");
  if (broken != "stop" && broken != "skip")
    fail(ExitCode::usage, "--broken \"{}\": expected stop or skip", broken);
  Settings settings;
  settings.pack.shorter_side = static_cast<int>(line.number("shorter-side", 0, 65535));
  if (line.has("quality")) settings.pack.quality = static_cast<int>(line.number("quality", 1, 100));
  settings.pack.raw = line.flag("raw");
  if (settings.pack.raw && settings.pack.quality > 0)
    fail(ExitCode::usage, "--raw and --quality exclude each other: raw pixels are not encoded");
  settings.pack.orientation = line.flag("orientation");
  settings.pack.shard_samples = line.number("shard-size", 1, 1'000'000);
  settings.pack.skip_broken = broken == "skip";
  settings.decode.background = static_cast<std::uint8_t>(line.number("background", 0, 255));
  settings.out = line.text("out");
  settings.threads = threads_or_cores(line.number("threads", 0, 256));
  settings.json = line.flag("json");
  return settings;
}

}  // namespace

int data_pack(const std::vector<std::string>& arguments) {
  CommandLine line(
      "data pack DIR --out SHARDS [options]",
      "Writes the images below DIR/train and DIR/val (or below DIR, where it has neither) into tar shards "
      "SHARDS/train-000000.tar\nand so on, in an order that mixes the classes, with their index and the "
      "names of "
      "the classes: a data set of kind\n\"image-shards\". Every image is decoded once and every shard read "
      "back. "
      "Interrupted, the same command continues.\nExit code 4 when images were left out.");
  line.positional("DIR", "folder of images");
  add_options(line.options());
  if (!line.parse(arguments)) return 0;
  const std::string root = line.required("DIR");
  const Settings settings = settings_of(line);
  const std::vector<ImagePlace> places = image_places(root);
  if (places.front().kind != ImagePlace::Kind::folder)
    fail(ExitCode::usage, "{}: is no folder of images", printable(places.front().text()));
  const auto start = Clock::now();
  catch_stop_signals();
  const std::vector<std::string> classes = list_classes(places.front().root);
  write_class_names(settings.out, classes);
  boost::json::array done;
  std::int64_t left_out = 0;
  for (const ImagePlace& place : places) {
    std::vector<std::string> notes;
    const Packed packed = pack_folder(place.root, classes, settings, notes);
    for (const std::string& note : notes) {
      if (!settings.json) fmt::print("note: {}\n", note);
    }
    if (packed.stopped) {
      fmt::print(stderr, "stopped on request; the same command continues\n");
      return static_cast<int>(ExitCode::stopped);
    }
    if (!settings.json) tell(packed);
    done.push_back(as_json(packed));
    left_out += packed.left_out;
  }
  if (settings.json) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"packed", std::move(done)},
                                                                  {"seconds", seconds_since(start)}}));
  } else {
    fmt::print("{}: written and read back in {:.1f} s\n", printable(settings.out.string()),
               seconds_since(start));
  }
  return left_out == 0 ? 0 : static_cast<int>(ExitCode::data);
}

}  // namespace convoy
