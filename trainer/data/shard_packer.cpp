#include "trainer/data/shard_packer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "layers/core/error.h"
#include "layers/core/philox.h"
#include "trainer/data/class_names.h"
#include "trainer/data/crops.h"
#include "trainer/data/epoch_order.h"
#include "trainer/data/printable.h"
#include "trainer/data/set_error.h"
#include "trainer/data/tar_writer.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

/// Order of the samples in shards. Packing goes on with it after an interruption: never change.
constexpr std::uint64_t kSeed = 1;
constexpr std::uint32_t kInstance = 0xFFFFFFFF;

constexpr std::size_t kMostStem = 64;

std::string read_whole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const char* ending_of(std::span<const std::uint8_t> encoded) {
  if (encoded[0] == 0xFF) return "jpg";
  return encoded[0] == 'P' ? "ppm" : "png";
}

/// A sample's key: its number, so that no two are the same, and what helps to find the file. Keys end at the
/// first dot.
std::string key_of(std::int64_t index, const std::string& path) {
  std::string stem = fs::path(path).stem().string();
  if (stem.size() > kMostStem) {
    std::size_t cut = kMostStem;
    while (cut > 0 && (static_cast<unsigned char>(stem[cut]) & 0xC0U) == 0x80) --cut;  // not within a letter
    stem.resize(cut);
  }
  std::ranges::replace(stem, '.', '_');
  return fmt::format("{:08}-{}", index, stem);
}

}  // namespace

struct ShardPacker::Member {
  std::string key;
  const char* ending = "";
  std::span<const std::uint8_t> content;
  std::int32_t label = 0;
};

ShardPacker::ShardPacker(const ImageFolder& set, fs::path folder, std::string name,
                         const PackOptions& options)
    : set_(set),
      folder_(std::move(folder)),
      name_(std::move(name)),
      options_(options),
      shards_((set.size() + options.shard_samples - 1) / options.shard_samples) {
  std::error_code problem;
  fs::create_directories(folder_, problem);
  if (problem) {
    fail(ExitCode::usage, "cannot make the folder {}: {}", printable(folder_.string()), problem.message());
  }
  claim();
}

ShardPacker::~ShardPacker() { ::close(lock_); }

std::string ShardPacker::manifest() const {
  return fmt::format(
      "{{\"images\": {}, \"checksum\": \"{:08x}\", \"shorter_side\": {}, \"quality\": {}, \"raw\": {}, "
      "\"orientation\": {}, \"background\": {}, \"broken\": \"{}\", \"shard_size\": {}}}\n",
      set_.size(), set_.checksum(), options_.shorter_side, options_.quality, options_.raw,
      options_.orientation, set_.decode_options().background, options_.skip_broken ? "skip" : "stop",
      options_.shard_samples);
}

/// Locks NAME.pack, and compares or writes what it holds.
void ShardPacker::claim() {
  const fs::path file = folder_ / (name_ + ".pack");
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0) {
    fail(ExitCode::usage, "{}: cannot be written: {}", printable(file.string()), std::strerror(errno));
  }
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(lock_);
    fail(ExitCode::usage, "{}: another process packs there; wait until it ends, or choose another --out",
         printable(folder_.string()));
  }
  const std::string wanted = manifest();
  const std::string held = read_whole(file);
  if (held == wanted) return;
  bool any = false;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string other = entry.path().filename().string();
    any = any || (other.starts_with(name_ + "-") && other.ends_with(".tar"));
  }
  if (any && !held.empty()) {
    ::close(lock_);
    fail(ExitCode::usage,
         "{} holds shards of other images or other options, {} has which: {}; remove them, or choose another "
         "--out",
         printable(folder_.string()), printable(file.string()),
         printable(held.substr(0, held.find_last_not_of('\n') + 1)));
  }
  const bool fresh = ::ftruncate(lock_, 0) == 0 &&
                     ::pwrite(lock_, wanted.data(), wanted.size(), 0) == static_cast<ssize_t>(wanted.size());
  if (any || !fresh || ::fsync(lock_) != 0) {
    const int error = errno;
    ::close(lock_);
    if (any) {
      fail(ExitCode::usage,
           "{} holds shards \"{}\" that convoy did not pack; remove them, or choose another --out",
           printable(folder_.string()), printable(pattern()));
    }
    fail(code_of_write(error), "{}: cannot be written: {}", printable(file.string()), std::strerror(error));
  }
}

