#pragma once

#include <string>

#include "layers/graph/graph.h"

namespace convoy {

/// Throws an Error of usage that names the file's line, the layer and its type before the message.
[[noreturn]] inline void refuse(const Graph::Entry& entry, const std::string& message) {
  fail(ExitCode::usage, "{}layer \"{}\" ({}): {}", entry.mark.prefix(), entry.name, type_of(entry.op),
       message);
}

[[noreturn]] inline void refuse(const Layer& layer, const std::string& message) {
  refuse({layer.name, layer.op, {}, layer.mark}, message);
}

}  // namespace convoy
