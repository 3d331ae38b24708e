#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "launch/network_text.h"

namespace convoy {
namespace {

/// A text between quotation marks, as the language of Graphviz writes it.
std::string dot_string(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  result += '"';
  return result;
}

/// "4b1/conv" → {"4b1", "conv"}.
std::vector<std::string> parts_of(const std::string& name) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = name.find('/'); end != std::string::npos; end = name.find('/', begin)) {
    parts.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.push_back(name.substr(begin));
  return parts;
}

std::string times(std::int64_t y, std::int64_t x) { return fmt::format("{}x{}", y, x); }

/// "convolution 3x3 /2".
std::string kind_text(const LayerOp& op) {
  const Window y = window_y_of(op);
  const Window x = window_x_of(op);
  std::string text(type_of(op));
  if (y.whole || (y.kernel == 1 && x.kernel == 1 && text != "convolution" && y.stride == 1)) return text;
  text += fmt::format(" {}", times(y.kernel, x.kernel));
  if (y.stride != 1 || x.stride != 1)
    text +=
        fmt::format(" /{}", y.stride == x.stride ? fmt::format("{}", y.stride) : times(y.stride, x.stride));
  return text;
}

std::string indent(std::size_t depth) { return std::string(2 * depth + 2, ' '); }

/// Opens and closes clusters from those of the blocks `open` to those of `wanted`.
void change_clusters(std::vector<std::string>& open, const std::vector<std::string>& wanted,
                     std::string& text) {
  const auto differ = std::mismatch(open.begin(), open.end(), wanted.begin(), wanted.end());
  const auto shared = static_cast<std::size_t>(differ.first - open.begin());
  for (; open.size() > shared; open.pop_back()) text += indent(open.size() - 1) + "}\n";
  for (std::size_t i = shared; i < wanted.size(); ++i) {
    open.push_back(wanted[i]);
    std::string path;
    for (const std::string& part : open) path.append("/").append(part);
    text += fmt::format("{}subgraph {} {{ label = {}\n", indent(i), dot_string("cluster" + path),
                        dot_string(wanted[i]));
  }
}

}  // namespace

std::string network_dot(const Graph& graph) {
  std::string text = fmt::format(
      "digraph {} {{\n  rankdir = TB\n  graph [fontname = \"Helvetica\", style = rounded, color = gray60]\n"
      "  node [fontname = \"Helvetica\", shape = box, style = rounded]\n  {} [label = {}]\n",
      dot_string(graph.name()), dot_string("input"), dot_string("input " + shape_text(graph.input())));
  std::vector<std::string> open;
  for (int i = 0; i < static_cast<int>(graph.layers().size()); ++i) {
    const Layer& layer = graph.layers()[static_cast<std::size_t>(i)];
    std::vector<std::string> parts = parts_of(layer.name);
    const std::string own = parts.back();
    parts.pop_back();
    change_clusters(open, parts, text);
    const std::string kind = kind_text(layer.op);
    // A backslash and an n are Graphviz's line break; names are quoted before they join it.
    std::string label = dot_string(own);
    label.pop_back();
    label += fmt::format("{}\\n{}\"", kind == own ? "" : fmt::format("\\n{}", kind),
                         shape_text(graph.output_shape(layer)));
    text += fmt::format("{}{} [label = {}{}]\n", indent(open.size()), dot_string(layer.name), label,
                        graph.auxiliary(i) ? ", style = \"rounded,dashed\"" : "");
  }
  change_clusters(open, {}, text);
  for (const Layer& layer : graph.layers()) {
    for (const int input : layer.inputs) {
      text +=
          fmt::format("  {} -> {}\n", dot_string(graph.activations()[static_cast<std::size_t>(input)].name),
                      dot_string(layer.name));
    }
  }
  text += "}\n";
  return text;
}

}  // namespace convoy
