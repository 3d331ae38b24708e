#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace convoy {

/// "0", "1", ... for so many classes.
std::vector<std::string> numbered_names(int classes);

/// Of Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), in the order of its labels.
std::vector<std::string> fashion_mnist_names();

/// Of CIFAR-10 and (fine labels) CIFAR-100 (Krizhevsky 2009), in the order of their labels.
std::vector<std::string> cifar10_names();
std::vector<std::string> cifar100_names();

/// In the root of a data set whose labels are numbers, names its classes: one a line, the first is class 0.
inline constexpr const char* kClassesFile = "classes.txt";

/// Labels of lists and shards are below this.
inline constexpr std::int32_t kMostClasses = 1 << 20;

/// The names in such a file; none where there is no such file. Throws Error(data) with file and line for an
/// empty line, a name that comes twice, too many.
std::vector<std::string> listed_names(const std::filesystem::path& file);

/// Names for the labels 0 .. labels - 1 of the set `place`: those of `file` where there is one, else numbers;
/// at least `classes`. Throws Error(data) where the file has fewer.
std::vector<std::string> names_of_numbers(const std::filesystem::path& file, std::size_t labels, int classes,
                                          const std::string& place);

}  // namespace convoy
