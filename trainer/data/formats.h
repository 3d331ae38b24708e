#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "trainer/data/dataset.h"

namespace convoy {

/// Reads a pair of IDX files (LeCun's format for MNIST, http://yann.lecun.com/exdb/mnist): unsigned bytes,
/// images of three dimensions (samples, rows, columns), labels of one. Packed with gzip or not.
std::shared_ptr<const Dataset> read_idx(const std::filesystem::path& images,
                                        const std::filesystem::path& labels,
                                        std::vector<std::string> class_names);

/// The same under MNIST's file names in `root`. `hint` ends the message when a file is missing: what to do.
std::shared_ptr<const Dataset> read_mnist(const std::filesystem::path& root, Split split,
                                          std::vector<std::string> class_names, const std::string& hint);

/// Reads CIFAR's binary version (https://www.cs.toronto.edu/~kriz/cifar.html), of 10 or 100 classes, in
/// `root` or in the folder in it that the archive unpacks to. Any whole number of records a file, up to the
/// original's.
std::shared_ptr<const Dataset> read_cifar(const std::filesystem::path& root, Split split, int classes);

/// Opens a folder of folders, one for each class, of JPEG and PNG files (ImageNet's layout), which are
/// decoded when they are read. Classes are those of the training folder, in sorted order of their names, for
/// both splits. Reads the index beside the folder where there is one that is not older than the folder, else
/// scans.
std::shared_ptr<const Dataset> open_image_folder(const DataSource& source, Split split);

/// Opens a list file: a line "path label" for each image, the path relative to the data set's root, the label
/// a number from 0. The path may have spaces. Classes are named by a file classes.txt in the root, where
/// there is one, else by their numbers.
std::shared_ptr<const Dataset> open_image_list(const DataSource& source, Split split);

/// Opens tar shards (find_shards, scan_shards). Reads the index beside them where there is one of the same
/// shards, else their headers.
std::shared_ptr<const Dataset> open_image_shards(const DataSource& source, Split split);

/// Images that cost nothing to get, that a network can learn, and that are pure functions of (seed, split,
/// index): the fixed smooth pattern of the class, product of a wave over rows and a wave over columns for
/// each channel, under as much uniform noise.
std::shared_ptr<const Dataset> make_synthetic(const DataSource& source, Split split);

}  // namespace convoy
