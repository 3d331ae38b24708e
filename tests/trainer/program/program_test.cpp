#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "layers/cpu/cpu_backend.h"
#include "tests/layers/graph/networks.h"
#include "tests/trainer/program/program_simulator.h"

namespace convoy {
namespace {

/// Programs of many choices for several networks.
struct ProgramCase {
  std::string name;
  const char* network;
  Choices choices;
  friend void PrintTo(const ProgramCase& one, std::ostream* out) { *out << one.name; }
};

Choices choices_of(std::vector<std::int64_t> train, bool accumulate, std::int64_t evaluate,
                   bool reduce = false) {
  Choices choices;
  choices.train_samples = std::move(train);
  choices.accumulate = accumulate;
  choices.evaluate_samples = evaluate;
  choices.reduce = reduce;
  choices.bucket_bytes = 16 << 10;
  return choices;
}

std::vector<ProgramCase> program_cases() {
  std::vector<ProgramCase> cases;
  for (const auto& [name, network] :
       {std::pair{"lenet", networks::kLeNet}, std::pair{"tangle", networks::kTangle},
        std::pair{"fan_out", networks::kFanOut}, std::pair{"heads", networks::kHeads},
        std::pair{"up_and_down", networks::kUpAndDown}}) {
    const auto add = [&](const char* what, Choices choices) {
      cases.push_back({fmt::format("{}_{}", name, what), network, std::move(choices)});
    };
    add("one_batch", choices_of({8}, false, 0));
    add("and_evaluation", choices_of({8}, false, 5));
    add("two_sizes", choices_of({8, 3}, true, 8));
    add("winograd_sized", choices_of({16}, true, 16, true));
    add("one_sample", choices_of({1}, true, 1, true));
    add("evaluation_alone", choices_of({}, false, 4));
    Choices at_once = choices_of({8, 3}, false, 8);
    at_once.update_in_backward = true;
    add("updated_in_backward", at_once);
    Choices plain = choices_of({4}, false, 0, true);
    plain.momentum = false;
    add("no_momentum", plain);
    Choices shared = choices_of({4, 3}, true, 4, true);
    shared.shared_statistics = true;
    add("shared_statistics", shared);
    Choices mixed = choices_of({4, 3}, true, 4);
    mixed.second_labels = true;
    add("second_labels", mixed);
    Choices sharded = choices_of({4, 3}, true, 4, true);
    sharded.shards = 3;
    add("sharded", sharded);
    Choices clipped = choices_of({4, 3}, true, 4);
    clipped.clips = true;
    add("clipped", clipped);
    sharded.scales_loss = sharded.clips = true;
    add("sharded_and_scaled", sharded);
  }
  cases.push_back({"alexnet", networks::kAlexNet, choices_of({2}, false, 2, true)});
  return cases;
}

class Programs : public testing::TestWithParam<ProgramCase> {
 protected:
  Graph graph_ = parse_network(GetParam().network, "net.toml");
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  Program program_ = build_program(graph_, GetParam().choices, *backend_);
};

TEST_P(Programs, ReadOnlyWhatWasWrittenAndIsStillThere) {
  for (const std::string& fault : faults_of(program_, graph_)) ADD_FAILURE() << fault;
}

TEST_P(Programs, HaveTensorsThatLiveAndThatAllStepsFitInto) {
  for (const Tensor& tensor : program_.tensors) {
    EXPECT_GE(tensor.bytes, 0) << tensor.name;
    if (tensor.bytes == 0) continue;
    EXPECT_GE(tensor.first, 0) << tensor.name << " is never used";
    EXPECT_LE(tensor.first, tensor.last) << tensor.name;
    EXPECT_LT(tensor.last, static_cast<int>(program_.steps.size())) << tensor.name;
  }
  for (const Step& step : program_.steps) {
    if (step.kind != StepKind::layer) continue;
    const PassSpec& pass = step.lowered->spec().passes[step.pass];
    const auto fits = [&](const Ref& ref, const Operand& operand) {
      return ref.offset + operand.layout.bytes <=
             program_.tensors[static_cast<std::size_t>(ref.tensor)].bytes;
    };
    for (std::size_t i = 0; i < pass.reads.size(); ++i)
      EXPECT_TRUE(fits(step.reads[i], pass.reads[i])) << step.name;
    for (std::size_t i = 0; i < pass.writes.size(); ++i)
      EXPECT_TRUE(fits(step.writes[i], pass.writes[i])) << step.name;
    if (pass.scratch_bytes > 0) {
      ASSERT_GE(step.scratch, 0) << step.name;
      EXPECT_GE(program_.tensors[static_cast<std::size_t>(step.scratch)].bytes, pass.scratch_bytes)
          << step.name;
    }
  }
}

TEST_P(Programs, CutTheFlatBuffersIntoParametersAndBucketsInOrder) {
  std::int64_t end = 0;
  std::int64_t elements = 0;
  for (const ParameterSlot& slot : program_.parameters) {
    EXPECT_GE(slot.offset, end);
    EXPECT_EQ(slot.offset % 64, 0);
    end = slot.offset + slot.bytes();
    elements += graph_.layers()[static_cast<std::size_t>(slot.layer)]
                    .parameters[static_cast<std::size_t>(slot.parameter)]
                    .elements();
  }
  EXPECT_LE(end, program_.flat_bytes());
  EXPECT_EQ(elements,
            GetParam().choices.train_samples.empty() ? graph_.parameters() : graph_.parameters_training());
  EXPECT_TRUE(
      std::is_sorted(program_.parameters.begin(), program_.parameters.end(),
                     [](const ParameterSlot& a, const ParameterSlot& b) { return a.layer > b.layer; }));
  if (GetParam().choices.train_samples.empty()) return;
  std::int64_t next = 0;
  for (const Slice& bucket : program_.buckets) {
    EXPECT_EQ(bucket.first, next);
    EXPECT_GT(bucket.count, 0);
    next += bucket.count;
  }
  EXPECT_EQ(next * 4, program_.flat_bytes());
}

TEST_P(Programs, ReduceEachBucketOnceInEachTrainingSegmentAndUpdateItOnce) {
  for (const Segment& segment : program_.segments) {
    std::vector<int> reduced;
    std::vector<int> updated;
    for (int s = segment.first; s < segment.end; ++s) {
      const Step& step = program_.steps[static_cast<std::size_t>(s)];
      if (step.kind == StepKind::reduce) reduced.push_back(step.bucket);
      if (step.kind == StepKind::update) updated.push_back(step.bucket);
    }
    std::vector<int> all(program_.buckets.size());
    for (std::size_t b = 0; b < all.size(); ++b) all[b] = static_cast<int>(b);
    EXPECT_EQ(reduced,
              segment.kind == SegmentKind::train && GetParam().choices.reduce ? all : std::vector<int>{});
    const SegmentKind updating =
        GetParam().choices.update_in_backward ? SegmentKind::train : SegmentKind::update;
    EXPECT_EQ(updated, segment.kind == updating ? all : std::vector<int>{});
  }
}

TEST_P(Programs, StartReducingBeforeBackwardEnds) {
  if (!GetParam().choices.reduce || program_.buckets.size() < 2) return;
  const Segment& segment = program_.segments.front();
  int first_reduce = segment.end;
  int last_pass = 0;
  for (int s = segment.first; s < segment.end; ++s) {
    const StepKind kind = program_.steps[static_cast<std::size_t>(s)].kind;
    if (kind == StepKind::reduce) first_reduce = std::min(first_reduce, s);
    if (kind == StepKind::layer) last_pass = s;
  }
  EXPECT_LT(first_reduce, last_pass);
}

TEST_P(Programs, HaveOneHash) {
  const std::uint64_t first = hash_of(program_, *backend_);
  const std::unique_ptr<Backend> other = make_cpu_backend();
  EXPECT_EQ(hash_of(build_program(graph_, GetParam().choices, *other), *other), first);
  // A backend that has met other layers before gives the same: layouts are named, not numbered.
  const std::unique_ptr<Backend> used = make_cpu_backend();
  (void)build_program(parse_network(networks::kAlexNetOwt, "net.toml"), choices_of({1}, false, 0), *used);
  EXPECT_EQ(hash_of(build_program(graph_, GetParam().choices, *used), *used), first);
}

INSTANTIATE_TEST_SUITE_P(Nets, Programs, testing::ValuesIn(program_cases()),
                         [](const auto& parameter) { return parameter.param.name; });

TEST(AuxiliaryHeads, AreInTrainingAlone) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  const Graph graph = parse_network(networks::kHeads, "net.toml");
  const Program both = build_program(graph, choices_of({8}, false, 4), *backend);
  const Program alone = build_program(graph, choices_of({}, false, 4), *backend);
  const auto auxiliary_steps = [&](const Program& program, SegmentKind kind) {
    int count = 0;
    for (const Segment& segment : program.segments) {
      for (int s = segment.first; segment.kind == kind && s < segment.end; ++s) {
        const int layer = program.steps[static_cast<std::size_t>(s)].layer;
        count += layer >= 0 && graph.auxiliary(layer) ? 1 : 0;
      }
    }
    return count;
  };
  EXPECT_GT(auxiliary_steps(both, SegmentKind::train), 15);
  EXPECT_EQ(auxiliary_steps(both, SegmentKind::evaluate), 0);
  EXPECT_EQ(auxiliary_steps(alone, SegmentKind::evaluate), 0);
  for (const ParameterSlot& slot : alone.parameters) EXPECT_FALSE(graph.auxiliary(slot.layer));
  EXPECT_TRUE(alone.states.empty()) << "the only batch norm is in a head";
}

// The branches of an Inception module come blocked, and what follows wants them so.
TEST(Concat, ChangesNoLayoutWhereTheBlocksDivideTheChannels) {
  std::string text = "name = \"x\"\ninput = { channels = 64, height = 14, width = 14 }\nlayers = [\n";
  for (const int outputs : {64, 128, 32, 48})
    text += fmt::format(
        "  {{ name = \"b{0}\", type = \"convolution\", outputs = {0}, kernel = 1, from = \"input\" }},\n",
        outputs);
  text +=
      "  { name = \"cat\", type = \"concat\", from = [\"b64\", \"b128\", \"b32\", \"b48\"] },\n"
      "  { name = \"half\", type = \"slice\", first = 128, count = 144 },\n"
      "  { name = \"after\", type = \"convolution\", outputs = 64, kernel = 3, padding = 1 },\n"
      "  { type = \"fully_connected\", outputs = 4 },\n  { type = \"softmax_loss\" },\n]\n";
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  const Graph graph = parse_network(text, "net.toml");
  for (const DType type : {DType::f32, DType::bf16}) {
    if (!backend->supports(type)) continue;
    Choices choices = choices_of({8}, false, 0);
    choices.precision = type;
    for (const Step& step : build_program(graph, choices, *backend).steps) {
      if (step.kind != StepKind::reorder) continue;
      for (const char* name : {"b64", "b128", "b32", "b48", "cat", "half"}) {
        EXPECT_NE(step.name, fmt::format("reorder {}", name));
        EXPECT_NE(step.name, fmt::format("reorder gradient of {}", name));
      }
    }
  }
}

TEST(Flatten, IsInPlaceWhereTheValuesLieDensely) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  const Graph graph = parse_network(
      "name = \"x\"\ninput = { channels = 3, height = 4, width = 4 }\nlayers = [\n"
      "  { type = \"convolution\", outputs = 6, kernel = 3 },\n  { type = \"dropout\" },\n"
      "  { name = \"flat\", type = \"flatten\" },\n  { type = \"fully_connected\", outputs = 4 },\n"
      "  { type = \"softmax_loss\" },\n]\n",
      "net.toml");
  int seen = 0;
  for (const Step& step : build_program(graph, choices_of({8}, false, 0), *backend).steps) {
    if (step.name != "forward flat" && step.name != "backward_data flat") continue;
    EXPECT_EQ(step.reads[0].tensor, step.writes[0].tensor) << step.name;
    ++seen;
  }
  EXPECT_EQ(seen, 2);
}

