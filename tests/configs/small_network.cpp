#include "tests/configs/small_network.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace convoy::test {

std::string small_network_text(const std::string& name, std::int64_t height, std::int64_t width) {
  std::ifstream file(CONVOY_SOURCE "/configs/nets/" + name + ".toml");
  std::stringstream stream;
  stream << file.rdbuf();
  std::string text = stream.str();
  const std::size_t size = text.find(", height");
  text.replace(size, text.find('}', size) - size, fmt::format(", height = {}, width = {} ", height, width));
  return text;
}

}  // namespace convoy::test
