#pragma once

#include <string>
#include <string_view>

namespace convoy {

/// Text as XML's and HTML's content and attributes hold it: & < > " ' escaped, and what XML cannot hold
/// (control characters) as U+FFFD.
std::string escaped(std::string_view text);

}  // namespace convoy
