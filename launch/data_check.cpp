#include <fmt/format.h>

#include <atomic>
#include <boost/json.hpp>
#include <map>
#include <mutex>
#include <thread>

#include "launch/data_folders.h"
#include "launch/options.h"
#include "layers/core/clock.h"
#include "layers/core/error.h"
#include "layers/core/text.h"
#include "trainer/data/image_folder.h"
#include "trainer/data/printable.h"

namespace convoy {
namespace {

namespace po = boost::program_options;

/// Decodes all images whole; what is wrong by index.
std::map<std::int64_t, std::string> find_broken(const ImageFolder& set, int threads) {
  std::map<std::int64_t, std::string> broken;
  std::mutex mutex;
  std::atomic<std::int64_t> next = 0;
  std::exception_ptr fault;
  const auto work = [&] {
    ReadScratch scratch;
    View view;
    for (std::int64_t i = next++; i < set.size(); i = next++) {
      try {
        set.read_crop(i, whole_image, scratch, view);
      } catch (const Error& problem) {
        const std::lock_guard lock(mutex);
        if (problem.code() == ExitCode::data) broken[i] = problem.what();
        if (problem.code() != ExitCode::data) fault = std::current_exception();
      } catch (...) {
        const std::lock_guard lock(mutex);
        fault = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < threads; ++i) workers.emplace_back(work);
  }
  if (fault) std::rethrow_exception(fault);
  return broken;
}

}  // namespace

int data_check(const std::vector<std::string>& arguments) {
  CommandLine line(
      "data check DIR [options]",
      "Decodes every image below DIR/train and DIR/val (or below DIR, where it has neither) and names "
      "those that are broken.\nExit code 4 when there are any.");
  line.positional("DIR", "folder of images");
  line.options().add_options()("threads", po::value<std::int64_t>()->default_value(0)->value_name("N"),
                               "threads; 0: one for each core")("json", po::bool_switch(),
                                                                "print one JSON object");
  if (!line.parse(arguments)) return 0;
  auto threads = static_cast<int>(line.number("threads", 0, 256));
  if (threads == 0) threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  boost::json::array all;
  std::int64_t images = 0;
  const auto start = Clock::now();
  for (const std::filesystem::path& folder : data_folders(line.required("DIR"))) {
    std::vector<std::string> notes;
    const std::shared_ptr<const ImageFolder> set =
        open_folder(folder, list_classes(folder), {}, false, notes);
    images += set->size();
    for (const auto& [index, problem] : find_broken(*set, threads)) {
      if (!line.flag("json")) fmt::print("{}\n", problem);
      all.emplace_back(boost::json::object{{"file", (folder / set->index().entry(index).path).string()},
                                           {"problem", problem}});
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
