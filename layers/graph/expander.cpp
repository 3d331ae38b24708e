#include "layers/graph/expander.h"

#include <fmt/format.h>

#include <algorithm>

#include "layers/core/text.h"
#include "layers/graph/read_layer.h"

namespace convoy {
namespace {

constexpr std::int64_t kMostRepeats = 1000;
constexpr std::size_t kMostRows = 10000;   ///< of a network, blocks written out
constexpr std::size_t kMostInputs = 1000;  ///< of a layer
constexpr std::size_t kDeepest = 64;       ///< blocks within blocks

/// "block "bottleneck", used at line 12 in block "stage", used at line 30: ".
std::string place_of_use(const std::string& block, const SourceMark& use) {
  return use.within.empty() ? fmt::format("block \"{}\", used at line {}: ", block, use.line)
                            : fmt::format("block \"{}\", used at line {} in {}", block, use.line, use.within);
}

}  // namespace

std::vector<Graph::Entry> Expander::expand(const toml::array& rows) {
  Level level;
  expand_rows(rows, level);
  for (Graph::Entry& entry : entries_) {
    std::vector<std::string> from;
    for (const std::string& name : entry.from) append_given(name, entry, from, 0);
    entry.from = std::move(from);
  }
  return std::move(entries_);
}

void Expander::expand_rows(const toml::array& rows, Level& level) {
  for (const toml::node& row : rows) expand_row(*row.as_table(), level);
}

std::string Expander::kind_of(TomlTable& table, bool is_use) const {
  if (!is_use) return required(table, "type", table.word("type", layer_type_names()));
  if (table.has("type")) table.refuse("block", "a row has a type or a block, not both");
  if (blocks_->empty()) table.refuse("block", "the file defines no block; [blocks.name] does");
  std::vector<std::string> known;
  for (const auto& [name, block] : *blocks_) known.push_back(name);
  return required(table, "block", table.word("block", known));
}

void Expander::expand_row(const toml::table& table, Level& level) {
  TomlTable common(table, file_, "layer", level.scope);
  const bool is_use = common.has("block");
  Row row{&table, kind_of(common, is_use), "", {}};
  const std::optional<std::string> name = common.string("name");
  if (name && name->empty()) common.refuse("name", "must not be empty");
  const bool wanted = level.scope == nullptr || common.boolean("when").value_or(true);
  const bool repeats = common.has("repeat");
  const std::int64_t times = common.integer("repeat", 1, kMostRepeats).value_or(1);
  std::vector<std::string> from = common.strings("from").value_or(std::vector{level.above});
  if (from.empty() && (is_use || !wanted)) common.refuse("from", "must name at least one layer");
  for (std::int64_t i = 1; i <= times; ++i) {
    const std::string local = !name     ? fmt::format("{}{}", row.kind, ++level.numbers[row.kind])
                              : repeats ? fmt::format("{}{}", *name, i)
                                        : *name;
    row.name = level.prefix + local;
    declare(common, row.name, level);
    row.from.clear();
    for (const std::string& giver : from) row.from.push_back(level.prefix + giver);
    if (!wanted) {
      stands_for_[row.name] = row.from;
      if (row.from.size() > 1) stands_for_[row.name].resize(1);
    } else if (is_use) {
      add_use(row, level);
    } else {
      add_layer(row, level);
    }
    level.above = local;
    from = {local};
  }
}

void Expander::declare(const TomlTable& table, const std::string& name, const Level& level) {
  if (name == level.prefix + "input") {
    table.refuse("name", fmt::format("\"input\" is the name of the {}'s input; choose another",
                                     level.scope != nullptr ? "block" : "network"));
  }
  const auto [place, fresh] = lines_.emplace(name, table.mark().line);
  if (!fresh) {
    fail(ExitCode::usage, "{}layer \"{}\": the name is used twice, first at line {}", table.mark().prefix(),
         name, place->second);
  }
  if (lines_.size() > kMostRows)
    fail(ExitCode::usage, "{}the network has more than {} layers", table.mark().prefix(), kMostRows);
}

void Expander::add_layer(const Row& row, const Level& level) {
  TomlTable table(*row.table, file_, fmt::format("layer \"{}\" ({})", row.name, row.kind), level.scope);
  for (const char* key : {"name", "type", "from", "repeat"}) (void)table.node(key);
  if (level.scope != nullptr) (void)table.node("when");
  Graph::Entry entry{row.name, {}, row.from, table.mark()};
  entry.op = read_layer_op(row.kind, table);
  table.finish();
  entries_.push_back(std::move(entry));
}

void Expander::add_use(const Row& row, const Level& level) {
  TomlTable table(*row.table, file_, fmt::format("layer \"{}\" (block {})", row.name, row.kind), level.scope);
  for (const char* key : {"name", "block", "from", "repeat"}) (void)table.node(key);
  if (level.scope != nullptr) (void)table.node("when");
  const Block& block = blocks_->at(row.kind);
  Level inner{row.name + "/", nullptr, "input", {}, level.open};
  inner.open.push_back(block.name);
  if (std::find(level.open.begin(), level.open.end(), block.name) != level.open.end())
    table.refuse("block", fmt::format("a block cannot use itself: {}", join(inner.open, " > ")));
  if (inner.open.size() > kDeepest)
    table.refuse("block", fmt::format("blocks are nested more than {} deep", kDeepest));
  const Scope scope = read_use(block, table, place_of_use(block.name, table.mark()));
  table.finish();
  inner.scope = &scope;
  stands_for_[inner.prefix + "input"] = row.from;
  expand_rows(*block.layers, inner);
  const std::string output = inner.prefix + (block.output.empty() ? inner.above : block.output);
  if (!lines_.contains(output)) {
    fail(ExitCode::usage, "{}block \"{}\": key \"output\": \"{}\" is no layer of it",
         block.output_mark.prefix(), block.name, block.output);
  }
  stands_for_[row.name] = {output};
}

void Expander::append_given(const std::string& name, const Graph::Entry& taker, std::vector<std::string>& to,
                            std::size_t depth) const {
  const auto refuse = [&](const std::string& why) {
    fail(ExitCode::usage, "{}layer \"{}\" ({}): {}", taker.mark.prefix(), taker.name, type_of(taker.op), why);
  };
  const auto stands = stands_for_.find(name);
  if (stands == stands_for_.end()) {
    to.push_back(name);
    if (to.size() > kMostInputs) refuse(fmt::format("takes more than {} inputs", kMostInputs));
    return;
  }
  if (depth > stands_for_.size()) refuse(fmt::format("its input \"{}\" stands for itself", name));
  for (const std::string& giver : stands->second) append_given(giver, taker, to, depth + 1);
}

}  // namespace convoy
