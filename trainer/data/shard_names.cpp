#include "trainer/data/shard_names.h"

#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "layers/core/error.h"
#include "trainer/data/folder_stream.h"
#include "trainer/data/printable.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostShards = 1'000'000;

[[noreturn]] void wrong_braces(const std::string& pattern) {
  fail(ExitCode::usage,
       "shards \"{}\": braces hold the first and the last number, as in train-{{000000..000999}}.tar, or "
       "words, "
       "as in {{a,b}}.tar; at most {} names",
       printable(pattern), kMostShards);
}

std::optional<std::int64_t> number_of(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

/// What stands between a pair of braces, written out.
std::vector<std::string> words_of(const std::string& inside, const std::string& pattern) {
  std::vector<std::string> words;
  const std::size_t dots = inside.find("..");
  if (dots == std::string::npos) {
    if (inside.find(',') == std::string::npos) wrong_braces(pattern);
    for (std::size_t start = 0; start <= inside.size();) {
      const std::size_t end = std::min(inside.find(',', start), inside.size());
      words.push_back(inside.substr(start, end - start));
      start = end + 1;
    }
    return words;
  }
  const std::string first = inside.substr(0, dots);
  const auto from = number_of(first);
  const auto to = number_of(inside.substr(dots + 2));
  if (!from || !to || *from > *to || *to - *from >= static_cast<std::int64_t>(kMostShards))
    wrong_braces(pattern);
  for (std::int64_t i = *from; i <= *to; ++i) words.push_back(fmt::format("{:0{}}", i, first.size()));
  return words;
}

std::vector<std::string> expand(const std::string& pattern) {
  std::vector<std::string> done{""};
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t open = std::min(pattern.find('{', at), pattern.size());
    for (std::string& name : done) name += pattern.substr(at, open - at);
    if (open == pattern.size()) break;
    const std::size_t close = pattern.find('}', open);
    if (close == std::string::npos) wrong_braces(pattern);
    std::vector<std::string> longer;
    for (const std::string& word : words_of(pattern.substr(open + 1, close - open - 1), pattern)) {
      for (const std::string& name : done) longer.push_back(name + word);
      if (longer.size() > kMostShards) wrong_braces(pattern);
    }
    done = std::move(longer);
    at = close + 1;
  }
  std::ranges::sort(done);
  done.erase(std::unique(done.begin(), done.end()), done.end());
  return done;
}

/// Names in the pattern's folder that it fits.
std::vector<std::string> match(const fs::path& root, const fs::path& pattern) {
  const fs::path folder = root / pattern.parent_path();
  std::vector<std::string> names;
  FolderStream open(folder);
  while (const dirent* entry = open.next()) {
    if (fnmatch(pattern.filename().c_str(), entry->d_name, FNM_PERIOD) != 0) continue;
    if (S_ISREG(open.status_of(entry->d_name).st_mode)) {
      names.push_back((pattern.parent_path() / entry->d_name).string());
    }
  }
  std::ranges::sort(names);
  return names;
}

/// "train-000012.tar" is shard 12 of "train-"; nullopt where no number stands before the ending.
std::optional<std::pair<std::string, std::int64_t>> numbered(const std::string& name) {
  const std::string stem = name.substr(0, name.rfind('.'));
  const std::size_t end = stem.find_last_not_of("0123456789");
  const std::size_t digits = end == std::string::npos ? 0 : end + 1;
  const auto number = number_of(stem.substr(digits));
  if (!number) return std::nullopt;
  return std::pair{stem.substr(0, digits), *number};
}

void note_gaps(const std::vector<std::string>& names, std::vector<std::string>& notes) {
  for (std::size_t i = 1; i < names.size(); ++i) {
    const auto one = numbered(names[i - 1]);
    const auto next = numbered(names[i]);
    if (!one || !next || one->first != next->first || next->second <= one->second + 1) continue;
    notes.push_back(fmt::format("between the shards {} and {} are {} missing", printable(names[i - 1]),
                                printable(names[i]), next->second - one->second - 1));
  }
}

}  // namespace

std::vector<std::string> find_shards(const fs::path& root, const std::string& pattern,
                                     std::vector<std::string>& notes) {
  std::vector<std::string> names;
  if (pattern.find('{') != std::string::npos) {
    names = expand(pattern);
    for (const std::string& name : names) {
      struct stat status {};
      if (::stat((root / name).c_str(), &status) == 0 && S_ISREG(status.st_mode)) continue;
      fail(ExitCode::data, "{}: there is no such shard; \"{}\" names {}", printable((root / name).string()),
           printable(pattern), names.size());
    }
  } else if (std::error_code ignored; fs::is_directory(root / fs::path(pattern).parent_path(), ignored)) {
    names = match(root, pattern);
    note_gaps(names, notes);
  }
  if (names.empty()) {
    fail(ExitCode::data,
         "{}: there is no such tar file; set data.root, data.train_shards and data.test_shards",
         printable((root / pattern).string()));
  }
  return names;
}

fs::path shards_index_path(const fs::path& root, const std::string& pattern) {
  const fs::path path(pattern);
  std::string name = path.filename().string();
  const std::size_t wild = name.find_first_of("{*?[");
  name = wild == std::string::npos ? path.stem().string() : name.substr(0, wild);
  while (!name.empty() && std::string("-_.").find(name.back()) != std::string::npos) name.pop_back();
  return root / path.parent_path() / ((name.empty() ? "all" : name) + ".shards-index");
}

}  // namespace convoy
