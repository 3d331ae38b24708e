#pragma once

#include <string>

namespace convoy {

/// The path of a file of `configs/`: in that folder beside the program or one above it (build/convoy), in
/// share/convoy of an installation, else in the source tree that the program was built from. Error(usage)
/// names the places where it was looked for.
std::string find_config(const std::string& name);

}  // namespace convoy
