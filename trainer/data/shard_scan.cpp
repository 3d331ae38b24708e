#include "trainer/data/shard_scan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <unordered_set>
#include <utility>

#include "layers/core/error.h"
#include "trainer/data/class_names.h"
#include "trainer/data/open_file.h"
#include "trainer/data/parallel.h"
#include "trainer/data/printable.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostLabelBytes = 32;

/// Members of one sample, as far as they have come.
struct Sample {
  std::string key;
  std::optional<ListedFile> image;
  std::optional<std::int32_t> label;
  std::int64_t at = 0;  ///< byte of the first
};

/// Key and ending of a member's name; nullopt where it has no dot, or starts with one.
std::optional<std::pair<std::string, std::string>> split(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  const std::size_t start = slash == std::string::npos ? 0 : slash + 1;
  const std::size_t dot = name.find('.', start);
  if (dot == std::string::npos || dot == start) return std::nullopt;
  std::string ending = name.substr(dot + 1);
  std::ranges::transform(ending, ending.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return std::pair{name.substr(0, dot), std::move(ending)};
}

bool is_image_ending(const std::string& ending) {
  static const std::array<std::string, 6> endings{"jpg", "jpeg", "jpe", "jfif", "png", "ppm"};
  return std::ranges::find(endings, ending) != endings.end();
}

class ShardLister {
 public:
  explicit ShardLister(const TarSource& source) : source_(source) {}

  ShardSamples list() {
    TarReader reader(source_);
    for (TarMember member; reader.next(member);) {
      if (member.name.starts_with("./")) member.name.erase(0, 2);
      if (member.is_file) {
        take(member);
      } else if (!member.is_folder) {
        samples_.links.add(source_.name() + "/" + member.name);
      }
    }
    finish();
    return std::move(samples_);
  }

 private:
  void take(const TarMember& member) {
    const auto parts = split(member.name);
    const bool is_image = parts && is_image_ending(parts->second);
    if (!is_image && !(parts && parts->second == "cls")) {
      samples_.others.add(source_.name() + "/" + member.name);
      return;
    }
    if (parts->first != sample_.key) {
      finish();
      sample_ = {parts->first, {}, {}, member.offset};
    }
    if (is_image ? sample_.image.has_value() : sample_.label.has_value()) {
      wrong(member.offset, fmt::format("sample \"{}\" has a second {}", printable(sample_.key),
                                       is_image ? "image" : "label"));
    }
    if (is_image) {
      sample_.image = {member.name, static_cast<std::uint64_t>(member.bytes), -1,
                       static_cast<std::uint64_t>(member.offset), member.header_crc};
    } else {
      sample_.label = read_label(member);
    }
  }

  std::int32_t read_label(const TarMember& member) const {
    std::array<char, kMostLabelBytes> text{};
    const auto bytes = static_cast<std::size_t>(std::clamp<std::int64_t>(member.bytes, 0, kMostLabelBytes));
    source_.read_at(member.offset, {reinterpret_cast<std::uint8_t*>(text.data()), bytes});
    const char* first = text.data();
    const char* last = first + bytes;
    const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
    while (first < last && is_space(*first)) ++first;
    while (first < last && is_space(last[-1])) --last;
    std::int32_t label = -1;
    const auto [end, problem] = std::from_chars(first, last, label);
    if (problem != std::errc{} || end != last || label < 0 || label >= kMostClasses ||
        member.bytes > kMostLabelBytes) {
      wrong(member.offset, fmt::format("{}: expected the number of a class, from 0 to {}",
                                       printable(member.name), kMostClasses - 1));
    }
    return label;
  }

  /// Takes the sample over whose members have all come.
  void finish() {
    if (sample_.key.empty()) return;
    const std::string key = printable(sample_.key);
    if (!keys_.insert(sample_.key).second) {
      wrong(sample_.at,
            fmt::format("the members of sample \"{}\" do not stand together; write the shard again "
                        "in order of names: tar --sort=name",
                        key));
    }
    if (!sample_.image) {
      wrong(sample_.at,
            fmt::format("sample \"{}\" has a label, but no image (.jpg, .jpeg, .png or .ppm)", key));
    }
    const bool numbered = sample_.label.has_value();
    const std::size_t slash = sample_.key.find('/');
    if (!numbered && (slash == std::string::npos || slash == 0)) {
      wrong(sample_.at,
            fmt::format("sample \"{}\" has no label: neither a .cls member nor a folder in its name, "
                        "which would be its class",
                        key));
    }
    if (!samples_.files.empty() && samples_.numbered != numbered) {
      wrong(sample_.at, fmt::format("sample \"{}\" has {} .cls member, unlike those before it", key,
                                    numbered ? "a" : "no"));
    }
    samples_.numbered = numbered;
    sample_.image->label = numbered ? *sample_.label : class_of(sample_.key.substr(0, slash));
    samples_.files.push_back(std::move(*sample_.image));
  }

  std::int32_t class_of(const std::string& name) {
    const auto [found, is_new] = numbers_.emplace(name, static_cast<std::int32_t>(numbers_.size()));
    if (is_new) samples_.classes.push_back(name);
    return found->second;
  }

  [[noreturn]] void wrong(std::int64_t at, const std::string& what) const {
    fail(ExitCode::data, "{}: at byte {}: {}", printable(source_.name()), at, what);
  }

  const TarSource& source_;
  ShardSamples samples_;
  Sample sample_;
  std::unordered_set<std::string> keys_;
  std::map<std::string, std::int32_t> numbers_;
};

/// A shard's headers and labels, read some at a time: they stand close together where images are small.
class ShardSource : public TarSource {
 public:
  explicit ShardSource(const std::string& path) : file_(path) {}
  const std::string& name() const override { return file_.path(); }
  std::int64_t size() const override { return file_.size(); }

  std::size_t read_at(std::int64_t offset, std::span<std::uint8_t> out) const override {
    if (out.size() > window_.size()) return file_.read_at(offset, out);
    const auto wanted = static_cast<std::int64_t>(out.size());
    if (offset < start_ || offset + wanted > start_ + static_cast<std::int64_t>(held_)) {
      start_ = offset;
      held_ = file_.read_at(offset, window_);
    }
    const std::size_t skip = static_cast<std::size_t>(offset - start_);
    const std::size_t count = std::min(out.size(), held_ - std::min(held_, skip));
    std::copy_n(window_.begin() + static_cast<std::ptrdiff_t>(skip), count, out.begin());
    return count;
  }

 private:
  OpenFile file_;
  mutable std::array<std::uint8_t, 4096> window_{};
  mutable std::int64_t start_ = 0;
  mutable std::size_t held_ = 0;
};

/// Names of all shards' classes, and the shards' labels as their numbers.
std::vector<std::string> name_classes(std::vector<ShardSamples>& shards) {
  std::map<std::string, std::int32_t> numbers;
  std::int32_t most = -1;
  for (const ShardSamples& shard : shards) {
    for (const std::string& name : shard.classes) numbers.emplace(name, 0);
    for (const ListedFile& file : shard.files) most = std::max(most, file.label);
  }
  if (numbers.empty()) return numbered_names(most + 1);
  std::vector<std::string> names;
  for (auto& [name, number] : numbers) {
    number = static_cast<std::int32_t>(names.size());
    names.push_back(name);
  }
  for (ShardSamples& shard : shards) {
    for (ListedFile& file : shard.files)
      file.label = numbers[shard.classes[static_cast<std::size_t>(file.label)]];
  }
  return names;
}

}  // namespace

