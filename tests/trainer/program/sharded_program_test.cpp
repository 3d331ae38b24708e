// Programs whose optimizer state is divided among the ranks.

#include <gtest/gtest.h>

#include "layers/cpu/cpu_backend.h"
#include "layers/sizes/size_backend.h"
#include "tests/layers/graph/networks.h"
#include "tests/trainer/program/program_simulator.h"

namespace convoy {
namespace {

Choices choices_for(int shards, DType precision = DType::f32) {
  Choices choices;
  choices.train_samples = {4, 3};
  choices.accumulate = true;
  choices.reduce = true;
  choices.shards = shards;
  choices.precision = precision;
  choices.bucket_bytes = 8 << 10;
  return choices;
}

std::int64_t bytes_of(const Program& program, int tensor) {
  return program.tensors[static_cast<std::size_t>(tensor)].bytes;
}

/// The processor in fp32, and a GPU that is not here in both types.
class ShardedPrograms : public testing::TestWithParam<std::tuple<const char*, DType, int>> {
 protected:
  ShardedPrograms()
      : shards_(std::get<2>(GetParam())),
        type_(std::get<1>(GetParam())),
        graph_(parse_network(std::get<0>(GetParam()), "net.toml")) {}

  int shards_;
  DType type_;
  Graph graph_;
  std::unique_ptr<Backend> gpu_ = make_size_backend({"gpu", {DType::f32, DType::f16}});
  std::unique_ptr<Backend> cpu_ = make_cpu_backend();
};

TEST_P(ShardedPrograms, CutEveryDividedBucketIntoEqualAlignedSlicesThatCoverItOnce) {
  const Program program = build_program(graph_, choices_for(shards_, type_), *gpu_);
  EXPECT_GT(program.divided_values, 0);
  std::int64_t next = 0;
  std::int64_t kept = 0;
  for (const Slice& bucket : program.buckets) {
    EXPECT_EQ(bucket.first, next);
    EXPECT_EQ(program.kept_offset(bucket.first * 4), kept);
    next += bucket.count;
    kept += program.slice_of(bucket, 0).count * 4;
    if (!program.divided(bucket)) continue;
    std::int64_t at = bucket.first;
    for (int rank = 0; rank < shards_; ++rank) {
      const Slice slice = program.slice_of(bucket, rank);
      EXPECT_EQ(slice.first, at);
      EXPECT_EQ(slice.count % 32, 0);
      at += slice.count;
    }
    EXPECT_EQ(at, next);
  }
  EXPECT_EQ(next, program.flat_values);
  EXPECT_EQ(kept, program.kept_bytes());
}

TEST_P(ShardedPrograms, KeepSlicesOfMomentumAndOfMasterWeights) {
  const Program whole = build_program(graph_, choices_for(1, type_), *gpu_);
  const Program program = build_program(graph_, choices_for(shards_, type_), *gpu_);
  const bool half = type_ != DType::f32;
  EXPECT_EQ(bytes_of(program, program.momentum), program.kept_bytes());
  EXPECT_EQ(bytes_of(program, program.weights), half ? program.kept_bytes() : program.flat_bytes());
  // Padding: less than a slice's unit a bucket and rank.
  const auto padding = static_cast<std::int64_t>(program.buckets.size()) * shards_ * 128;
  EXPECT_LT(program.flat_bytes(), whole.flat_bytes() + padding);
  std::int64_t biases = 0;
  for (const ParameterSlot& slot : program.parameters) biases += slot.half.id < 0 ? slot.bytes() + 128 : 0;
  EXPECT_LT(bytes_of(program, program.momentum),
            (whole.flat_bytes() + padding) / shards_ + (half ? biases : 0));
}

TEST_P(ShardedPrograms, LeaveWhatKernelsReadInFp32WholeOnEveryRank) {
  const Program program = build_program(graph_, choices_for(shards_, type_), *gpu_);
  for (const ParameterSlot& slot : program.parameters) {
    const bool whole = type_ != DType::f32 && slot.half.id < 0;
    EXPECT_EQ(slot.offset < program.divided_values * 4, !whole);
    EXPECT_EQ(slot.offset % 128, 0);
    EXPECT_LE(slot.offset + slot.bytes(), program.flat_bytes());
  }
}

TEST_P(ShardedPrograms, GatherEachDividedBucketRightAfterItsUpdate) {
  const Program program = build_program(graph_, choices_for(shards_, type_), *gpu_);
  const Segment& update = program.segments.back();
  std::size_t gathered = 0;
  for (int s = update.first; s < update.end; ++s) {
    const Step& step = program.steps[static_cast<std::size_t>(s)];
    if (step.kind != StepKind::update) continue;
    const Slice& bucket = program.buckets[static_cast<std::size_t>(step.bucket)];
    const bool follows = s + 1 < update.end &&
                         program.steps[static_cast<std::size_t>(s) + 1].kind == StepKind::gather &&
                         program.steps[static_cast<std::size_t>(s) + 1].bucket == step.bucket;
    EXPECT_EQ(follows, program.divided(bucket)) << step.name;
    gathered += follows ? 1 : 0;
  }
  EXPECT_GT(gathered, 0U);
}

TEST_P(ShardedPrograms, ReadOnlyWhatWasWrittenAndIsStillThere) {
  for (const std::string& fault :
       faults_of(build_program(graph_, choices_for(shards_, type_), *gpu_), graph_))
    ADD_FAILURE() << fault;
  const DType type = type_ == DType::f32 ? DType::f32 : DType::bf16;
  if (!cpu_->supports(type)) return;
  for (const std::string& fault : faults_of(build_program(graph_, choices_for(shards_, type), *cpu_), graph_))
    ADD_FAILURE() << fault;
}

TEST_P(ShardedPrograms, AreTheSameWhoeverBuildsThemAndDifferFromWholeOnes) {
  const auto hash = [&](int shards) {
    return hash_of(build_program(graph_, choices_for(shards, type_), *gpu_), *gpu_);
  };
  EXPECT_EQ(hash(shards_), hash(shards_));
  EXPECT_NE(hash(shards_), hash(1));
  EXPECT_NE(hash(shards_), hash(shards_ + 1));
}

INSTANTIATE_TEST_SUITE_P(Nets, ShardedPrograms,
                         testing::Combine(testing::Values(networks::kLeNet, networks::kTangle,
                                                          networks::kHeads),
                                          testing::Values(DType::f32, DType::f16), testing::Values(2, 3, 8)));

}  // namespace
}  // namespace convoy
