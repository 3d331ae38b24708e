#pragma once

namespace convoy::networks {

/// Caffe's LeNet.
inline constexpr const char* kLeNet = R"(
name = "lenet"
input = { channels = 1, height = 28, width = 28 }
layers = [
  { name = "conv1", type = "convolution", outputs = 20, kernel = 5 },
  { type = "max_pool", kernel = 2, stride = 2, rounding = "up" },
  { name = "conv2", type = "convolution", outputs = 50, kernel = 5 },
  { type = "max_pool", kernel = 2, stride = 2, rounding = "up" },
  { name = "ip1", type = "fully_connected", outputs = 500 },
  { type = "relu" },
  { name = "ip2", type = "fully_connected", outputs = 10 },
  { type = "softmax_loss" },
])";

/// Krizhevsky, Sutskever, Hinton 2012, in the two groups of its two GPUs.
inline constexpr const char* kAlexNet = R"(
name = "alexnet"
input = { channels = 3, height = 227, width = 227 }
layers = [
  { name = "conv1", type = "convolution", outputs = 96, kernel = 11, stride = 4 },
  { type = "relu" },
  { type = "lrn", size = 5, alpha = 1e-4, beta = 0.75, k = 2 },
  { type = "max_pool", kernel = 3, stride = 2 },
  { name = "conv2", type = "convolution", outputs = 256, kernel = 5, padding = 2, groups = 2 },
  { type = "relu" },
  { type = "lrn", size = 5, alpha = 1e-4, beta = 0.75, k = 2 },
  { type = "max_pool", kernel = 3, stride = 2 },
  { name = "conv3", type = "convolution", outputs = 384, kernel = 3, padding = 1 },
  { type = "relu" },
  { name = "conv4", type = "convolution", outputs = 384, kernel = 3, padding = 1, groups = 2 },
  { type = "relu" },
  { name = "conv5", type = "convolution", outputs = 256, kernel = 3, padding = 1, groups = 2 },
  { type = "relu" },
  { type = "max_pool", kernel = 3, stride = 2 },
  { name = "fc6", type = "fully_connected", outputs = 4096 },
  { type = "relu" },
  { type = "dropout" },
  { name = "fc7", type = "fully_connected", outputs = 4096 },
  { type = "relu" },
  { type = "dropout" },
  { name = "fc8", type = "fully_connected", outputs = 1000 },
  { type = "softmax_loss" },
])";

/// Krizhevsky 2014, "One weird trick", as torchvision has it.
inline constexpr const char* kAlexNetOwt = R"(
name = "alexnet-owt"
input = { channels = 3, height = 224, width = 224 }
layers = [
  { type = "convolution", outputs = 64, kernel = 11, stride = 4, padding = 2 },
  { type = "relu" },
  { type = "max_pool", kernel = 3, stride = 2 },
  { type = "convolution", outputs = 192, kernel = 5, padding = 2 },
  { type = "relu" },
  { type = "max_pool", kernel = 3, stride = 2 },
  { type = "convolution", outputs = 384, kernel = 3, padding = 1 },
  { type = "relu" },
  { type = "convolution", outputs = 256, kernel = 3, padding = 1 },
  { type = "relu" },
  { type = "convolution", outputs = 256, kernel = 3, padding = 1 },
  { type = "relu" },
  { type = "max_pool", kernel = 3, stride = 2 },
  { type = "dropout" },
  { type = "fully_connected", outputs = 4096 },
  { type = "relu" },
  { type = "dropout" },
  { type = "fully_connected", outputs = 4096 },
  { type = "relu" },
  { type = "fully_connected", outputs = 1000 },
  { type = "softmax_loss" },
])";

