#pragma once

#include <string>

namespace convoy::test {

/// The text of configs/nets/NAME.toml with another size of image.
std::string small_network_text(const std::string& name, std::int64_t height, std::int64_t width);

}  // namespace convoy::test
