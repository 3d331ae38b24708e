#include <set>

#include "launch/job/keys.h"
#include "tests/launch/job/job_files.h"

namespace convoy::test {
namespace {

class JobFields : public JobFolder {};

const char* const kEveryKey = R"(
network = "net.toml"
seed = 2
device = "cpu"
threads = 3
[data]
kind = "idx"
root = "root"
images = "a"
labels = "b"
test_images = "c"
test_labels = "d"
classes = 4
samples = 5
test_samples = 6
train_folder = "t"
test_folder = "u"
orientation = true
background = 43
broken = "skip"
broken_limit = 44
broken_share = 0.25
crop = "window"
area = [0.45, 0.46]
aspect = [0.47, 0.48]
test_crop = "ten-crop"
shorter_side = 49
filter = "area"
mean = [7, 8]
deviation = [9, 10]
crop_padding = 11
flip = true
brightness = 0.51
contrast = 0.52
saturation = 0.53
hue = 0.44
colour_shift = 0.55
colour_eigenvalues = [0.62, 0.06, 0.05]
colour_eigenvectors = [0, 1, 0, 0, 0, 1, 1, 0, 0]
erase = 0.56
erase_area = [0.57, 0.58]
erase_aspect = [0.59, 0.60]
erase_with = "mean"
mixup = 0.61
loader_threads = 12
ahead = 13
[train]
batch = 14
epochs = 15
iterations = 16
micro_batch = 7
clip_norm = 18
evaluate_every = 19
evaluate_batch = 20
precision = "fp32"
shard_optimizer = true
[optimizer]
type = "sgd"
learning_rate = 0.21
momentum = 0.22
nesterov = true
weight_decay = 0.23
bias_decay = 0.24
norm_decay = 0.25
bias_rate = 0.26
[schedule]
type = "cosine"
warmup_epochs = 27
warmup_start = 0.28
warmup_type = "constant"
step_epochs = 29
gamma = 0.30
milestones = [31, 32]
power = 33
final = 0.34
[memory]
limit = "35MiB"
reserve = "36MiB"
workspace = "50MiB"
[comm]
timeout_seconds = 37
bucket = "38MiB"
[checkpoint]
every_epochs = 39
every_iterations = 40
keep = 41
[log]
every = 42
)";

/// The same, field by field.
Job every_field(const std::string& network) {
  return {.network = network,
          .seed = 2,
          .device = "cpu",
          .threads = 3,
          .data = {.kind = "idx",
                   .root = "root",
                   .images = "a",
                   .labels = "b",
                   .test_images = "c",
                   .test_labels = "d",
                   .classes = 4,
                   .samples = 5,
                   .test_samples = 6,
                   .train_folder = "t",
                   .test_folder = "u",
                   .orientation = true,
                   .background = 43,
                   .broken = "skip",
                   .broken_limit = 44,
                   .broken_share = 0.25,
                   .crop = "window",
                   .area = {0.45, 0.46},
                   .aspect = {0.47, 0.48},
                   .test_crop = "ten-crop",
                   .shorter_side = 49,
                   .filter = "area",
                   .mean = {7, 8},
                   .deviation = {9, 10},
                   .crop_padding = 11,
                   .flip = true,
                   .brightness = 0.51,
                   .contrast = 0.52,
                   .saturation = 0.53,
                   .hue = 0.44,
                   .colour_shift = 0.55,
                   .colour_eigenvalues = {0.62, 0.06, 0.05},
                   .colour_eigenvectors = {0, 1, 0, 0, 0, 1, 1, 0, 0},
                   .erase = 0.56,
                   .erase_area = {0.57, 0.58},
                   .erase_aspect = {0.59, 0.60},
                   .erase_with = "mean",
                   .mixup = 0.61,
                   .loader_threads = 12,
                   .ahead = 13},
          .train = {.batch = 14,
                    .epochs = 15,
                    .iterations = 16,
                    .micro_batch = 7,
                    .clip_norm = 18,
                    .evaluate_every = 19,
                    .evaluate_batch = 20,
                    .precision = "fp32",
                    .shard_optimizer = true},
          .optimizer = {.type = "sgd",
                        .learning_rate = 0.21,
                        .momentum = 0.22,
                        .nesterov = true,
                        .weight_decay = 0.23,
                        .bias_decay = 0.24,
                        .norm_decay = 0.25,
                        .bias_rate = 0.26},
          .schedule = {.type = "cosine",
                       .warmup_type = "constant",
                       .warmup_epochs = 27,
                       .warmup_start = 0.28,
                       .step_epochs = 29,
                       .gamma = 0.30,
                       .milestones = {31, 32},
                       .power = 33,
                       .final = 0.34},
          .memory = {.limit = "35MiB", .reserve = "36MiB", .workspace = "50MiB"},
          .comm = {.timeout_seconds = 37, .bucket = "38MiB"},
          .checkpoint = {.every_epochs = 39, .every_iterations = 40, .keep = 41},
          .log = {.every = 42}};
}

TEST_F(JobFields, EachKeyFillsTheFieldOfItsName) {
  EXPECT_EQ(parse(kEveryKey), every_field(path("net.toml")));
}

TEST_F(JobFields, NoTwoKeysShareAField) {
  Job job;
  std::set<const void*> fields;
  for (const Key& key : job_keys()) {
    const void* field = std::visit([&](const auto& find) -> const void* { return &find(job); }, key.field);
    EXPECT_TRUE(fields.insert(field).second) << key.full_name();
  }
}

}  // namespace
}  // namespace convoy::test
