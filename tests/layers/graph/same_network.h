#pragma once

#include <gtest/gtest.h>

#include <string>

#include "layers/graph/graph.h"

namespace convoy {

/// Names, operations with all their settings, inputs and shapes.
inline void expect_same_network(const Graph& a, const Graph& b) {
  EXPECT_EQ(a.name(), b.name());
  EXPECT_EQ(a.input(), b.input());
  ASSERT_EQ(a.layers().size(), b.layers().size());
  for (std::size_t i = 0; i < a.layers().size(); ++i) {
    const Layer& one = a.layers()[i];
    const Layer& other = b.layers()[i];
    EXPECT_EQ(one.name, other.name);
    EXPECT_TRUE(one.op == other.op) << one.name << " (" << type_of(one.op) << ")";
    EXPECT_EQ(one.inputs, other.inputs) << one.name;
    EXPECT_EQ(a.output_shape(one), b.output_shape(other)) << one.name;
  }
}

/// Writing a network and reading what was written gives the same network.
inline void expect_written_right(const Graph& graph) {
  const std::string text = network_to_toml(graph);
  SCOPED_TRACE(text);
  expect_same_network(parse_network(text, "written.toml"), graph);
}

}  // namespace convoy
