#include "trainer/program/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace convoy {

std::string name_of(Category category) {
  static constexpr std::array<const char*, kCategories> kNames{
      "weights",        "master_weights", "gradients", "optimizer_state",      "running_statistics",
      "input",          "activations",    "saved",     "activation_gradients", "parameter_gradients",
      "layout_changes", "workspace",      "metrics"};
  return kNames[static_cast<std::size_t>(category)];
}

const Segment* Program::find(SegmentKind kind, std::int64_t samples) const {
  for (const Segment& segment : segments) {
    if (segment.kind == kind && segment.samples == samples) return &segment;
  }
  return nullptr;
}

Step Program::update_step(std::size_t bucket, const Ref& bucket_gradients) const {
  const std::int64_t offset = buckets[bucket].first * 4;
  Step step;
  step.kind = StepKind::update;
  step.name = fmt::format("update bucket {}", bucket);
  step.bucket = static_cast<int>(bucket);
  step.reads = {bucket_gradients};
  if (update_state >= 0) step.reads.push_back({update_state, 0});
  step.writes = {{weights, divides_weights() ? kept_offset(offset) : offset}};
  if (momentum >= 0) step.writes.push_back({momentum, kept_offset(offset)});
  if (half_weights >= 0) step.writes.push_back({half_weights, offset / 2});
  return step;
}

std::int64_t Program::kept_offset(std::int64_t offset) const {
  const std::int64_t divided = std::min(offset, divided_values * 4);
  return divided / choices.shards + offset - divided;
}

Slice Program::slice_of(const Slice& bucket, int rank) const {
  if (!divided(bucket)) return bucket;
  const std::int64_t count = bucket.count / choices.shards;
  return {bucket.first + rank * count, count};
}

std::vector<Slice> Program::measured_by(int rank) const {
  std::vector<Slice> slices;
  for (const Slice& bucket : buckets) {
    if (divided(bucket)) slices.push_back(slice_of(bucket, rank));
  }
  const Slice whole{divided_values, flat_values - divided_values};
  if (whole.count > 0 && (rank == 0 || !choices.reduce)) slices.push_back(whole);
  return slices;
}

namespace {

/// FNV-1a, 64 bits.
class Hash {
 public:
  void add(const std::string& text) {
    for (const char c : text) value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325U;
};

}  // namespace

std::uint64_t hash_of(const Program& program, const Backend& backend) {
  Hash hash;
  for (const Tensor& tensor : program.tensors) {
    hash.add(fmt::format("{};{};{};{};", tensor.name, tensor.bytes, tensor.first, tensor.last));
    if (tensor.layout.id >= 0) hash.add(backend.describe(tensor.layout));
  }
  for (const Step& step : program.steps) {
    hash.add(step.name);
    for (const Ref& ref : step.reads) hash.add(fmt::format("r{}+{}", ref.tensor, ref.offset));
    for (const Ref& ref : step.writes) hash.add(fmt::format("w{}+{}", ref.tensor, ref.offset));
  }
  for (const Slice& bucket : program.buckets) hash.add(fmt::format("b{}+{}", bucket.first, bucket.count));
  return hash.value();
}

}  // namespace convoy
