#include "tests/configs/zoo_golden.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "tests/golden/hashed_values.h"
#include "trainer/storage/safetensors.h"

namespace convoy::test {
namespace {

const SafetensorsFile& golden() {
  static const SafetensorsFile file = SafetensorsFile::open(CONVOY_SOURCE "/tests/golden/zoo.safetensors");
  return file;
}

std::array<double, 32> sketch_of(const std::string& name, const std::vector<float>& values) {
  std::array<double, 32> sketch{};
  const std::uint32_t series = name_hash(name) + 1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<double>(values[i]);
    const std::uint32_t word = mix_bits(static_cast<std::uint32_t>(i) + series);
    if (values.size() <= sketch.size()) {
      sketch[i] = value;
    } else {
      sketch[word % 32] += (word & 32) != 0 ? -value : value;
    }
  }
  return sketch;
}

GoldenRow parse_row(const std::string& line, const float* numbers) {
  GoldenRow row;
  std::istringstream words(line);
  words >> row.name >> row.factor;
  if (!words) row.factor = 1;
  for (float offset = 0; words >> offset;) row.offsets.push_back(offset);
  row.norm = static_cast<double>(numbers[0]);
  row.half_error = static_cast<double>(numbers[2]);
  std::copy_n(numbers + 3, row.sketch.size(), row.sketch.begin());
  return row;
}

}  // namespace

double GoldenRow::distance(const std::vector<float>& values) const {
  const std::array<double, 32> got = sketch_of(name, values);
  double squares = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    squares += std::pow(got[i] - static_cast<double>(sketch[i]), 2);
  const double relative = std::sqrt(squares) / norm;
  return std::isfinite(relative) ? relative : INFINITY;
}

const GoldenRow* GoldenNetwork::find(std::string_view name) const {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const GoldenRow& r) { return r.name == name; });
  return row == rows.end() ? nullptr : &*row;
}

GoldenNetwork golden_network(const std::string& name) {
  if (golden().find(name) == nullptr)
    throw std::runtime_error("tests/golden/make_zoo.py does not know " + name);
  GoldenNetwork network;
  std::istringstream trial(golden().metadata().at(name + ".trial"));
  trial >> network.height >> network.width >> network.batch >> network.first_sample;
  network.loss = std::stod(golden().metadata().at(name + ".loss"));
  const TensorView& tensor = *golden().find(name);
  std::vector<float> numbers(tensor.data.size() / sizeof(float));
  std::memcpy(numbers.data(), tensor.data.data(), tensor.data.size());
  std::istringstream lines(golden().metadata().at(name + ".rows"));
  std::size_t at = 0;
  for (std::string line; std::getline(lines, line); at += 35)
    network.rows.push_back(parse_row(line, numbers.data() + at));
  return network;
}

std::vector<float> first_values(const ParameterSpec& spec, const GoldenRow& row) {
  const std::uint32_t series = name_hash(row.name);
  std::vector<float> values = hashed_values(series, static_cast<std::size_t>(spec.elements()));
  const float scale = spec.kind == ParameterKind::weight
                          ? static_cast<float>(std::sqrt(6.0 / static_cast<double>(spec.fan_in)))
                          : 0.25F;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = (values[i] * scale + (spec.name == "scale" ? 1.F : 0.F)) * row.factor;
    if (!row.offsets.empty())
      values[i] += row.offsets[mix_bits(static_cast<std::uint32_t>(i) + series) % row.offsets.size()];
  }
  return values;
}

std::uint32_t name_hash(std::string_view name) {
  std::uint32_t value = 0x811C9DC5U;
  for (const char c : name) value = (value ^ static_cast<unsigned char>(c)) * 0x01000193U;
  return value;
}

}  // namespace convoy::test
