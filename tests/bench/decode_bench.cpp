// Speed of decoding and preparing images:
//   tests/bench/decode_bench [ROUNDS] [--files FOLDER] [--json]        (from the build folder; ROUNDS: 9)
// Each way to take the images of bench_photographs is run once a round, one after the other; printed are the
// medians over the rounds of images a second of the cores' work, which other programs change less, and a
// second that passed. On one core, but for what says "2 threads" or "2 processes": two processes of plain
// libjpeg-turbo calls share nothing but the machine, so that they tell what it gives to two threads at best.
// Last comes the share of the time that a caller waits for a loader that has a tenth more speed than it
// needs. With
// --files the images are in a folder, where tests/bench/compare_decode.py has other programs decode them too.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>

#include "layers/core/clock.h"
#include "tests/bench/arguments.h"
#include "tests/bench/bench_images.h"
#include "tests/trainer/data/jpeg_files.h"
#include "trainer/data/crops.h"
#include "trainer/data/image_encoder.h"
#include "trainer/data/loader.h"
#include "trainer/data/prepare.h"
#include "trainer/data/tar_writer.h"

namespace {

using namespace convoy;

constexpr int kImages = 64;
constexpr int kLoaderEpochs = 4;
constexpr Shape kOutput{3, 224, 224};

/// The files as a data set, decoded whole (`crops` false) or the crop alone.
class Files : public Dataset {
 public:
  Files(const std::vector<std::vector<std::uint8_t>>& files, bool crops) : files_(files), crops_(crops) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }
  int classes() const override { return 1; }
  const std::vector<std::string>& class_names() const override { return names_; }
  Shape shape() const override { return {3, 0, 0}; }
  std::int32_t read(std::int64_t index, Image& image) const override {
    View view;
    view.image = std::move(image);
    ReadScratch scratch;
    decode_image({files_[static_cast<std::size_t>(index)], names_[0]}, {}, whole_image, scratch.decode, view);
    image = std::move(view.image);
    return 0;
  }
  std::int32_t read_crop(std::int64_t index, const ChooseCrop& choose, ReadScratch& scratch,
                         View& view) const override {
    if (!crops_) return Dataset::read_crop(index, choose, scratch, view);
    decode_image({files_[static_cast<std::size_t>(index)], names_[0]}, {}, choose, scratch.decode, view);
    return 0;
  }

 private:
  const std::vector<std::vector<std::uint8_t>>& files_;
  bool crops_;
  std::vector<std::string> names_{"image"};
};

/// The image with a shorter side of 256 pixels, raw: what `convoy data pack --raw --shorter-side 256` keeps.
std::vector<std::uint8_t> raw_256(const std::vector<std::uint8_t>& file) {
  static const std::string name = "image";
  DecodeScratch scratch;
  View view;
  decode_image({file, name}, {}, whole_image, scratch, view);
  const Sides sides = resized_sides(256, view.image.height, view.image.width);
  Image resized{3, static_cast<int>(sides.height), static_cast<int>(sides.width), {}};
  resized.pixels.resize(static_cast<std::size_t>(3 * sides.height * sides.width));
  ResampleScratch resampling;
  resample(view, Filter::bilinear, false, resized.height, resized.width, resampling, resized.pixels.data());
  std::vector<std::uint8_t> out;
  encode_ppm(resized, out);
  return out;
}

/// One shard of the files, as a data set.
std::shared_ptr<const Dataset> shard_of(const std::string& folder, const std::string& name,
                                        const std::vector<std::vector<std::uint8_t>>& files,
                                        const char* ending) {
  TarWriter tar(fmt::format("{}/{}-000000.tar", folder, name));
  for (std::size_t i = 0; i < files.size(); ++i) tar.add(fmt::format("a/{:03}.{}", i, ending), files[i]);
  tar.commit();
  DataSource source{.kind = "image-shards", .root = folder};
  source.train_shards = name + "-*.tar";
  return open_dataset(source, Split::train);
}

/// Takes all images some times, through a loader of so many threads.
void load(const std::shared_ptr<const Dataset>& set, const Augmentation& augmentation, int threads) {
  LoaderOptions options;
  options.batch = 16;
  options.threads = threads;
  options.epochs = kLoaderEpochs;
  options.augmentation = augmentation;
  Loader loader(set, kOutput, options);
  while (loader.next() != nullptr) continue;
}

