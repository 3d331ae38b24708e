#include "launch/job/section_keys.h"
#include "launch/job/value_text.h"

namespace convoy {
namespace {

void add_top_keys(std::vector<Key>& keys) {
  SectionKeys<Job> top(keys, "", [](Job& job) -> Job& { return job; });
  top.text("network", &Job::network,
           "network file; relative to the working folder, else to this file's folder")
      .example = "\"configs/nets/lenet.toml\"";
  top.integer("seed", &Job::seed, {0, kMostInteger}, "seed of every random number");
  top.word("device", &Job::device, {"auto", "cpu", "cuda"},
           "device of each rank; auto: the processor so far");
  top.boolean("share_gpus", &Job::share_gpus, "ranks may share a GPU where a host has more ranks than GPUs");
  top.integer("threads", &Job::threads, {0, 4096},
              "compute threads per rank, at most 32 for each core; 0: cores / ranks of the host");
  top.word("kernels", &Job::kernels, {"measured", "default"},
           "choice among kernels; measured: for two seconds at the start, and kept in ~/.cache/convoy; "
           "default: by rules of thumb, on GPUs the libraries' own");
}

/// Of image files, and of resizing.
void add_image_keys(SectionKeys<Job::Data>& data) {
  data.text("train_folder", &Job::Data::train_folder,
            "image-folder: training images, below root, in a folder for each class");
  data.text("test_folder", &Job::Data::test_folder, "image-folder: test images, likewise");
  data.text("train_list", &Job::Data::train_list,
            "image-list: file below root with a line \"path label\" for each training image");
  data.text("test_list", &Job::Data::test_list, "image-list: of test images, likewise");
  data.text("train_shards", &Job::Data::train_shards,
            "image-shards: tar files below root with training images, as train-{000000..001281}.tar or "
            "train-*.tar");
  data.text("test_shards", &Job::Data::test_shards, "image-shards: with test images, likewise");
  data.word(
      "order", &Job::Data::order, {"random", "window"},
      "order of training samples; random: any sample may follow any other; window: image-shards one after "
      "another, each from front to back, shuffled within a window, for disks that are slow to seek");
  data.integer(
      "window", &Job::Data::window, {1, kMostCount},
      "order = \"window\": samples of a window; about two of them should fit in the machine's free memory");
  data.boolean("orientation", &Job::Data::orientation, "image files: turn images as their EXIF block says");
  data.integer("background", &Job::Data::background, {0, 255},
               "image files: grey level behind transparent pixels");
  data.word("broken", &Job::Data::broken, {"stop", "skip"},
            "image files: at one that cannot be read, end with its name, or take the next file in its place");
  data.integer("broken_limit", &Job::Data::broken_limit, {0, kMostCount},
               "broken = \"skip\": broken files of each rank before the job ends");
  data.number("broken_share", &Job::Data::broken_share, {0, 1},
              "broken = \"skip\": the same as a share of all files; the larger of both counts");
  data.word(
      "crop", &Job::Data::crop, {"auto", "window", "random-resized", "random", "centre"},
      "training samples: a window of the stored pixels; a random part, resized; a random or the central "
      "window after the shorter side was resized; auto: random-resized for image files, else window");
  data.numbers("area", &Job::Data::area, {0, 1, true},
               "random-resized: least and most share of the image's area");
  data.numbers("aspect", &Job::Data::aspect, {0, 100, true}, "random-resized: least and most width / height");
  data.word("test_crop", &Job::Data::test_crop, {"centre", "ten-crop"},
            "evaluation: the central window, or the mean of what the network says of the windows at the four "
            "corners, the central one, and all five mirrored");
  data.integer(
      "shorter_side", &Job::Data::shorter_side, {0, 65535},
      "random, centre and evaluation: pixels of the shorter side after resizing; 0: the network's input "
      "/ 0.875");
  data.word("filter", &Job::Data::filter, {"bilinear", "area"},
            "resizing: triangle filter as wide as what it shrinks (Pillow's), or mean of the area covered");
}

/// Of what happens to the pixels of training samples.
void add_pixel_keys(SectionKeys<Job::Data>& data) {
  data.number("brightness", &Job::Data::brightness, {0, 100},
              "training samples: brightness times a random factor of 1 - x to 1 + x; 0: left alone");
  data.number("contrast", &Job::Data::contrast, {0, 100}, "training samples: contrast, likewise");
  data.number("saturation", &Job::Data::saturation, {0, 100}, "training samples: saturation, likewise");
  data.number("hue", &Job::Data::hue, {0, 0.5},
              "training samples: hue turned by a random part of the circle, up to so much either way");
  data.number("colour_shift", &Job::Data::colour_shift, {0, 100},
              "training samples: shift along the principal components of colours by normal numbers of this "
              "deviation (AlexNet: 0.1); 0: none");
  data.numbers("colour_eigenvalues", &Job::Data::colour_eigenvalues, {0, 1e6},
               "colour_shift: eigenvalues of the covariance of red, green and blue, of pixels in 0 to 1; "
               "the default is ImageNet's; both empty: measured on the training set");
  data.numbers("colour_eigenvectors", &Job::Data::colour_eigenvectors, {-1, 1},
               "colour_shift: their eigenvectors, of length 1: red, green, blue of the first, then of the "
               "second and third; as convoy data mean prints them");
  data.number("erase", &Job::Data::erase, {0, 1},
              "training samples: share of them that lose a random rectangle (random erasing); 0: none");
  data.numbers("erase_area", &Job::Data::erase_area, {0, 1, true},
               "erase: least and most share of the image's area");
  data.numbers("erase_aspect", &Job::Data::erase_aspect, {0, 100, true},
               "erase: least and most width / height");
  data.word("erase_with", &Job::Data::erase_with, {"random", "mean", "zero"},
            "erase: what takes the place of the pixels: random ones, the mean, or black");
  data.number("mixup", &Job::Data::mixup, {0, 100},
              "training samples: each mixed with another of the batch, labels too, by shares of "
              "Beta(x, x); 0: none");
}

void add_data_keys(std::vector<Key>& keys) {
  SectionKeys<Job::Data> data(keys, "data", [](Job& job) -> Job::Data& { return job.data; });
  data.word("kind", &Job::Data::kind,
            {"mnist", "fashion-mnist", "idx", "cifar10", "cifar100", "synthetic", "image-folder",
             "image-list", "image-shards"},
            "data set or file format")
      .example = "\"mnist\"";
  data.text("root", &Job::Data::root,
            "folder of the data set; empty: the working folder, or Debian's package for fashion-mnist");
  data.text("images", &Job::Data::images,
            "idx: file of training images, absolute or below root; empty: MNIST's name");
  data.text("labels", &Job::Data::labels, "idx: file of training labels, likewise");
  data.text("test_images", &Job::Data::test_images, "idx: file of test images, likewise");
  data.text("test_labels", &Job::Data::test_labels, "idx: file of test labels, likewise");
  data.integer("classes", &Job::Data::classes, {0, kMostCount},
               "classes of synthetic, idx and image files; 0: as the data set or network says; others know "
               "theirs");
  data.integer(
      "samples", &Job::Data::samples, {0, kMostCount},
      "training samples; synthetic: how many to make, 0: 10000; image files: how many there must be, "
      "0: any number; of no meaning to other kinds");
  data.integer("test_samples", &Job::Data::test_samples, {0, kMostCount},
               "test samples, likewise; 0: 1000 synthetic ones");
  add_image_keys(data);
  data.numbers("mean", &Job::Data::mean, {0, 255},
               "mean of each channel, of pixels in 0 to 255; empty: measured on the training set");
  data.numbers("deviation", &Job::Data::deviation, {0, 1e6, true},
               "standard deviation of each channel, of pixels in 0 to 255; empty: measured");
  data.integer("crop_padding", &Job::Data::crop_padding, {0, 1024},
               "random crop after zero padding by so many pixels a side, in evaluation the middle; 0: none");
  data.boolean("flip", &Job::Data::flip,
               "mirror half of the training samples left to right, chosen at random");
  add_pixel_keys(data);
  data.integer("loader_threads", &Job::Data::loader_threads, {1, 256},
               "threads per rank that prepare batches");
  data.integer("ahead", &Job::Data::ahead, {1, 1024}, "batches prepared ahead of need, per rank");
}

void add_train_keys(std::vector<Key>& keys) {
  SectionKeys<Job::Train> train(keys, "train", [](Job& job) -> Job::Train& { return job.train; });
  train.integer("batch", &Job::Train::batch, {1, kMostCount}, "samples of one update, over all ranks");
  train.integer("epochs", &Job::Train::epochs, {1, kMostCount}, "passes over the training set");
  train.integer("iterations", &Job::Train::iterations, {0, kMostCount},
                "stop after so many updates; 0: after all epochs");
  train.integer("micro_batch", &Job::Train::micro_batch, {0, kMostCount},
                "samples at a time on one device, gradients accumulated; 0: the rank's whole share of batch");
  train.number("clip_norm", &Job::Train::clip_norm, {0, 1e9},
               "largest norm of the whole gradient; 0: no clipping");
  train.integer("evaluate_every", &Job::Train::evaluate_every, {0, kMostCount},
                "epochs between evaluations; 0: only at the end");
  train.integer(
      "evaluate_batch", &Job::Train::evaluate_batch, {0, kMostCount},
      "samples at a time on one device in evaluation, each of the ten crops one; 0: as micro_batch");
  train.boolean("shared_statistics", &Job::Train::shared_statistics,
                "batch norm takes its statistics over all ranks, in place of each rank's own samples");
  train.boolean(
      "shard_optimizer", &Job::Train::shard_optimizer,
      "each of several ranks keeps its part of momentum and master weights, not all (ZeRO-1): the same bits");
  train.word(
      "precision", &Job::Train::precision, {"fp32", "tf32", "bf16", "fp16"},
      "number format of activations and of the weights that kernels read; master weights stay fp32; "
      "tf32: on GPUs, fp32 whose convolutions and products round their operands to 10 bits of mantissa; "
      "fp16: on GPUs, with a loss scale");
  train.boolean(
      "cuda_graphs", &Job::Train::cuda_graphs,
      "on GPUs an iteration is recorded once, as a CUDA graph, and played again: the same bits, fewer "
      "calls");
}

void add_optimizer_keys(std::vector<Key>& keys) {
  using Optimizer = Job::Optimizer;
  SectionKeys<Optimizer> optimizer(keys, "optimizer", [](Job& job) -> Optimizer& { return job.optimizer; });
  optimizer.word("type", &Optimizer::type, {"sgd"}, "rule of the update: stochastic gradient descent");
  optimizer.number("learning_rate", &Optimizer::learning_rate, {0, 1e6},
                   "base rate, which the schedule scales");
  optimizer.number("momentum", &Optimizer::momentum, {0, 1, false, true},
                   "share of the last update kept; 0: none");
  optimizer.boolean("nesterov", &Optimizer::nesterov, "Nesterov's momentum");
  optimizer.number("weight_decay", &Optimizer::weight_decay, {0, 1e6}, "L2 decay of weights");
  optimizer.number("bias_decay", &Optimizer::bias_decay, {0, 1e6}, "L2 decay of biases");
  optimizer.number("norm_decay", &Optimizer::norm_decay, {0, 1e6},
                   "L2 decay of batch norm's scale and shift");
  optimizer.number("bias_rate", &Optimizer::bias_rate, {0, 1e6}, "learning rate of biases / that of weights");
}

void add_schedule_keys(std::vector<Key>& keys) {
  using Schedule = Job::Schedule;
  SectionKeys<Schedule> schedule(keys, "schedule", [](Job& job) -> Schedule& { return job.schedule; });
  schedule.word("type", &Schedule::type, {"constant", "step", "multi_step", "polynomial", "cosine"},
                "course of the learning rate over the training");
  schedule.number("warmup_epochs", &Schedule::warmup_epochs, {0, 1e6},
                  "epochs at the start with a lower rate; 0: none");
  schedule.number("warmup_start", &Schedule::warmup_start, {0, 1},
                  "fraction of the rate that the warm-up starts at");
  schedule.word("warmup_type", &Schedule::warmup_type, {"linear", "constant"},
                "linear: the rate rises in a line during the warm-up; constant: it stays at warmup_start");
  schedule.number("step_epochs", &Schedule::step_epochs, {0, 1e6, true}, "step: epochs between drops");
  schedule.number("gamma", &Schedule::gamma, {0, 1, true}, "step, multi_step: factor of each drop");
  schedule.numbers("milestones", &Schedule::milestones, {0, 1e6, true},
                   "multi_step: epochs after which the rate drops, ascending");
  schedule.number("power", &Schedule::power, {0, 100, true},
                  "polynomial: rate falls as (1 - progress)^power");
  schedule.number("final", &Schedule::final, {0, 1}, "polynomial, cosine: fraction of the rate at the end");
}

void add_system_keys(std::vector<Key>& keys) {
  SectionKeys<Job::Memory> memory(keys, "memory", [](Job& job) -> Job::Memory& { return job.memory; });
  memory.size("limit", &Job::Memory::limit, 1, "device memory that a rank may use; auto: what is free")
      .words = {"auto"};
  memory.size("reserve", &Job::Memory::reserve, 0, "device memory left free below the limit");
  memory.words(
      "allow", &Job::Memory::allow,
      {"shard_optimizer", "workspace", "recompute", "micro_batch", "half_precision", "global_batch"},
      "what the planner may do when the job does not fit; of ways that take about as long, what "
      "stands first; half_precision rounds more than fp32; global_batch, always the last resort, also "
      "changes the learning rate; []: nothing");
  memory
      .size("workspace", &Job::Memory::workspace, 0,
            "scratch that a convolution may have; 0: as little as can be, which is slower; auto: 64 MiB on "
            "GPUs, on the processor what is the fastest, but little where it would make the peak")
      .words = {"auto"};
  memory.integer("statistics_batch", &Job::Memory::statistics_batch, {1, kMostCount},
                 "with batch norm, samples below which the planner does not shrink the micro-batch");

  SectionKeys<Job::Comm> comm(keys, "comm", [](Job& job) -> Job::Comm& { return job.comm; });
  comm.number("timeout_seconds", &Job::Comm::timeout_seconds, {0, 1e6, true},
              "seconds that ranks wait for each other in one operation before the job ends");
  comm.size("bucket", &Job::Comm::bucket, 4, "gradients reduced in one operation, while backward goes on");
  comm.word("gradients", &Job::Comm::gradients, {"auto", "nccl", "host"},
            "how they go from GPU to GPU; host: through its memory, by MPI; auto: nccl where each rank has a "
            "GPU of "
            "its own, else host");

  using Checkpoint = Job::Checkpoint;
  SectionKeys<Checkpoint> checkpoint(keys, "checkpoint",
                                     [](Job& job) -> Checkpoint& { return job.checkpoint; });
  checkpoint.integer("every_epochs", &Checkpoint::every_epochs, {0, kMostCount},
                     "epochs between checkpoints; 0: not by epochs");
  checkpoint.integer("every_iterations", &Checkpoint::every_iterations, {0, kMostCount},
                     "updates between checkpoints; 0: not by updates");
  checkpoint.integer("keep", &Checkpoint::keep, {1, kMostCount}, "latest checkpoints kept");

  SectionKeys<Job::Log> log(keys, "log", [](Job& job) -> Job::Log& { return job.log; });
  log.integer("every", &Job::Log::every, {1, kMostCount}, "updates per line of metrics.jsonl");
}

}  // namespace

std::vector<Key> make_job_keys() {
  std::vector<Key> keys;
  add_top_keys(keys);
  add_data_keys(keys);
  add_train_keys(keys);
  add_optimizer_keys(keys);
  add_schedule_keys(keys);
  add_system_keys(keys);
  const Job defaults;
  for (Key& key : keys) {
    if (!key.required()) key.default_text = value_text(key, defaults);
  }
  return keys;
}

}  // namespace convoy
