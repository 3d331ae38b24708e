#include "launch/job/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <utility>
#include <variant>

#include "launch/job/colour_checks.h"
#include "launch/job/keys.h"
#include "layers/core/error.h"
#include "trainer/data/dataset.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

void check_required(const Job& job, const Places& places) {
  Job copy = job;
  for (const Key& key : job_keys()) {
    if (!key.required() || !std::get<FieldOf<std::string>>(key.field)(copy).empty()) continue;
    fail(ExitCode::usage, "{}{}: key \"{}\" is missing; write for example{}: {} = {}",
         places.prefix(key.full_name()), section_title(key.section), key.name,
         key.section.empty() ? "" : fmt::format(" below [{}]", key.section), key.name, key.example);
  }
}

/// All four files, or none and a root, where they then have MNIST's names.
void check_idx(const Job::Data& data, const Places& places) {
  const std::array<std::pair<const char*, const std::string*>, 4> files{{{"images", &data.images},
                                                                         {"labels", &data.labels},
                                                                         {"test_images", &data.test_images},
                                                                         {"test_labels", &data.test_labels}}};
  const bool none = std::ranges::all_of(files, [](const auto& file) { return file.second->empty(); });
  if (none && !data.root.empty()) return;
  for (const auto& [name, value] : files) {
    if (!value->empty()) continue;
    places.refuse(
        "data", name,
        "is missing; kind = \"idx\" needs images, labels, test_images and test_labels, or none of them and "
        "a root whose files have MNIST's names");
  }
}

/// A least and a most value.
void check_bounds(const std::vector<double>& bounds, const char* name, const Places& places) {
  if (bounds.size() == 2 && bounds[0] <= bounds[1]) return;
  if (bounds.size() == 2) {
    places.refuse("data", name,
                  fmt::format("[{0}, {1}] is in the wrong order: the least stands first; write [{1}, {0}]",
                              bounds[0], bounds[1]));
  }
  places.refuse("data", name, "expected two numbers, the least and the most, for example: [0.08, 1.0]");
}

void check_images(const Job::Data& data, const Places& places) {
  check_bounds(data.area, "area", places);
  check_bounds(data.aspect, "aspect", places);
  check_bounds(data.erase_area, "erase_area", places);
  check_bounds(data.erase_aspect, "erase_aspect", places);
  const bool files = holds_image_files(data.kind);
  if (files && data.crop == "window") {
    places.refuse(
        "data", "crop",
        fmt::format("\"window\" needs images of one size; kind = \"{}\" resizes them: random-resized, "
                    "random or centre",
                    data.kind));
  }
  const bool resizes = data.crop != "window" && (data.crop != "auto" || files);
  if (resizes && data.crop_padding > 0) {
    places.refuse("data", "crop_padding", "goes with crop = \"window\"; set it to 0");
  }
  if (data.order == "window" && data.kind != "image-shards") {
    places.refuse(
        "data", "order",
        "\"window\" is for shards, where classes are mixed (convoy data pack): kind = \"image-shards\"");
  }
}

void check_data(const Job::Data& data, const Places& places) {
  check_images(data, places);
  check_colour_components(data, places);
  const int classes = known_set(data.kind).classes;
  if (classes > 0 && data.classes > 0 && data.classes != classes) {
    places.refuse("data", "classes",
                  fmt::format("is {}, but kind = \"{}\" has {} classes; leave the key out", data.classes,
                              data.kind, classes));
  }
  if (!data.mean.empty() && !data.deviation.empty() && data.mean.size() != data.deviation.size()) {
    places.refuse("data", "deviation",
                  fmt::format("has {} values, but mean has {}; both take one for each channel of the images",
                              data.deviation.size(), data.mean.size()));
  }
  const auto below_one = [](double value) { return value <= 1; };
  if (!data.mean.empty() && !data.deviation.empty() && std::ranges::all_of(data.mean, below_one) &&
      std::ranges::all_of(data.deviation, below_one)) {
    places.refuse(
        "data", "mean",
        "mean and deviation are of pixels in 0 to 255; these look like pixels in 0 to 1, multiply by 255");
  }
  if (data.kind == "idx") check_idx(data, places);
}

void check_train(const Job::Train& train, const Places& places) {
  if (train.micro_batch > train.batch) {
    places.refuse("train", "micro_batch",
                  fmt::format("{} is larger than batch ({}), the samples of one update over all ranks",
                              train.micro_batch, train.batch));
  }
}

void check_schedule(const Job::Schedule& schedule, const Places& places) {
  const std::vector<double>& epochs = schedule.milestones;
  const auto fall = std::adjacent_find(epochs.begin(), epochs.end(), std::greater_equal<>());
  if (fall != epochs.end()) {
    places.refuse("schedule", "milestones",
                  fmt::format("must ascend, but {} is followed by {}", *fall, *(fall + 1)));
  }
  if (schedule.type == "multi_step" && epochs.empty()) {
    places.refuse("schedule", "milestones",
                  "is missing; type = \"multi_step\" needs it, for example: milestones = [30, 60]");
  }
}

/// `path` made absolute if it exists below `folder` ("": the working folder), else "".
std::string existing(const fs::path& folder, const std::string& path) {
  std::error_code ignored;
  const fs::path whole = fs::absolute(folder / path, ignored);
  return fs::exists(whole, ignored) ? whole.lexically_normal().string() : "";
}

/// From the working folder, then from the job file's; "" if in neither.
std::string find_path(const fs::path& job_folder, const std::string& path) {
  const std::string here = existing({}, path);
  return here.empty() ? existing(job_folder, path) : here;
}

}  // namespace

void check_job(const Job& job, const Places& places) {
  check_required(job, places);
  if (job.device != "cuda" && job.comm.gradients == "nccl") {  // "auto" is the processor so far
    places.refuse("comm", "gradients",
                  fmt::format("\"nccl\" is for GPUs, and with device = \"{}\" the processor trains, whose "
                              "gradients go through MPI; write \"auto\", or device = \"cuda\"",
                              job.device));
  }
  check_data(job.data, places);
  check_train(job.train, places);
  check_schedule(job.schedule, places);
}

void resolve_paths(Job& job, const std::string& job_file, const Places& places) {
  const fs::path job_folder = fs::path(job_file).parent_path();
  const std::string network = find_path(job_folder, job.network);
  if (network.empty()) {
    const std::string second =
        job_folder.empty() ? ""
                           : fmt::format(" and from {}, the folder of the job file", job_folder.string());
    places.refuse(
        "", "network",
        fmt::format("there is no file \"{}\"; looked from the working folder{}", job.network, second));
  }
  job.network = network;

  std::vector<std::string*> paths{&job.data.root};
  if (job.data.root.empty()) {
    paths = {&job.data.images, &job.data.labels, &job.data.test_images, &job.data.test_labels};
  }
  for (std::string* path : paths) {
    if (path->empty()) continue;
    const std::string found = find_path(job_folder, *path);
    if (!found.empty()) *path = found;
  }
}

}  // namespace convoy
