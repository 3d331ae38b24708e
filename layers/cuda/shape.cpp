#include "layers/cuda/kernels/copies.h"
#include "layers/cuda/lower.h"

// Layers that only move values.
namespace CONVOY_CUDA_NAMESPACE {

Lowered lower(const Concat& op, const Site& site, Engine& engine) {
  const Queue queue = engine.queue;
  const std::int64_t rows = rows_of(site);
  const std::int64_t whole = site.output.channels;
  const std::int64_t bytes = size_of(site.type);
  return make_layer(op, site, engine, [=](const PassSpec& pass, Memory reads, Memory writes, void*) -> Run {
    struct Part {
      void* memory;  ///< null: nobody wants this gradient
      std::int64_t first, width;
    };
    const bool forward = pass.kind == PassKind::forward;
    std::vector<Part> parts;
    std::int64_t first = 0;
    std::size_t given = 0;
    for (std::size_t i = 0; i < site.inputs.size(); ++i) {
      const std::int64_t width = site.inputs[i].channels;
      if (forward) {
        parts.push_back({reads[i], first, width});
      } else if (site.input_gradient[i]) {
        parts.push_back({writes[given++], first, width});
      }
      first += width;
    }
    auto* memory = static_cast<std::byte*>(forward ? writes[0] : reads[0]);
    return [=](const StepContext&) {
      for (const Part& part : parts) {
        std::byte* there = memory + part.first * bytes;
        if (forward) {
          copy_columns(queue, bytes, rows, part.width, part.memory, part.width, there, whole);
        } else {
          copy_columns(queue, bytes, rows, part.width, there, whole, part.memory, part.width);
        }
      }
    };
  });
}

Lowered lower(const ChannelSlice& op, const Site& site, Engine& engine) {
  const Queue queue = engine.queue;
  const std::int64_t rows = rows_of(site);
  const std::int64_t whole = site.inputs[0].channels;
  const std::int64_t bytes = size_of(site.type);
  return make_layer(op, site, engine,
                    [=, first = op.first, count = op.count](const PassSpec& pass, Memory reads, Memory writes,
                                                            void*) -> Run {
                      const auto* from = static_cast<const std::byte*>(reads[0]);
                      void* to = writes[0];
                      if (pass.kind == PassKind::forward) {
                        return [=](const StepContext&) {
                          copy_columns(queue, bytes, rows, count, from + first * bytes, whole, to, count);
                        };
                      }
                      return [=](const StepContext&) {
                        spread_columns(queue, bytes, rows, count, from, to, whole, first);
                      };
                    });
}

Lowered lower(const PadChannels& op, const Site& site, Engine& engine) {
  const Queue queue = engine.queue;
  const std::int64_t rows = rows_of(site);
  const std::int64_t width = site.inputs[0].channels;
  const std::int64_t bytes = size_of(site.type);
  return make_layer(op, site, engine,
                    [=, whole = op.outputs, before = op.before](const PassSpec& pass, Memory reads,
                                                                Memory writes, void*) -> Run {
                      const auto* from = static_cast<const std::byte*>(reads[0]);
                      void* to = writes[0];
                      if (pass.kind == PassKind::forward) {
                        return [=](const StepContext&) {
                          spread_columns(queue, bytes, rows, width, from, to, whole, before);
                        };
                      }
                      return [=](const StepContext&) {
                        copy_columns(queue, bytes, rows, width, from + before * bytes, whole, to, width);
                      };
                    });
}

Lowered lower(const Crop& op, const Site& site, Engine& engine) {
  const Shape in = site.inputs[0];
  const auto [begin_y, begin_x] = op.begin(site.inputs);
  const CropGeometry g{site.batch,         in.channels,       in.height, in.width,
                       site.output.height, site.output.width, begin_y,   begin_x};
  const Queue queue = engine.queue;
  const std::int64_t bytes = size_of(site.type);
  return make_layer(op, site, engine, [=](const PassSpec& pass, Memory reads, Memory writes, void*) -> Run {
    const void* from = reads[0];
    if (pass.kind == PassKind::forward)
      return [=, to = writes[0]](const StepContext&) { crop(queue, bytes, g, from, to); };
    struct Target {
      void* memory;
      std::int64_t bytes;
      bool is_image;  ///< the other input's values do not count
    };
    std::vector<Target> targets;
    for (std::size_t i = 0; i < writes.size(); ++i)
      targets.push_back({writes[i], pass.writes[i].layout.bytes, pass.writes[i].index == 0});
    return [=](const StepContext&) {
      for (const Target& target : targets) {
        if (target.is_image) {
          uncrop(queue, bytes, g, from, target.memory);
        } else {
          clear_bytes(queue, target.bytes, target.memory);
        }
      }
    };
  });
}

Lowered lower(const Upsample& op, const Site& site, Engine& engine) {
  const Shape in = site.inputs[0];
  const CropGeometry g{site.batch,         in.channels,       in.height, in.width,
                       site.output.height, site.output.width, 0,         0};
  const Queue queue = engine.queue;
  return make_layer(op, site, engine,
                    [=, type = site.type](const PassSpec& pass, Memory reads, Memory writes, void*) -> Run {
                      const void* from = reads[0];
                      void* to = writes[0];
                      if (pass.kind == PassKind::forward)
                        return [=](const StepContext&) { upsample(queue, type, g, from, to); };
                      return [=](const StepContext&) { upsample_gradient(queue, type, g, from, to); };
                    });
}

/// A vector counts channel by channel, an image lies pixel by pixel.
Lowered lower(const Flatten& op, const Site& site, Engine& engine) {
  const Queue queue = engine.queue;
  const Shape in = site.inputs[0];
  const std::int64_t bytes = size_of(site.type);
  return make_layer(op, site, engine,
                    [=, batch = site.batch](const PassSpec& pass, Memory reads, Memory writes, void*) -> Run {
                      const void* from = reads[0];
                      void* to = writes[0];
                      if (from == to) return [](const StepContext&) {};
                      const bool forward = pass.kind == PassKind::forward;
                      return [=](const StepContext&) {
                        transpose(queue, bytes, batch, forward ? in.pixels() : in.channels,
                                  forward ? in.channels : in.pixels(), from, to);
                      };
                    });
}

}  // namespace CONVOY_CUDA_NAMESPACE
