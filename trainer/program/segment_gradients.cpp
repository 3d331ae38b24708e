#include "trainer/program/segment_builder.h"

#include <fmt/format.h>

#include <algorithm>

namespace convoy {

void SegmentBuilder::give_gradient(int index, int activation, Value value) {
  Value& sum = gradients_[at(activation)];
  if (sum.tensor < 0) {
    sum = std::move(value);
  } else if (sum.owned) {
    add_gradient(index, value.tensor, value.layout, sum.tensor, sum.layout);
  } else if (value.owned) {
    add_gradient(index, sum.tensor, sum.layout, value.tensor, value.layout);
    sum = std::move(value);
  } else {
    const std::string name = "gradient of " + graph_.activations()[at(activation)].name;
    Value fresh{new_tensor(name, Category::activation_gradients, sum.layout), sum.layout, true, false, {}};
    Step& copy = new_step(StepKind::reorder, "copy " + name, index);
    copy.reads = {{sum.tensor, 0}};
    copy.writes = {{fresh.tensor, 0}};
    copy.from = copy.to = sum.layout;
    add_scratch(copy, backend_.reorder_scratch(copy.from, copy.to, false));
    add_gradient(index, value.tensor, value.layout, fresh.tensor, fresh.layout);
    sum = std::move(fresh);
  }
}

void SegmentBuilder::add_gradient(int index, int from, const Layout& from_layout, int to,
                                  const Layout& to_layout) {
  Step& step = new_step(StepKind::add, "add " + program_.tensors[at(from)].name, index);
  step.reads = {{from, 0}};
  step.writes = {{to, 0}};
  step.from = from_layout;
  step.to = to_layout;
  add_scratch(step, backend_.reorder_scratch(from_layout, to_layout, true));
}

Ref SegmentBuilder::gradient_ref(const ParameterSlot& place) {
  if (!program_.choices.update_in_backward)
    return {program_.gradients, program_.gradient_offset(place.offset)};
  const auto bucket = std::find_if(program_.buckets.begin(), program_.buckets.end(), [&](const Slice& slice) {
    return place.offset < (slice.first + slice.count) * 4;
  });
  const std::ptrdiff_t number = bucket - program_.buckets.begin();
  int& tensor = bucket_gradients_[static_cast<std::size_t>(number)];
  if (tensor < 0) {
    const std::int64_t bytes = program_.gradient_offset(bucket->count * 4);
    tensor = new_tensor(fmt::format("gradients of bucket {}", number), Category::gradients, {-1, bytes});
  }
  return {tensor, program_.gradient_offset(place.offset - bucket->first * 4)};
}

/// Starts the reduction of every bucket whose last gradient the layer just gave, or updates it.
void SegmentBuilder::after_pass(int index) {
  if (!program_.choices.reduce && !program_.choices.update_in_backward) return;
  for (; next_bucket_ < program_.buckets.size(); ++next_bucket_) {
    const Slice& bucket = program_.buckets[next_bucket_];
    const std::int64_t end = bucket.first + bucket.count;
    // Backward goes from the last layer to the first.
    const bool waits =
        std::any_of(program_.parameters.begin(), program_.parameters.end(), [&](const ParameterSlot& slot) {
          return slot.layer < index && slot.offset >= bucket.first * 4 && slot.offset < end * 4;
        });
    if (waits) return;
    if (program_.choices.update_in_backward) {
      Step update = program_.update_step(next_bucket_, {bucket_gradients_[next_bucket_], 0});
      update.layer = index;
      program_.steps.push_back(std::move(update));
      continue;
    }
    Step& step = new_step(StepKind::reduce, fmt::format("reduce bucket {}", next_bucket_), index);
    step.bucket = static_cast<int>(next_bucket_);
    step.reads = {{program_.gradients, bucket.first * size_of(program_.gradient_type)}};
    step.writes = step.reads;
  }
}

}  // namespace convoy
