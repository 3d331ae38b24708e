#pragma once

#include <vector>

#include "layers/graph/graph.h"
#include "trainer/planner/device_speed.h"

namespace convoy {

/// What a pass of a layer asks of any device.
struct PassWork {
  double flops = 0;       ///< for each sample
  double values = 0;      ///< of activations and their gradients that are read or written, for each sample
  double parameters = 0;  ///< values of parameters or their gradients, once a pass
  int kernels = 0;        ///< that are started; 0: there is no such pass
  bool window = false;    ///< DeviceSpeed::window_flops

  /// Roofline (Williams, Waterman, Patterson 2009): arithmetic or memory, whichever takes longer, and the
  /// start of the kernels.
  double seconds(double samples, DType type, const DeviceSpeed& speed) const;
};

/// The work of a layer in training, with what backends have in common: convolutions and fully connected
/// layers do the forward pass of a ReLU that alone follows them, batch norm both its passes; the gradient of
/// a sum is that of its summands; where several layers take an activation their gradients are added up.
struct LayerWork {
  PassWork forward;
  PassWork backward_weights;
  PassWork backward_data;  ///< for layers without weights all of backward
};
std::vector<LayerWork> layer_works(const Graph& graph);

}  // namespace convoy
