#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/data/principal_colours.h"

namespace convoy {

/// What the user asked for: a job file, read. Plain values; the initialisers here are the defaults, and
/// launch/job/key_table.cpp gives every field its name in the file, its range and its help.
///
/// Words and sizes stay as they were written ("sgd", "4GiB"); `read_job` has checked them all, so that
/// `parse_bytes` and a look-up of a word cannot fail on a job that came from it.
struct Job {
  std::string network;               ///< path of the network file; absolute in a job that was read
  std::int64_t seed = 1;             ///< of every random number, >= 0
  std::string device = "auto";       ///< auto, cpu, cuda
  bool share_gpus = false;           ///< several ranks may take one GPU
  std::int64_t threads = 0;          ///< compute threads of a rank; 0: cores of the host / ranks of the host
  std::string kernels = "measured";  ///< measured, default

  struct Data {
    /// mnist, fashion-mnist, idx, cifar10, cifar100, synthetic, image-folder, image-list, image-shards
    std::string kind;
    std::string root;  ///< folder of the data set; "": working folder, or Debian's package for fashion-mnist
    std::string images;        ///< idx: file, absolute or below `root`; all four "": MNIST's names
    std::string labels;        ///< idx
    std::string test_images;   ///< idx
    std::string test_labels;   ///< idx
    std::int64_t classes = 0;  ///< 0: as the data set or the network says
    std::int64_t samples = 0;  ///< training samples; 0: 10000 synthetic ones, or all images of the folder
    std::int64_t test_samples = 0;  ///< test samples; 0: 1000 synthetic ones, or all images of the folder
    std::string train_folder = "train";         ///< image-folder: below root
    std::string test_folder = "val";            ///< image-folder: below root
    std::string train_list = "train.txt";       ///< image-list: below root
    std::string test_list = "val.txt";          ///< image-list: below root
    std::string train_shards = "train-*.tar";   ///< image-shards: below root
    std::string test_shards = "val-*.tar";      ///< image-shards: below root
    std::string order = "random";               ///< of training samples: random, window
    std::int64_t window = 4096;                 ///< order = "window": samples of a window
    bool orientation = false;                   ///< image files: turn images as their EXIF block says
    std::int64_t background = 255;              ///< image files: grey level behind transparent pixels
    std::string broken = "stop";                ///< image files: stop, skip
    std::int64_t broken_limit = 100;            ///< image files: broken files skipped, on each rank
    double broken_share = 0;                    ///< image files: the same as a share of the set
    std::string crop = "auto";                  ///< auto, window, random-resized, random, centre
    std::vector<double> area{0.08, 1};          ///< random-resized: share of the image, least and most
    std::vector<double> aspect{0.75, 4.0 / 3};  ///< random-resized: width / height, least and most
    std::string test_crop = "centre";           ///< of evaluation: centre, ten-crop
    std::int64_t shorter_side = 0;              ///< pixels after resizing; 0: the network's input / 0.875
    std::string filter = "bilinear";            ///< bilinear, area
    std::vector<double> mean;  ///< per channel, of pixels in 0 to 255; empty: measured on the training set
    std::vector<double> deviation;  ///< likewise
    std::int64_t crop_padding = 0;  ///< random crop after padding by so many pixels; 0: none
    bool flip = false;              ///< mirror half of the samples left to right
    double brightness = 0;          ///< factor between 1 - x and 1 + x; 0: left alone
    double contrast = 0;            ///< likewise
    double saturation = 0;          ///< likewise
    double hue = 0;                 ///< turned by up to so much of the circle either way
    double colour_shift = 0;        ///< deviation of the shift along principal components; 0: none
    /// Theirs, of pixels in 0 to 1; both empty: measured on the training set
    std::vector<double> colour_eigenvalues = value_list(kImageNetColours);
    std::vector<double> colour_eigenvectors = vector_list(kImageNetColours);  ///< rows are components
    double erase = 0;                                 ///< share of the samples that lose a rectangle
    std::vector<double> erase_area{0.02, 0.4};        ///< share of the image, least and most
    std::vector<double> erase_aspect{0.3, 10.0 / 3};  ///< width / height, least and most
    std::string erase_with = "random";                ///< random, mean, zero
    double mixup = 0;                                 ///< alpha of Beta(alpha, alpha); 0: none
    std::int64_t loader_threads = 1;                  ///< per rank
    std::int64_t ahead = 4;                           ///< batches prepared ahead of need
    friend bool operator==(const Data&, const Data&) = default;
  } data;