std::string ShardPacker::shard_name(std::int64_t shard) const {
  return fmt::format("{}-{:06}.tar", name_, shard);
}

bool ShardPacker::is_done(std::int64_t shard) const {
  std::error_code ignored;
  return fs::is_regular_file(folder_ / shard_name(shard), ignored);
}

std::int64_t ShardPacker::images_of(std::int64_t shard) const {
  return std::min(options_.shard_samples, set_.size() - shard * options_.shard_samples);
}

/// Decodes the image in any case: so a broken one is found here.
ShardPacker::Member ShardPacker::prepare(std::int64_t index, PackScratch& scratch) const {
  const ImageFolder::Encoded image = set_.read_encoded(index, scratch.read);
  DecodeOptions decode = set_.decode_options();
  decode.orientation = options_.orientation;
  decode_image({image.bytes, image.name}, decode, whole_image, scratch.read.decode, scratch.view);
  Member member{key_of(index, image.name), ending_of(image.bytes), image.bytes, image.label};
  const Image* pixels = &scratch.view.image;
  const bool resized =
      options_.shorter_side > 0 && std::min(pixels->height, pixels->width) > options_.shorter_side;
  if (!resized && !options_.raw && options_.quality == 0 && !options_.orientation) return member;
  if (resized) {
    const Sides sides = resized_sides(options_.shorter_side, pixels->height, pixels->width);
    scratch.resized = {3, static_cast<int>(sides.height), static_cast<int>(sides.width),
                       std::move(scratch.resized.pixels)};
    scratch.resized.pixels.resize(static_cast<std::size_t>(3 * sides.height * sides.width));
    resample(scratch.view, Filter::bilinear, false, scratch.resized.height, scratch.resized.width,
             scratch.resample, scratch.resized.pixels.data());
    pixels = &scratch.resized;
  }
  if (options_.raw) {
    encode_ppm(*pixels, scratch.encoded);
  } else {
    encode_jpeg(*pixels, options_.quality > 0 ? options_.quality : kPackQuality, scratch.encoded);
  }
  member.ending = options_.raw ? "ppm" : "jpg";
  member.content = scratch.encoded;
  return member;
}

bool ShardPacker::pack(std::int64_t shard, PackScratch& scratch, PackProgress& progress) const {
  const EpochOrder order(kSeed, 0, set_.size(), true, kInstance);
  TarWriter tar((folder_ / shard_name(shard)).string());
  const std::int64_t first = shard * options_.shard_samples;
  for (std::int64_t i = first; i < first + images_of(shard); ++i) {
    if (progress.stop != nullptr && progress.stop->load()) return false;
    ++progress.images;
    try {
      const Member member = prepare(order.at(i), scratch);
      tar.add(fmt::format("{}.{}", member.key, member.ending), member.content);
      const std::string label = std::to_string(member.label);
      tar.add(member.key + ".cls", {reinterpret_cast<const std::uint8_t*>(label.data()), label.size()});
    } catch (const Error& problem) {
      if (!is_of_sample(problem) || !options_.skip_broken) throw;
      const std::lock_guard lock(progress.mutex);
      progress.left_out.emplace_back(problem.what());
    }
  }
  tar.commit();
  progress.bytes += tar.bytes();
  return true;
}

void write_class_names(const fs::path& folder, const std::vector<std::string>& names) {
  const fs::path file = folder / kClassesFile;
  std::string text;
  for (const std::string& name : names) {
    if (name.find_first_of("\r\n") != std::string::npos) {
      fail(ExitCode::data,
           "the name of class \"{}\" has a line break, which {} cannot hold; rename its folder",
           printable(name), kClassesFile);
    }
    text += name + "\n";
  }
  std::error_code ignored;
  fs::create_directories(folder, ignored);
  if (fs::exists(file, ignored)) {
    if (read_whole(file) == text) return;
    fail(ExitCode::usage, "{} names other classes than these {}; remove it, or choose another --out",
         printable(file.string()), names.size());
  }
  const std::string partial = file.string() + ".part";
  errno = 0;
  std::ofstream out(partial, std::ios::binary);
  out << text;
  out.close();
  std::error_code problem(out ? 0 : errno, std::generic_category());
  if (out) fs::rename(partial, file, problem);
  if (!out || problem) {
    fail(code_of_write(problem.value()), "{}: cannot be written: {}", printable(file.string()),
         problem.message());
  }
}

}  // namespace convoy