/// Simonyan and Zisserman 2015, configuration D.
inline constexpr const char* kVgg16 = R"(
name = "vgg16"
input = { channels = 3, height = 224, width = 224 }
layers = [
  { type = "convolution", outputs = 64, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "convolution", outputs = 64, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "max_pool", kernel = 2, stride = 2 },
  { type = "convolution", outputs = 128, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "convolution", outputs = 128, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "max_pool", kernel = 2, stride = 2 },
  { type = "convolution", outputs = 256, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "convolution", outputs = 256, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "convolution", outputs = 256, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "max_pool", kernel = 2, stride = 2 },
  { type = "convolution", outputs = 512, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "convolution", outputs = 512, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "convolution", outputs = 512, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "max_pool", kernel = 2, stride = 2 },
  { type = "convolution", outputs = 512, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "convolution", outputs = 512, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "convolution", outputs = 512, kernel = 3, padding = 1 }, { type = "relu" },
  { type = "max_pool", kernel = 2, stride = 2 },
  { type = "fully_connected", outputs = 4096 }, { type = "relu" }, { type = "dropout" },
  { type = "fully_connected", outputs = 4096 }, { type = "relu" }, { type = "dropout" },
  { type = "fully_connected", outputs = 1000 },
  { type = "softmax_loss" },
])";

/// Batch norm, residual sums (one with its input twice, one of three), fan-out, dropout, LRN and every kind
/// of pool.
inline constexpr const char* kTangle = R"(
name = "tangle"
input = { channels = 3, height = 12, width = 12 }
layers = [
  { name = "stem", type = "convolution", outputs = 16, kernel = 3, padding = 1, bias = false },
  { name = "bn0", type = "batch_norm" },
  { name = "r0", type = "relu" },
  { name = "a1", type = "convolution", outputs = 16, kernel = 3, padding = 1, bias = false },
  { name = "bn1", type = "batch_norm" },
  { name = "r1", type = "relu" },
  { name = "a2", type = "convolution", outputs = 16, kernel = 3, padding = 1, bias = false },
  { name = "bn2", type = "batch_norm" },
  { name = "s1", type = "sum", from = ["bn2", "r0"] },
  { name = "r2", type = "relu" },
  { name = "n", type = "lrn", size = 3, alpha = 0.5 },
  { name = "b1", type = "convolution", outputs = 16, kernel = 1, from = "r2" },
  { name = "b2", type = "convolution", outputs = 16, kernel = 3, padding = 1, groups = 16, from = "n" },
  { name = "s2", type = "sum", from = ["b1", "b2", "r2"] },
  { name = "s3", type = "sum", from = ["s2", "s2"] },
  { name = "d1", type = "dropout", rate = 0.3 },
  { name = "p1", type = "average_pool", kernel = 3, stride = 2, rounding = "up" },
  { name = "p2", type = "max_pool", kernel = 3, stride = 2, rounding = "up", from = "d1" },
  { name = "s4", type = "sum", from = ["p1", "p2"] },
  { name = "c3", type = "convolution", outputs = 20, kernel = 3 },
  { name = "r3", type = "relu" },
  { name = "d2", type = "dropout", rate = 0.2 },
  { name = "g", type = "average_pool", global = true },
  { name = "f", type = "fully_connected", outputs = 10 },
  { name = "loss", type = "softmax_loss" },
])";

/// Blocks with parameters, in blocks, repeated, with layers left out.
inline constexpr const char* kBlocks = R"(
name = "blocks"
input = { channels = 3, height = 16, width = 16 }
layers = [
  { name = "stem", type = "convolution", outputs = 8, kernel = 3, padding = "same" },
  { name = "1", block = "stage", width = 8, units = 3 },
  { name = "2", block = "stage", width = 16, units = 2, stride = 2 },
  { name = "pool", type = "average_pool", global = true },
  { name = "classes", type = "fully_connected", outputs = 4 },
  { name = "loss", type = "softmax_loss" },
]

[blocks.stage]
parameters = ["width", "units", { stride = 1 }]
layers = [
  { name = "a", block = "unit", width = "$width", stride = "$stride", project = "$stride > 1" },
  { name = "b", block = "unit", width = "$width", repeat = "$units - 1" },
]

[blocks.unit]
parameters = ["width", { stride = 1, project = false }]
layers = [
  { name = "reduce", type = "convolution", outputs = "$width / 2", kernel = [1, 1] },
  { type = "relu" },
  { name = "expand", type = "convolution", outputs = "$width", kernel = [3, "$stride + 2"], stride = "$stride", padding = 1 },
  { name = "shortcut", type = "convolution", from = "input", outputs = "$width", kernel = 1, stride = "$stride", when = "$project" },
  { type = "sum", from = ["expand", "shortcut"] },
  { type = "relu" },
])";

