#include "layers/cuda/kernels/pooling.h"

#include "layers/cuda/lower.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

PoolGeometry geometry_of(const Pooling& op, const Site& site) {
  const Shape in = site.inputs[0];
  const Shape out = site.output;
  const Shape window = op.window(in);
  PoolGeometry g{site.batch,   in.channels, in.height, in.width, out.height, out.width, window.height,
                 window.width, 1,           1,         0,        0,          false};
  if (op.global) return g;
  g.stride_y = op.stride_y;
  g.stride_x = op.stride_x;
  g.padding_y = op.padding_y;
  g.padding_x = op.padding_x;
  g.count_padding = op.count_padding && (op.padding_y > 0 || op.padding_x > 0);
  return g;
}

}  // namespace

Lowered lower(const Pooling& op, const Site& site, Engine& engine) {
  using Kind = Pooling::Kind;
  const PoolGeometry g = geometry_of(op, site);
  const Queue queue = engine.queue;
  const bool saves = sizes::spec_of(op, site, engine.layouts).saved_bytes > 0;
  return make_layer(
      op, site, engine,
      [=, type = site.type, kind = op.kind](const PassSpec& pass, Memory reads, Memory writes, void*) -> Run {
        const void* from = reads[0];
        void* to = writes[0];
        const bool forward = pass.kind == PassKind::forward;
        if (kind == Kind::average) {
          if (forward) return [=](const StepContext&) { average_pool(queue, type, g, from, to); };
          return [=](const StepContext&) { average_pool_gradient(queue, type, g, from, to); };
        }
        if (kind == Kind::l2) {
          if (forward) return [=](const StepContext&) { l2_pool(queue, type, g, from, to); };
          return [=, x = reads[1], y = reads[2]](const StepContext&) {
            l2_pool_gradient(queue, type, g, from, x, y, to);
          };
        }
        if (forward) {
          void* places = saves ? writes[1] : nullptr;
          return [=](const StepContext&) { max_pool(queue, type, g, from, to, places); };
        }
        return [=, places = reads[1]](const StepContext&) {
          max_pool_gradient(queue, type, g, from, places, to);
        };
      });
}

}  // namespace CONVOY_CUDA_NAMESPACE
