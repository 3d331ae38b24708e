#include "tests/layers/cpu/golden_case.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "tests/golden/hashed_values.h"

namespace convoy {
namespace {

double tolerance(DType type) { return type == DType::bf16 ? 2e-2 : type == DType::f16 ? 3e-3 : 1e-5; }

/// Where the golden values lie: in the sources, or in a bundle for another machine.
std::string source_folder() {
  const char* bundle = std::getenv("CONVOY_TEST_SOURCE");
  return bundle != nullptr ? bundle : CONVOY_SOURCE;
}

std::vector<float> stored(const SafetensorsFile& file, const std::string& name) {
  const TensorView* tensor = file.find(name);
  if (tensor == nullptr) return {};
  std::vector<float> values(tensor->data.size() / sizeof(float));
  std::memcpy(values.data(), tensor->data.data(), tensor->data.size());
  return values;
}

double projection(const std::vector<float>& values, std::uint32_t series) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += static_cast<double>(values[i]) *
           static_cast<double>(hashed_value(series, static_cast<std::uint32_t>(i)));
  }
  return sum;
}

/// How far `values` are from the stored digest, relative to the norm.
double relative_error(const std::vector<float>& values, const std::vector<float>& digest) {
  if (digest.size() < 5) return INFINITY;
  const double norm = std::max(static_cast<double>(digest[0]), 1e-30);
  double worst = 0;
  for (std::uint32_t k = 0; k < 4; ++k) {
    worst =
        std::max(worst, std::abs(projection(values, 1000 + k) - static_cast<double>(digest[1 + k])) / norm);
  }
  const std::size_t samples = digest.size() - 5;
  if (samples != std::min<std::size_t>(values.size(), 256)) return INFINITY;
  double squares = 0;
  double sample_norm = 0;
  for (std::size_t j = 0; j < samples; ++j) {
    const std::size_t place =
        values.size() <= 256 ? j : mix_bits(static_cast<std::uint32_t>(j)) % values.size();
    const double expected = static_cast<double>(digest[5 + j]);
    squares += std::pow(static_cast<double>(values[place]) - expected, 2);
    sample_norm += expected * expected;
  }
  const double error = std::sqrt(squares / std::max(sample_norm, 1e-30));
  return std::isnan(error) || std::isnan(worst) ? INFINITY : std::max(worst, error);
}

}  // namespace

SafetensorsFile open_golden(const std::string& name) {
  return SafetensorsFile::open(fmt::format("{}/tests/golden/{}.safetensors", source_folder(), name));
}

GoldenCase::GoldenCase(const SafetensorsFile& file, std::string key)
    : file_(&file),
      key_(std::move(key)),
      network_(file.metadata().at(key_ + ".network")),
      batch_(std::stoll(file.metadata().at(key_ + ".batch"))),
      training_(file.metadata().at(key_ + ".training") == "true"),
      gradients_(!file.metadata().contains(key_ + ".gradients")) {
  const auto step = file.metadata().find(key_ + ".step");
  if (step != file.metadata().end()) step_ = std::stof(step->second);
}

std::string GoldenCase::type() const {
  return std::string(type_of(parse_network(network_, "golden.toml").layers().back().op));
}

LayerBench GoldenCase::bench(BenchSettings settings) const {
  settings.training = training_;
  return {network_, batch_, settings};
}

