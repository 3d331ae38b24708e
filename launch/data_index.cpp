#include <fmt/format.h>

#include <boost/json.hpp>

#include "launch/data_folders.h"
#include "launch/options.h"
#include "layers/core/bytes.h"
#include "layers/core/clock.h"
#include "layers/core/error.h"
#include "layers/core/text.h"
#include "trainer/data/folder_index.h"
#include "trainer/data/printable.h"
#include "trainer/data/shard_names.h"
#include "trainer/data/shard_scan.h"

namespace convoy {
namespace {

namespace po = boost::program_options;

/// Lists what is there, and where the index of that belongs.
std::pair<Listing, std::filesystem::path> list(const ImagePlace& place, int threads) {
  if (place.kind == ImagePlace::Kind::folder)
    return {scan_folder(place.root, threads), index_path(place.root)};
  if (place.kind == ImagePlace::Kind::list) {
    fail(ExitCode::usage, "{}: is a file; lists are read as they are, and need no index",
         printable(place.text()));
  }
  std::vector<std::string> notes;
  const std::vector<std::string> shards = find_shards(place.root, place.name, notes);
  Listing listing = scan_shards(place.root, shards, threads);
  listing.notes.insert(listing.notes.begin(), notes.begin(), notes.end());
  return {std::move(listing), shards_index_path(place.root, place.name)};
}

boost::json::object index_place(const ImagePlace& place, int threads, bool json) {
  const auto start = Clock::now();
  const auto [listing, file] = list(place, threads);
  write_index(file, index_bytes(listing));
  const std::shared_ptr<const FolderIndex> index = FolderIndex::open(file);
  boost::json::array notes;
  for (const std::string& note : listing.notes) {
    notes.emplace_back(note);
    if (!json) fmt::print("note: {}\n", note);
  }
  if (!json) {
    fmt::print(
        "{}: {}, {}, {}; {:.2f} s, check sum {:08x}\n", printable(file.string()),
        counted(index->size(), "image"),
        index->class_names().size() == 1 ? "1 class" : fmt::format("{} classes", index->class_names().size()),
        format_bytes(static_cast<std::int64_t>(index->bytes())), seconds_since(start), index->checksum());
  }
  return {{"folder", place.text()},
          {"index", file.string()},
          {"images", index->size()},
          {"classes", index->class_names().size()},
          {"bytes", index->bytes()},
          {"largest", index->largest()},
          {"checksum", fmt::format("{:08x}", index->checksum())},
          {"seconds", seconds_since(start)},
          {"notes", std::move(notes)}};
}

}  // namespace

int data_index(const std::vector<std::string>& arguments) {
  CommandLine line(
      "data index DIR [options]",
      "Lists the images below DIR/train and DIR/val (or below DIR, where it has neither) and writes "
      "train.convoy-index\nand val.convoy-index beside them. Training reads these instead of the "
      "folders, until a folder changes.\nWhere DIR has tar shards, train-000000.tar and so on, it writes "
      "train.shards-index; DIR may also be the name of\nshards: 'DIR/train-{000000..000999}.tar'.");
  line.positional("DIR", "folder of images or shards");
  line.options().add_options()("threads", po::value<std::int64_t>()->default_value(8)->value_name("N"),
                               "folders or shards read at a time")("json", po::bool_switch(),
                                                                   "print one JSON object");
  if (!line.parse(arguments)) return 0;
  const auto threads = static_cast<int>(line.number("threads", 1, 256));
  boost::json::array done;
  for (const ImagePlace& place : image_places(line.required("DIR"))) {
    done.push_back(index_place(place, threads, line.flag("json")));
  }
  if (line.flag("json")) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"indices", std::move(done)}}));
  }
  return 0;
}

}  // namespace convoy