/// Runs `work` in so many processes at once.
void in_processes(int processes, const std::function<void()>& work) {
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      work();
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
}

/// Share of the time for which a caller waits that takes a batch every so many seconds, as a device does that
/// is busy with it meanwhile. The first batches fill the ring.
double waited_share(const std::shared_ptr<const Dataset>& set, const Augmentation& augmentation, int threads,
                    double seconds_per_batch) {
  LoaderOptions options;
  options.batch = 16;
  options.threads = threads;
  options.epochs = 2 * kLoaderEpochs;
  options.augmentation = augmentation;
  Loader loader(set, kOutput, options);
  while (loader.statistics().ready < options.ahead) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto start = Clock::now();
  while (loader.next() != nullptr)
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds_per_batch));
  return loader.statistics().waited_seconds / seconds_since(start);
}

/// Seconds that cores worked for this process and for those that it waited for.
double core_seconds() {
  double seconds = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    ::getrusage(who, &usage);
    for (const timeval& time : {usage.ru_utime, usage.ru_stime})
      seconds += static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  }
  return seconds;
}

struct Way {
  const char* name;
  std::int64_t images;  ///< that one call takes
  std::function<void()> take;
  std::vector<double> of_cores{};  ///< images a second of the cores' work, by round
  std::vector<double> elapsed{};   ///< and a second that passed
};

struct Settings {
  int rounds = 9;
  std::string folder{};
  bool json = false;
};

Settings settings_of(bench::Arguments& arguments) {
  Settings settings;
  settings.folder = arguments.value("--files").value_or("");
  settings.json = arguments.flag("--json");
  settings.rounds = static_cast<int>(arguments.next_number("ROUNDS", settings.rounds));
  arguments.done();
  return settings;
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + std::ssize(values) / 2);
  return values[values.size() / 2];
}

void print(const std::vector<Way>& ways, const Settings& settings) {
  if (!settings.json) {
    fmt::print(
        "images for each second of the cores at work, and each second that passed; medians of {} rounds\n",
        settings.rounds);
  }
  std::string json;
  for (const Way& way : ways) {
    const auto [least, most] = std::ranges::minmax(way.of_cores);
    json += fmt::format("{}\"{}\": {:.1f}, \"{}, elapsed\": {:.1f}", json.empty() ? "" : ", ", way.name,
                        median(way.of_cores), way.name, median(way.elapsed));
    if (!settings.json)
      fmt::print("  {:<46}{:8.0f}  ({:.0f} to {:.0f}) {:8.0f}\n", way.name, median(way.of_cores), least, most,
                 median(way.elapsed));
  }
  if (settings.json) fmt::print("{{{}}}\n", json);
}

