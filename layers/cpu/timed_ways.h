#pragma once

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "layers/cpu/convolution_variant.h"
#include "layers/graph/backend.h"

namespace convoy::cpu {

/// A pass of a variant, or a change of layout, and the times that it took.
struct Timed {
  std::string what;
  std::string identity;  ///< implementation and layouts
  std::unique_ptr<Kernel> kernel;
  double weight = 1;                                         ///< share that counts
  double seconds = std::numeric_limits<double>::infinity();  ///< the least
  double second = std::numeric_limits<double>::infinity();   ///< the second least
  bool hopeless = false;                                     ///< need not be timed again

  double cost() const { return weight * seconds; }
  void add(double time);
};

/// Ways share the parts in which they are the same.
using Part = std::shared_ptr<Timed>;

/// A variant with one algorithm for all passes, in a trial.
struct Way {
  ConvolutionVariant variant;
  std::shared_ptr<const LoweredLayer> layer;
  std::vector<Part> passes;          ///< of the layer's spec
  std::vector<std::string> layouts;  ///< of the operands, by pass
  std::vector<Part> changes;         ///< of layout, that it makes necessary

  /// Seconds of all changes, and of all.
  double changing() const;
  double total() const;
};

struct TimedVariant {
  ConvolutionVariant variant;
  double seconds = std::numeric_limits<double>::infinity();
};

// Of the ways of one problem, the usual one first.

/// Parts that may still be of the fastest, each once.
std::vector<Part> hopeful_parts(const std::vector<Way>& ways);

/// Marks the parts that are slower by `factor` than others which do the same.
void drop_hopeless(const std::vector<Way>& ways, double factor);

/// Whether the two least times of the hopeful parts agree: no other work on the machine disturbed them.
bool calm(const std::vector<Way>& ways);

/// The variant that is clearly faster than the usual one, or that. Passes of different algorithms go together
/// where their operands lie alike.
TimedVariant fastest(const std::vector<Way>& ways);

}  // namespace convoy::cpu
