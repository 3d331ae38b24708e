#pragma once

#include <map>
#include <string>
#include <vector>

#include "layers/graph/block.h"
#include "layers/graph/graph.h"

namespace convoy {

/// Writes the rows of a network file out as layers, blocks and repetitions included.
///
/// A layer within the use "2a" of a block is called "2a/name"; inside, "input" is what the use takes from,
/// and other names are of the block's own rows. The name of a use stands for its output. A row whose `when`
/// is false is left out: its name stands for what it takes from, of several the first.
class Expander {
 public:
  Expander(std::string file, const Blocks& blocks) : file_(std::move(file)), blocks_(&blocks) {}

  /// Errors are Error(usage) with file, line, column and key, and the line of the use for rows in blocks.
  std::vector<Graph::Entry> expand(const toml::array& rows);

 private:
  /// A list of rows being read: the network's own, or a block's for one use.
  struct Level {
    std::string prefix;            ///< of the names of its rows: "2a/"
    const Scope* scope = nullptr;  ///< parameters of the block
    std::string above = "input";   ///< the row before, by its name here
    std::map<std::string, int> numbers;
    std::vector<std::string> open;  ///< blocks being used, outermost first
  };
  /// One row, read as far as all kinds have in common.
  struct Row {
    const toml::table* table = nullptr;
    std::string kind;  ///< type or block
    std::string name;  ///< in full
    std::vector<std::string> from;
  };

  void expand_rows(const toml::array& rows, Level& level);
  void expand_row(const toml::table& table, Level& level);
  void add_layer(const Row& row, const Level& level);
  void add_use(const Row& row, const Level& level);
  std::string kind_of(TomlTable& table, bool is_use) const;
  void declare(const TomlTable& table, const std::string& name, const Level& level);
  void append_given(const std::string& name, const Graph::Entry& taker, std::vector<std::string>& to,
                    std::size_t depth) const;

  std::string file_;
  const Blocks* blocks_;
  std::vector<Graph::Entry> entries_;
  std::map<std::string, int> lines_;                            ///< of every name
  std::map<std::string, std::vector<std::string>> stands_for_;  ///< names that are not of layers
};

}  // namespace convoy
