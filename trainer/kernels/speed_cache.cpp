#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <filesystem>
#include <span>

#include "layers/core/error.h"
#include "trainer/kernels/cpu_speed.h"
#include "trainer/kernels/kernel_cache.h"
#include "trainer/kernels/rounded.h"
#include "trainer/storage/file_io.h"

namespace convoy {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMostSpeedBytes = 1 << 20;

/// The keys of a DeviceSpeed in a file.
constexpr std::pair<const char*, double DeviceSpeed::*> kKeys[] = {
    {"flops", &DeviceSpeed::flops},
    {"half_flops", &DeviceSpeed::half_flops},
    {"window_flops", &DeviceSpeed::window_flops},
    {"half_window_flops", &DeviceSpeed::half_window_flops},
    {"bytes_per_second", &DeviceSpeed::bytes_per_second},
    {"launch_seconds", &DeviceSpeed::launch_seconds},
    {"cache_bytes_per_second", &DeviceSpeed::cache_bytes_per_second},
    {"cache_bytes", &DeviceSpeed::cache_bytes}};

/// A speed that one can divide by.
double number(const json::object& object, const char* key) {
  const double value = object.at(key).to_number<double>();
  if (!std::isfinite(value) || value <= 0) fail(ExitCode::usage, "no speeds: \"{}\" is {}", key, value);
  return value;
}

}  // namespace

bool operator==(const CpuSpeed& a, const CpuSpeed& b) { return a.text("") == b.text(""); }

std::string CpuSpeed::text(const std::string& conditions) const {
  json::object object{{"conditions", conditions}};
  if (speed) {
    json::object figures;
    for (const auto& [key, member] : kKeys) figures[key] = rounded((*speed).*member);
    object["speed"] = std::move(figures);
  }
  json::object between;
  for (const auto& [ranks, link] : links) {
    between[std::to_string(ranks)] = json::object{{"latency_seconds", rounded(link.latency_seconds)},
                                                  {"bytes_per_second", rounded(link.bytes_per_second)}};
  }
  object["links"] = std::move(between);
  return json::serialize(object) + "\n";
}

CpuSpeed CpuSpeed::parse(const std::string& text, const std::string& conditions) {
  try {
    const json::value value = json::parse(text);
    if (value.at("conditions").as_string() != conditions)
      fail(ExitCode::usage, "the speeds are of other conditions");
    CpuSpeed found;
    if (const json::value* speed = value.as_object().if_contains("speed")) {
      found.speed.emplace();
      for (const auto& [key, member] : kKeys) (*found.speed).*member = number(speed->as_object(), key);
    }
    for (const auto& [ranks, link] : value.at("links").as_object()) {
      found.links[std::stoi(std::string(ranks))] = {number(link.as_object(), "latency_seconds"),
                                                    number(link.as_object(), "bytes_per_second")};
    }
    return found;
  } catch (const Error&) {
    throw;
  } catch (const std::exception&) {
    fail(ExitCode::usage, "no speeds of a processor");
  }
}

SpeedCache::SpeedCache(const std::string& folder, std::string conditions)
    : folder_(folder), conditions_(std::move(conditions)) {
  if (folder.empty()) return;
  path_ = folder + "/" + cache_file_name("speed", conditions_);
  std::error_code unknown;
  if (!std::filesystem::exists(path_, unknown)) return;
  try {
    InputFile file(path_);
    if (file.size() > kMostSpeedBytes) fail(ExitCode::usage, "no speeds of a processor: too large");
    std::string text(static_cast<std::size_t>(file.size()), '\0');
    file.read(0, std::as_writable_bytes(std::span(text.data(), text.size())));
    known_ = CpuSpeed::parse(text, conditions_);
  } catch (const Error& problem) {
    warnings_.push_back(fmt::format("warning: {}: {}; it is not used", path_, problem.what()));
  }
}

void SpeedCache::put(const CpuSpeed& speed) {
  // As the next run will read it.
  const std::string text = speed.text(conditions_);
  known_ = CpuSpeed::parse(text, conditions_);
  if (path_.empty()) return;
  try {
    std::error_code failed;
    std::filesystem::create_directories(folder_, failed);
    if (failed) fail(ExitCode::internal, "cannot make the folder {}: {}", folder_, failed.message());
    PartialFile file(path_);
    file.write(std::as_bytes(std::span(text.data(), text.size())));
    file.commit();
  } catch (const Error& problem) {
    warnings_.push_back(fmt::format("warning: {}; speeds are measured again the next time", problem.what()));
  }
}

}  // namespace convoy
