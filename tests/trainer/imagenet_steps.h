#pragma once

#include <ostream>
#include <string>

namespace convoy::test {

/// A network of configs/nets, at its full size of image, and a learning rate that lowers its loss.
struct ImagenetNetwork {
  std::string name;
  double rate = 1e-3;
  friend void PrintTo(const ImagenetNetwork& one, std::ostream* out) { *out << one.name; }
};

/// Trains the network for three steps on one batch of synthetic images, with one dropout mask, and expects
/// that each lowers the loss, that the arena is what was planned, and that nothing is allocated after the
/// first: not on the device, and nothing large behind its back.
void expect_three_good_steps(const ImagenetNetwork& network);

}  // namespace convoy::test