ShardSamples list_shard(const TarSource& source) { return ShardLister(source).list(); }

Listing scan_shards(const fs::path& root, const std::vector<std::string>& names, int threads) {
  std::vector<ShardSamples> shards(names.size());
  Listing listing;
  listing.folders.resize(names.size());
  in_parallel(static_cast<std::int64_t>(names.size()), threads, [&] {
    return [&](std::int64_t i) {
      const auto place = static_cast<std::size_t>(i);
      const ShardSource source((root / names[place]).string());
      shards[place] = list_shard(source);
      listing.folders[place] = {names[place], -1, source.size(), {}};
    };
  });
  const ShardSamples* first = nullptr;
  LeftOut others;
  LeftOut links;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    others.add(shards[i].others);
    links.add(shards[i].links);
    if (shards[i].files.empty()) {
      listing.notes.push_back(fmt::format("shard {} has no image", printable(names[i])));
      continue;
    }
    if (first == nullptr) first = &shards[i];
    if (shards[i].numbered != first->numbered) {
      fail(ExitCode::data, "{}: has {}.cls members, unlike the shards before it",
           printable((root / names[i]).string()), shards[i].numbered ? "" : "no ");
    }
  }
  if (first != nullptr && first->numbered) listing.kind = ListingKind::numbered_shards;
  if (first == nullptr || !first->numbered) listing.kind = ListingKind::shards;
  listing.class_names = name_classes(shards);
  for (std::size_t i = 0; i < shards.size(); ++i) listing.folders[i].files = std::move(shards[i].files);
  links.note("members that are links or devices", listing.notes);
  others.note("members that are neither an image nor a .cls label", listing.notes);
  return listing;
}

}  // namespace convoy
