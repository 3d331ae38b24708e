#pragma once

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

}  // namespace convoy
