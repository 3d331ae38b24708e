#include "tests/bench/arena_csv.h"

#include <charconv>
#include <fstream>
#include <limits>
#include <map>
#include <string_view>

#include "layers/core/error.h"

namespace convoy {
namespace {

constexpr std::string_view kNames[] = {"id", "lower", "upper", "size"};
constexpr std::size_t kColumns = std::size(kNames);
constexpr std::int64_t kMostBytes = std::int64_t{1}
                                    << 59;  // of all blocks together; alignment fits in beside

std::vector<std::string_view> columns_of(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::vector<std::string_view> columns;
  for (std::size_t comma = line.find(','); comma != line.npos; comma = line.find(',')) {
    columns.push_back(line.substr(0, comma));
    line.remove_prefix(comma + 1);
  }
  columns.push_back(line);
  return columns;
}

std::int64_t number(const std::string& place, std::size_t column, std::string_view text, std::int64_t least,
                    std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    fail(ExitCode::usage, "{}{}: \"{}\" is not a whole number from {} to {}", place, kNames[column], text,
         least, most);
  }
  return value;
}

}  // namespace

ArenaProblem read_arena_csv(const std::string& file) {
  constexpr int kLatest = std::numeric_limits<int>::max();
  std::ifstream in(file);
  if (!in) fail(ExitCode::usage, "{}: cannot be opened", file);
  ArenaProblem problem;
  std::map<std::string, int, std::less<>> lines;  // by id
  std::int64_t sum = 0;
  std::size_t width = 0;
  std::string line;
  for (int at = 1; std::getline(in, line); ++at) {
    const std::string place = fmt::format("{}:{}: ", file, at);
    const std::vector<std::string_view> columns = columns_of(line);
    if (at == 1) {
      width = columns.size();
      if (width < kColumns || !std::equal(std::begin(kNames), std::end(kNames), columns.begin())) {
        fail(ExitCode::usage, "{}the first line must be id,lower,upper,size", place);
      }
      continue;
    }
    if (columns.size() == 1 && columns[0].empty()) continue;
    if (columns.size() != width) {
      fail(ExitCode::usage, "{}{} columns where {} are expected", place, columns.size(), width);
    }
    if (columns[0].empty()) fail(ExitCode::usage, "{}the id is empty", place);
    const auto [earlier, fresh] = lines.emplace(columns[0], at);
    if (!fresh)
      fail(ExitCode::usage, "{}id \"{}\" is that of line {} too", place, columns[0], earlier->second);
    const std::int64_t lower = number(place, 1, columns[1], 0, kLatest - 1);
    const std::int64_t upper = number(place, 2, columns[2], lower + 1, kLatest);
    const std::int64_t size = number(place, 3, columns[3], 0, kMostBytes - sum);
    sum += size;
    problem.ids.emplace_back(columns[0]);
    problem.blocks.push_back({static_cast<int>(lower), static_cast<int>(upper - 1), size});
  }
  if (in.bad() || width == 0) fail(ExitCode::usage, "{}: is empty or cannot be read", file);
  return problem;
}

void write_arena_csv(const std::string& file, const ArenaProblem& problem,
                     std::span<const std::int64_t> offsets) {
  std::ofstream out(file);
  if (!out) fail(ExitCode::usage, "{}: cannot be written", file);
  out << "id,lower,upper,size,offset\n";
  for (std::size_t i = 0; i < problem.blocks.size(); ++i) {
    const Block& block = problem.blocks[i];
    out << fmt::format("{},{},{},{},{}\n", problem.ids[i], block.first, std::int64_t{block.last} + 1,
                       block.bytes, offsets[i]);
  }
  out.close();
  if (!out) fail(ExitCode::usage, "{}: cannot be written", file);
}

}  // namespace convoy