/// Values that a layer could overwrite while another still reads them: each ReLU, batch norm and dropout
/// stands first among several that take from one layer.
inline constexpr const char* kFanOut = R"(
name = "fan-out"
input = { channels = 3, height = 8, width = 8 }
layers = [
  { name = "c", type = "convolution", outputs = 16, kernel = 3, padding = 1 },
  { name = "r1", type = "relu" },
  { name = "d", type = "convolution", outputs = 16, kernel = 3, padding = 1 },
  { name = "s1", type = "sum", from = ["d", "c"] },
  { name = "n", type = "batch_norm" },
  { name = "r2", type = "relu" },
  { name = "e", type = "convolution", outputs = 16, kernel = 3, padding = 1 },
  { name = "s2", type = "sum", from = ["e", "s1"] },
  { name = "o", type = "dropout" },
  { name = "p", type = "average_pool", kernel = 2, from = "s2" },
  { name = "q", type = "max_pool", kernel = 2, from = "o" },
  { name = "s3", type = "sum", from = ["p", "q"] },
  { name = "f", type = "fully_connected", outputs = 10 },
  { name = "loss", type = "softmax_loss" },
])";

/// A main loss amid the file and two auxiliary heads; concat, slice, flatten and softmax in training and
/// evaluation.
inline constexpr const char* kHeads = R"(
name = "heads"
input = { channels = 3, height = 12, width = 12 }
layers = [
  { name = "stem", type = "convolution", outputs = 16, kernel = 3, padding = 1 },
  { name = "r0", type = "relu" },
  { name = "h1", type = "average_pool", kernel = 3, stride = 3 },
  { name = "h2", type = "convolution", outputs = 8, kernel = 1, bias = false },
  { name = "h3", type = "batch_norm" },
  { name = "h4", type = "flatten" },
  { name = "h5", type = "dropout", rate = 0.3 },
  { name = "h6", type = "fully_connected", outputs = 10 },
  { name = "head", type = "softmax_loss", auxiliary = true, weight = 0.3, label_smoothing = 0.1 },
  { name = "b1", type = "convolution", outputs = 16, kernel = 1, from = "r0" },
  { name = "b2", type = "convolution", outputs = 8, kernel = 3, padding = 1, from = "r0" },
  { name = "s", type = "slice", first = 4, count = 8, from = "r0" },
  { name = "cat", type = "concat", from = ["b1", "b2", "s"] },
  { name = "pixel", type = "softmax" },
  { name = "p", type = "average_pool", global = true },
  { name = "f", type = "fully_connected", outputs = 10 },
  { name = "main", type = "softmax_loss", weight = 1.5 },
  { name = "g1", type = "average_pool", global = true, from = "r0" },
  { name = "g2", type = "fully_connected", outputs = 10 },
  { name = "other", type = "sigmoid_cross_entropy", auxiliary = true, weight = 0.2 },
])";

/// Down, up again by each way of going up, and joined with what was left above, as in a U-Net.
inline constexpr const char* kUpAndDown = R"(
name = "up-and-down"
input = { channels = 3, height = 9, width = 9 }
layers = [
  { name = "c", type = "convolution", outputs = 16, kernel = 3, padding = 1 },
  { name = "r", type = "relu" },
  { name = "l2", type = "l2_pool", kernel = 2, stride = 2 },
  { name = "max", type = "max_pool", kernel = 2, stride = 2, from = "r" },
  { name = "d", type = "deconvolution", outputs = 16, kernel = 2, stride = 2, from = "l2" },
  { name = "u", type = "upsample", factor = 2, from = "max" },
  { name = "part", type = "crop", from = ["r", "u"], centered = true },
  { name = "s", type = "sum", from = ["d", "u", "part"] },
  { name = "local", type = "locally_connected", outputs = 6, kernel = 3, stride = 2 },
  { name = "g", type = "l2_pool", global = true },
  { name = "f", type = "fully_connected", outputs = 10 },
  { name = "loss", type = "softmax_loss" },
])";

}  // namespace convoy::networks