  struct Train {
    std::int64_t batch = 64;          ///< samples of one update, over all ranks
    std::int64_t epochs = 10;         ///< passes over the training set
    std::int64_t iterations = 0;      ///< stop after so many updates; 0: all epochs
    std::int64_t micro_batch = 0;     ///< samples at a time on one device; 0: all of the rank's share
    double clip_norm = 0;             ///< largest norm of the gradient; 0: not clipped
    std::int64_t evaluate_every = 1;  ///< epochs; 0: only at the end
    std::int64_t evaluate_batch = 0;  ///< samples at a time on one device; 0: as micro_batch
    std::string precision = "fp32";   ///< fp32, tf32, bf16, fp16
    bool shared_statistics = false;   ///< batch norm's over all ranks, not over each rank's samples
    bool cuda_graphs = true;          ///< on GPUs an iteration is recorded once and played again
    bool shard_optimizer = false;     ///< each rank keeps a part of momentum and master weights
    friend bool operator==(const Train&, const Train&) = default;
  } train;

  struct Optimizer {
    std::string type = "sgd";      ///< sgd
    double learning_rate = 0.01;   ///< base rate, that the schedule scales
    double momentum = 0.9;         ///< in [0, 1)
    bool nesterov = false;         ///< Nesterov's momentum
    double weight_decay = 0.0005;  ///< of weights
    double bias_decay = 0;         ///< weight decay of biases
    double norm_decay = 0;         ///< weight decay of batch norm's scale and shift
    double bias_rate = 1;          ///< learning rate of biases over that of weights
    friend bool operator==(const Optimizer&, const Optimizer&) = default;
  } optimizer;

  struct Schedule {
    std::string type = "constant";  ///< constant, step, multi_step, polynomial, cosine
    /// linear: a rise to the schedule's rate; constant: warmup_start all along
    std::string warmup_type = "linear";
    double warmup_epochs = 0;        ///< at the start, below the schedule's rate; 0: none
    double warmup_start = 0;         ///< fraction of the rate that the warm-up starts at
    double step_epochs = 30;         ///< step: epochs between drops
    double gamma = 0.1;              ///< step, multi_step: factor of a drop
    std::vector<double> milestones;  ///< multi_step: epochs of the drops, ascending
    double power = 1;                ///< polynomial: (1 - progress)^power
    double final = 0;                ///< polynomial, cosine: fraction of the base rate at the end
    friend bool operator==(const Schedule&, const Schedule&) = default;
  } schedule;

  struct Memory {
    std::string limit = "auto";  ///< bytes of the device that training may use, or auto: what is free
    std::string reserve = "0";   ///< bytes left free below that limit
    std::vector<std::string> allow{"shard_optimizer", "workspace", "recompute",
                                   "micro_batch"};  ///< what the planner may do, the preferred first
    std::string workspace = "auto";                 ///< bytes of scratch that a convolution may have, or auto
    std::int64_t statistics_batch = 16;  ///< least micro-batch that the planner takes with batch norm
    friend bool operator==(const Memory&, const Memory&) = default;
  } memory;

  struct Comm {
    double timeout_seconds = 300;    ///< of every operation between ranks
    std::string bucket = "4MiB";     ///< bytes of gradients reduced at a time
    std::string gradients = "auto";  ///< between GPUs: auto, nccl, host
    friend bool operator==(const Comm&, const Comm&) = default;
  } comm;

  struct Checkpoint {
    std::int64_t every_epochs = 1;      ///< 0: not by epochs
    std::int64_t every_iterations = 0;  ///< 0: not by iterations
    std::int64_t keep = 2;              ///< latest checkpoints kept
    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
  } checkpoint;

  struct Log {
    std::int64_t every = 20;  ///< iterations per line of metrics
    friend bool operator==(const Log&, const Log&) = default;
  } log;

  friend bool operator==(const Job&, const Job&) = default;
};

}  // namespace convoy
