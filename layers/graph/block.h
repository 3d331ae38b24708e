#pragma once

#include <map>
#include <string>
#include <vector>

#include "layers/graph/formula.h"
#include "layers/graph/toml_table.h"

namespace convoy {

/// Layers of a network file under one name, with parameters: "[blocks.inception]". Points into the parsed
/// file.
struct Block {
  struct Parameter {
    std::string name;
    const toml::node* otherwise = nullptr;  ///< its default; null: every use must give it
  };
  std::string name;
  std::vector<Parameter> parameters;
  const toml::array* layers = nullptr;
  std::string output;  ///< the row that the block stands for; empty: its last
  SourceMark output_mark;
};

using Blocks = std::map<std::string, Block>;

/// The blocks of a network file, each checked in itself: "$name" names a parameter, each parameter is used.
Blocks read_blocks(TomlTable& network);

/// The parameters of one use of a block, from the row that uses it.
Scope read_use(const Block& block, TomlTable& row, const std::string& within);

}  // namespace convoy