TEST(ProgramHash, DiffersForOtherChoicesAndNetworks) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  std::vector<std::uint64_t> hashes;
  for (const ProgramCase& one : program_cases()) {
    hashes.push_back(
        hash_of(build_program(parse_network(one.network, "net.toml"), one.choices, *backend), *backend));
  }
  Choices choices = choices_of({8}, false, 0, true);
  for (const std::int64_t bytes : {8 << 10, 64 << 10}) {
    choices.bucket_bytes = bytes;
    hashes.push_back(
        hash_of(build_program(parse_network(networks::kLeNet, "net.toml"), choices, *backend), *backend));
  }
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end());
}

TEST(Program, IsBuiltQuicklyForSumsOfSums) {
  std::string text =
      "name = \"ladder\"\ninput = { channels = 2, height = 2, width = 2 }\nlayers = [\n"
      "  { name = \"s0\", type = \"sum\", from = [\"input\", \"input\"] },\n";
  for (int i = 1; i < 60; ++i)
    text += fmt::format("  {{ name = \"s{0}\", type = \"sum\", from = [\"s{1}\", \"s{1}\"] }},\n", i, i - 1);
  text += "  { type = \"fully_connected\", outputs = 2 },\n  { type = \"softmax_loss\" },\n]\n";
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  const Graph graph = parse_network(text, "ladder.toml");
  const Program program = build_program(graph, choices_of({2}, false, 0), *backend);  // not 2^60 paths
  for (const Step& step : program.steps)
    EXPECT_NE(step.kind, StepKind::add);  // nothing below the parameters wants a gradient
}

// ReLU, dropout and the loss write over their input where nobody reads it later; where somebody does, they
// must not.
TEST(InPlace, SavesTheMemoryOfALayerWhoseInputNobodyNeeds) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  const Graph graph = parse_network(networks::kLeNet, "net.toml");
  const Program program = build_program(graph, choices_of({8}, false, 0), *backend);
  for (const Step& step : program.steps) {
    if (step.name == "forward relu1" || step.name == "forward softmax_loss1" ||
        step.name == "backward_data relu1") {
      EXPECT_EQ(step.reads[0].tensor, step.writes[0].tensor) << step.name;
    }
  }
}

TEST(InPlace, IsLeftWhereTheInputIsReadAgain) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  const Graph graph = parse_network(networks::kTangle, "net.toml");
  const Program program = build_program(graph, choices_of({8}, false, 0), *backend);
  int seen = 0;
  for (const Step& step : program.steps) {
    // d1 follows a sum whose output nobody reads; d2 follows a ReLU that reads its output in backward.
    if (step.name == "forward d2") {
      EXPECT_NE(step.reads[0].tensor, step.writes[0].tensor);
      ++seen;
    }
  }
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace convoy
