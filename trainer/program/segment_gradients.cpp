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

/// Starts the reduction of every bucket whose last gradient the layer just gave.
void SegmentBuilder::after_pass(int index) {
  if (!program_.choices.reduce) return;
  for (; next_bucket_ < program_.buckets.size(); ++next_bucket_) {
    const Slice& bucket = program_.buckets[next_bucket_];
    const std::int64_t end = bucket.first + bucket.count;
    // Backward goes from the last layer to the first.
    const bool waits =
        std::any_of(program_.parameters.begin(), program_.parameters.end(), [&](const ParameterSlot& slot) {
          return slot.layer < index && slot.offset >= bucket.first * 4 && slot.offset < end * 4;
        });
    if (waits) return;
    Step& step = new_step(StepKind::reduce, fmt::format("reduce bucket {}", next_bucket_), index);
    step.bucket = static_cast<int>(next_bucket_);
    step.reads = {{program_.gradients, bucket.first * size_of(program_.gradient_type)}};
    step.writes = step.reads;
  }
}

}  // namespace convoy