void GoldenCase::fill(LayerBench& bench) const {
  for (std::size_t i = 0; i < bench.inputs.size(); ++i) {
    bench.inputs[i] = hashed_values(static_cast<std::uint32_t>(1 + i), bench.inputs[i].size());
    if (step_ == 0) continue;
    for (float& v : bench.inputs[i]) v = std::nearbyint(v / step_) * step_;
  }
  const auto around_one = [](std::vector<float>& values) {
    for (float& v : values) v = 1 + 0.5F * v;
  };
  for (std::size_t i = 0; i < bench.parameters.size(); ++i) {
    bench.parameters[i] = hashed_values(static_cast<std::uint32_t>(10 + i), bench.parameters[i].size());
    if (bench.layer().parameters[i].name == "scale") around_one(bench.parameters[i]);
  }
  for (std::size_t i = 0; i < bench.states.size(); ++i) {
    bench.states[i] = hashed_values(static_cast<std::uint32_t>(20 + i), bench.states[i].size());
    if (bench.layer().states[i].name == "running_variance") around_one(bench.states[i]);
  }
  bench.output_gradient = hashed_values(30, bench.output_gradient.size());
  const auto classes = static_cast<std::uint32_t>(bench.output_shape().channels);
  for (std::size_t n = 0; n < bench.labels.size(); ++n) {
    bench.labels[n] = static_cast<std::int32_t>(mix_bits(static_cast<std::uint32_t>(n)) % classes);
  }
  bench.context.seed = 5;
  bench.context.iteration = 3;
  bench.context.first_sample = 7;
}

void GoldenCase::check(BenchSettings settings) {
  type_ = settings.type;
  SCOPED_TRACE(text());
  LayerBench bench = this->bench(settings);
  SCOPED_TRACE(bench.implementations());
  fill(bench);
  bench.forward();
  compare("output", bench.output);
  if (bench.is_loss()) compare_metrics(bench.metrics);
  if (training_ && gradients_) compare_gradients(bench);
  if (training_) compare_states(bench);
  EXPECT_TRUE(bench.fences_stand()) << "a kernel wrote outside of its memory";
}

std::string GoldenCase::text() const { return fmt::format("case {} batch {} of {}", key_, batch_, network_); }

void GoldenCase::compare_gradients(LayerBench& bench) const {
  bench.backward();
  // Rounded, other values are the largest of their windows: see MaxPool in golden_test.cpp.
  if (type_ != DType::f32 && type() == "max_pool") return;
  for (std::size_t i = 0; i < bench.inputs.size(); ++i)
    compare(fmt::format("input_gradient{}", i), bench.input_gradients[i]);
  for (std::size_t i = 0; i < bench.parameters.size(); ++i)
    compare(bench.layer().parameters[i].name + "_gradient", bench.parameter_gradients[i]);
}

void GoldenCase::compare_states(LayerBench& bench) const {
  for (std::size_t i = 0; i < bench.states.size(); ++i) {
    const StateSpec& state = bench.layer().states[i];
    bench.follow(i);
    compare(state.name, bench.states[i]);
  }
}

void GoldenCase::compare(const std::string& what, const std::vector<float>& values) const {
  EXPECT_LE(relative_error(values, stored(*file_, key_ + "." + what)), tolerance(type_)) << what;
}

void GoldenCase::compare_metrics(const Metrics& metrics) const {
  const std::vector<float> expected = stored(*file_, key_ + ".metrics");
  ASSERT_EQ(expected.size(), 4U);
  EXPECT_NEAR(metrics.loss, static_cast<double>(expected[0]),
              1e-5 * std::abs(static_cast<double>(expected[0])) + 1e-6);
  EXPECT_EQ(metrics.top1, static_cast<double>(expected[1]));
  EXPECT_EQ(metrics.top5, static_cast<double>(expected[2]));
  EXPECT_EQ(metrics.samples, static_cast<double>(expected[3]));
}

std::vector<GoldenCase> golden_cases(const std::vector<SafetensorsFile>& files, const std::string& type) {
  std::vector<GoldenCase> cases;
  for (const SafetensorsFile& file : files) {
    for (const auto& [key, text] : file.metadata()) {
      if (key.size() != 11 || key.substr(3) != ".network") continue;
      GoldenCase one(file, key.substr(0, 3));
      if (one.type() == type) cases.push_back(std::move(one));
    }
  }
  return cases;
}

}  // namespace convoy
