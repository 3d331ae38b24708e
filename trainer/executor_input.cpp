// Samples on their way to the device.

#include <algorithm>
#include <cstring>

#include "layers/core/clock.h"
#include "layers/core/error.h"
#include "layers/core/index.h"
#include "trainer/executor.h"

namespace convoy {

void Executor::load(const Segment& segment, const std::uint8_t* pixels, const std::int32_t* labels,
                    std::int64_t count, const SecondLabel* second) {
  const auto start = Clock::now();
  if ((second != nullptr) != (segment.second_labels >= 0))
    fail(ExitCode::internal, "samples of a segment have second labels, or have none: here is the other");
  if (plan_.program.next_labels >= 0) {
    load_ahead(segment, pixels, labels, count, second);
    times_.input += seconds_since(start);
    return;
  }
  const auto put = [&]<class Label>(int tensor, const Label* values) {
    const auto bytes = static_cast<std::int64_t>(sizeof(Label));
    device_->copy_in(at({tensor, 0}), values, count * bytes);
    if (count >= segment.samples) return;
    const std::vector<Label> padding(static_cast<std::size_t>(segment.samples - count));
    device_->copy_in(at({tensor, count * bytes}), padding.data(), (segment.samples - count) * bytes);
  };
  device_->copy_in(at({segment.pixels, 0}), pixels, count * graph_->input().elements());
  put(segment.labels, labels);
  if (second != nullptr) put(segment.second_labels, second);
  times_.input += seconds_since(start);
}

void* Executor::free_part(NextPart& part, int tensor) {
  if (part.host == nullptr) part.host = device_->allocate_host(plan_.program.tensors[index(tensor)].bytes);
  if (part.there != nullptr) part.there->wait();  // of the input before the last, long since there
  return part.host;
}

void Executor::send_ahead(NextPart& part, int tensor, std::int64_t bytes) {
  part.there = device_->start_copy_ahead(at({tensor, 0}), part.host, bytes, input_taken_.get());
}

void Executor::load_ahead(const Segment& segment, const std::uint8_t* pixels, const std::int32_t* labels,
                          std::int64_t count, const SecondLabel* second) {
  const Program& program = plan_.program;
  NextInput& next = next_inputs_[input_turn_];
  input_turn_ = (input_turn_ + 1) % next_inputs_.size();
  const std::int64_t bytes = count * graph_->input().elements();
  std::memcpy(free_part(next.pixels, program.next_pixels), pixels, static_cast<std::size_t>(bytes));
  send_ahead(next.pixels, program.next_pixels, bytes);
  const auto put = [&]<class Label>(NextPart& part, int tensor, const Label* values) {
    auto* host = static_cast<Label*>(free_part(part, tensor));
    std::fill(std::copy_n(values, count, host), host + segment.samples, Label{});
    send_ahead(part, tensor, segment.samples * static_cast<std::int64_t>(sizeof(Label)));
  };
  put(next.labels, program.next_labels, labels);
  if (second != nullptr) put(next.second_labels, program.next_second_labels, second);
}

int Executor::take_input(const Segment& segment, const StepContext& context) {
  const Program& program = plan_.program;
  if (program.next_labels < 0) return segment.first;
  const auto start = Clock::now();
  const NextInput& loaded = next_inputs_[(input_turn_ + next_inputs_.size() - 1) % next_inputs_.size()];
  if (loaded.pixels.there == nullptr) fail(ExitCode::internal, "a segment runs without an input");
  device_->wait_for(*loaded.pixels.there);
  const auto take = [&](const NextPart& part, int from, int to, std::size_t size) {
    device_->wait_for(*part.there);
    device_->copy_within(at({to, 0}), at({from, 0}), segment.samples * static_cast<std::int64_t>(size));
  };
  take(loaded.labels, program.next_labels, segment.labels, sizeof(std::int32_t));
  if (segment.second_labels >= 0)
    take(loaded.second_labels, program.next_second_labels, segment.second_labels, sizeof(SecondLabel));
  kernels_[index(segment.first)]->run(context);
  input_taken_ = device_->mark();
  if (waits_) device_->synchronize();
  const double seconds = seconds_since(start);
  times_.input += seconds;
  step_seconds_[index(segment.first)] += seconds;
  return segment.first + 1;
}

}  // namespace convoy
