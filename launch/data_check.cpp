#include <fmt/format.h>

#include <atomic>
#include <boost/json.hpp>
#include <map>
#include <mutex>

#include "launch/data_folders.h"
#include "launch/data_progress.h"
#include "launch/options.h"
#include "layers/core/clock.h"
#include "layers/core/error.h"
#include "layers/core/text.h"
#include "trainer/data/parallel.h"
#include "trainer/data/set_error.h"

namespace convoy {
namespace {

namespace po = boost::program_options;

/// Decodes all images whole; what is wrong by index. `done` counts them.
std::map<std::int64_t, std::string> find_broken(const Dataset& set, int threads,
                                                std::atomic<std::int64_t>& done) {
  std::map<std::int64_t, std::string> broken;
  std::mutex mutex;
  in_parallel(set.size(), threads, [&] {
    return [&, scratch = ReadScratch(), view = View()](std::int64_t i) mutable {
      try {
        set.read_crop(i, whole_image, scratch, view);
      } catch (const Error& problem) {
        if (!is_of_sample(problem)) throw;
        const std::lock_guard lock(mutex);
        broken[i] = problem.what();
      }
      ++done;
    };
  });
  return broken;
}

}  // namespace

int data_check(const std::vector<std::string>& arguments) {
  CommandLine line(
      "data check DIR [options]",
      "Decodes every image below DIR/train and DIR/val (or below DIR, where it has neither) and names "
      "those that are broken.\nExit code 4 when there are any. DIR may have tar shards, or be their name or "
      "a "
      "list file.");
  line.positional("DIR", "folder of images or shards, or a list file");
  line.options().add_options()("threads", po::value<std::int64_t>()->default_value(0)->value_name("N"),
                               "threads; 0: one for each core")("json", po::bool_switch(),
                                                                "print one JSON object");
  if (!line.parse(arguments)) return 0;
  const int threads = threads_or_cores(line.number("threads", 0, 256));
  boost::json::array all;
  std::int64_t images = 0;
  const auto start = Clock::now();
  for (const ImagePlace& place : image_places(line.required("DIR"))) {
    std::vector<std::string> notes;
    const std::shared_ptr<const ImageFolder> set = open_place(place, {}, notes);
    images += set->size();
    std::map<std::int64_t, std::string> broken;
    {
      std::atomic<std::int64_t> done = 0;
      const DataProgress progress(set->size(), done, line.flag("json"));
      broken = find_broken(*set, threads, done);
    }
    for (const auto& [index, problem] : broken) {
      if (!line.flag("json")) fmt::print("{}\n", problem);
      all.emplace_back(boost::json::object{{"file", set->sample_name(index)}, {"problem", problem}});
    }
    for (const std::string& note : notes) {
      if (!line.flag("json")) fmt::print("note: {}\n", note);
    }
  }
  const auto broken = static_cast<std::int64_t>(all.size());
  if (line.flag("json")) {
    fmt::print("{}\n",
               boost::json::serialize(boost::json::object{
                   {"images", images}, {"broken", std::move(all)}, {"seconds", seconds_since(start)}}));
  } else {
    fmt::print("{} decoded in {:.1f} s, {} of them broken\n", counted(images, "image"), seconds_since(start),
               broken);
  }
  return broken == 0 ? 0 : static_cast<int>(ExitCode::data);
}

}  // namespace convoy
