#pragma once

#include <string>
#include <vector>

#include "trainer/program/program.h"

namespace convoy {

/// Walks each segment of a Program and lists what is wrong: values read before they are written, tensors
/// touched outside of their lives, values overwritten while somebody still reads them, gradients that are
/// read before all their parts are in or that have a part twice, buckets reduced before their gradients are
/// there.
///
/// It follows by the Graph and the LayerSpecs alone what each tensor ought to hold ("output conv1", "saved
/// pool1", the parts of a gradient) and knows nothing of how the Program was built.
std::vector<std::string> faults_of(const Program& program, const Graph& graph);

}  // namespace convoy