int run(bench::Arguments& arguments) {
  const Settings settings = settings_of(arguments);
  const auto files = bench_photographs(kImages, settings.folder);
  std::vector<std::vector<std::uint8_t>> raws;
  for (const auto& file : files) raws.push_back(raw_256(file));
  const std::filesystem::path shards =
      std::filesystem::temp_directory_path() / fmt::format("convoy-decode-bench-{}", ::getpid());
  std::filesystem::create_directories(shards);
  const auto jpeg_shard = shard_of(shards, "jpeg", files, "jpg");
  const auto raw_shard = shard_of(shards, "raw", raws, "ppm");

  const Files whole(files, false);
  const Files crops(files, true);
  const Files raw(raws, true);
  const RandomStream stream(1, Purpose::augment, 0);
  Augmentation training;
  training.crop = CropKind::random_resized;
  training.flip = true;
  Augmentation evaluation;
  evaluation.crop = CropKind::centre;
  evaluation.shorter_side = 256;
  std::vector<std::uint8_t> out(static_cast<std::size_t>(kTenCrops * kOutput.elements()));
  Image image;
  PrepareScratch scratch;
  std::int64_t round = 0;
  std::vector<Way> ways;
  const auto each = [&](const char* name, std::function<void(std::int64_t)> take) {
    ways.push_back({name, kImages, [take = std::move(take)] {
                      for (std::int64_t i = 0; i < kImages; ++i) take(i);
                    }});
  };
  const auto prepare = [&](const Dataset& set, const Augmentation& augmentation) {
    return [&](std::int64_t i) {
      prepare_sample(set, augmentation, stream, round, i, scratch, out.data(), kOutput);
    };
  };
  each("libjpeg-turbo, plainly",
       [&](std::int64_t i) { decode_plainly(files[static_cast<std::size_t>(i)], image); });
  ways.push_back({"libjpeg-turbo, plainly, 2 processes", 2 * kImages, [&files] {
                    in_processes(2, [&files] {
                      Image own;
                      for (const auto& file : files) decode_plainly(file, own);
                    });
                  }});
  each("decode", [&](std::int64_t i) { whole.read(i, image); });
  each("decode whole, random resized crop, flip", prepare(whole, training));
  each("decode crop, random resized crop, flip", prepare(crops, training));
  each("decode crop, resize 256, centre 224", prepare(crops, evaluation));
  Augmentation ten = evaluation;
  ten.ten_crops = true;
  each("decode, resize 256, ten crops of 224", prepare(crops, ten));
  each("raw 256, random resized crop, flip", prepare(raw, training));
  each("raw 256 from a shard, the same", prepare(*raw_shard, training));
  // What happens to the pixels after the crop, each alone.
  prepare_sample(crops, training, stream, 0, 0, scratch, out.data(), kOutput);
  const std::vector<std::uint8_t> cropped(out.begin(), out.begin() + kOutput.elements());
  const auto change = [&](const char* name, const Augmentation& augmentation) {
    each(name, [&, augmentation](std::int64_t i) {
      std::ranges::copy(cropped, out.begin());
      change_pixels(augmentation, stream, round, i, out.data(), kOutput);
    });
  };
  change("brightness, contrast, saturation 0.4", {.jitter = {0.4, 0.4, 0.4, 0}});
  change("hue 0.1", {.jitter = {0, 0, 0, 0.1}});
  change("colour shift 0.1", {.shift = {.sigma = 0.1}});
  change("erase every image, random pixels", {.erasing = {.probability = 1}});
  std::vector<std::uint8_t> other = cropped;
  each("mixup of two, each", [&](std::int64_t i) {
    if (i % 2 == 0) mix_pair(draw_mixup(0.2, stream, round, i), {out.data(), cropped.size()}, other);
  });
  const auto loader = [&](const char* name, const std::shared_ptr<const Dataset>& set, int threads) {
    ways.push_back(
        {name, kImages * kLoaderEpochs, [&training, set, threads] { load(set, training, threads); }});
  };
  loader("loader, JPEG shard, 1 thread", jpeg_shard, 1);
  loader("loader, JPEG shard, 2 threads", jpeg_shard, 2);
  loader("loader, raw shard, 1 thread", raw_shard, 1);
  loader("loader, raw shard, 2 threads", raw_shard, 2);
  for (round = 0; round < settings.rounds; ++round) {
    for (Way& way : ways) {
      const auto start = Clock::now();
      const double before = core_seconds();
      way.take();
      way.of_cores.push_back(static_cast<double>(way.images) / (core_seconds() - before));
      way.elapsed.push_back(static_cast<double>(way.images) / seconds_since(start));
    }
  }
  const auto needed = [&](const char* name) {
    const auto way =
        std::ranges::find_if(ways, [&](const Way& one) { return std::strcmp(one.name, name) == 0; });
    return 1.1 * 16 / median(way->elapsed);
  };
  const double jpeg_wait = waited_share(jpeg_shard, training, 1, needed("loader, JPEG shard, 1 thread"));
  const double raw_wait = waited_share(raw_shard, training, 1, needed("loader, raw shard, 1 thread"));
  print(ways, settings);
  if (!settings.json) {
    fmt::print("share of the time waited for a loader of 1.1 x the speed needed: JPEG {:.2f}%, raw {:.2f}%\n",
               100 * jpeg_wait, 100 * raw_wait);
  }
  std::filesystem::remove_all(shards);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return convoy::bench::run_program(argc, argv, "decode_bench [ROUNDS] [--files FOLDER] [--json]", run);
}
