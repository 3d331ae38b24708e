#include "trainer/data/image_list.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

#include "layers/core/error.h"
#include "trainer/data/class_names.h"
#include "trainer/data/file_bytes.h"
#include "trainer/data/formats.h"
#include "trainer/data/open_file.h"
#include "trainer/data/printable.h"
#include "trainer/data/skip_broken.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostListBytes = std::int64_t{1} << 34;  // 14 million lines have about 2^30

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) + 1 - first);
}

/// "path label"; the label is -1 where it is none.
std::pair<std::string_view, std::int32_t> parse_line(std::string_view line) {
  const std::size_t space = line.find_last_of(" \t");
  if (space == std::string_view::npos) return {line, -1};
  const std::string_view number = line.substr(space + 1);
  std::int32_t label = -1;
  const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), label);
  const bool whole = problem == std::errc{} && end == number.data() + number.size();
  return {trimmed(line.substr(0, space)), whole && label >= 0 && label < kMostClasses ? label : -1};
}

std::string read_text(const std::string& path) {
  const OpenFile file(path);
  if (file.size() > kMostListBytes) {
    fail(ExitCode::data, "{}: is of {} bytes, more than the {} that a list may have", printable(path),
         file.size(), kMostListBytes);
  }
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  text.resize(file.read_at(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  return text;
}

/// Classes that the training list has; those that the job tells, where that list is not at hand.
int classes_of_training(const fs::path& root, const DataSource& source) {
  const std::string path = (root / source.train_list).string();
  std::error_code ignored;
  if (source.classes > 0 || !fs::is_regular_file(path, ignored)) return source.classes;
  return static_cast<int>(parse_list(read_text(path), path).class_names.size());
}

}  // namespace

Listing parse_list(std::string_view text, const std::string& name) {
  Listing listing;
  ListedFolder& folder = listing.folders.emplace_back();
  std::int32_t most = -1;
  std::int64_t number = 0;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // as some editors begin a text
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = trimmed(text.substr(start, end - start));
    start = end + 1;
    ++number;
    if (line.empty()) continue;
    const auto [path, label] = parse_line(line);
    if (path.empty() || label < 0 || path.find('\0') != std::string_view::npos) {
      fail(ExitCode::data, "{}:{}: \"{}\": expected a path, a space and the number of a class, from 0 to {}",
           printable(name), number, printable(line.substr(0, 200)), kMostClasses - 1);
    }
    most = std::max(most, label);
    folder.files.push_back({std::string(path), 0, label});
  }
  if (folder.files.empty()) {
    fail(ExitCode::data, "{}: lists no image; write a line \"path label\" for each", printable(name));
  }
  listing.class_names = numbered_names(most + 1);
  return listing;
}

std::shared_ptr<const ImageFolder> open_list(const fs::path& root, const std::string& list, int classes,
                                             const DecodeOptions& options) {
  const std::string path = (root / list).string();
  std::shared_ptr<const FolderIndex> index = FolderIndex::of(parse_list(read_text(path), path));
  const std::size_t labels = index->class_names().size();
  std::vector<std::string> names = names_of_numbers(root / kClassesFile, labels, classes, path);
  std::vector<std::int32_t> numbers(labels);
  std::iota(numbers.begin(), numbers.end(), 0);
  return std::make_shared<ImageFolder>(root, std::move(index), std::move(names), std::move(numbers), options);
}

std::shared_ptr<const Dataset> open_image_list(const DataSource& source, Split split) {
  const fs::path root = source.root.empty() ? "." : source.root;
  const std::string& list = split == Split::train ? source.train_list : source.test_list;
  const std::shared_ptr<const ImageFolder> images = open_list(
      root, list, split == Split::train ? source.classes : classes_of_training(root, source), source.decode);
  check_count("classes", source.classes, images->classes(), root / list);
  check_count(split == Split::train ? "samples" : "test_samples", source.samples, images->size(),
              root / list);
  return std::make_shared<SkipBroken>(images, limit_of(source, *images));
}

}  // namespace convoy
