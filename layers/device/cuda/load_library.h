#pragma once

#include <string>

namespace convoy {

/// A shared library that is asked for when it is needed, not when the program starts: from where the system
/// looks for it, else from `folder`, where the build found it. Never unloaded. Null where neither has it;
/// dlerror() then tells why.
void* load_library(const std::string& file, const std::string& folder);

}  // namespace convoy
