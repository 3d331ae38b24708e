#pragma once

#include <string>
#include <string_view>

namespace convoy {

/// A file's name for a message: control characters, which a name may hold (a newline, an escape sequence),
/// and bytes that are no UTF-8 become \n, \t or \x1b; all else stays.
std::string printable(std::string_view name);

}  // namespace convoy
