#include "trainer/kernels/cpu_speed.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/core/clock.h"
#include "layers/core/error.h"
#include "layers/cpu/cpu_backend.h"
#include "trainer/planner/plan.h"

namespace convoy {
namespace {

constexpr int kRounds = 3;                  // of a convolution's pass; the least time counts
constexpr std::int64_t kBatch = 16;         // Winograd's kernels ask for more than 8
constexpr int kQuickRuns = 50;              // of a kernel that takes microseconds
constexpr int kAllReduces = 9;              // the least time counts
constexpr std::int64_t kUpdated = 4 << 20;  // parameters
constexpr std::int64_t kSmall = 4096;       // fp32 values: two phases of the exchange, little data
constexpr std::int64_t kLarge = 1 << 20;    // a bucket as large as usual

struct Problem {
  std::int64_t channels, side, outputs, kernel;
};
// Of ResNet-50's middle and AlexNet's second layer; 3×3 windows as in VGG's and ResNet's middle.
constexpr Problem kDirect[] = {{256, 14, 1024, 1}, {64, 28, 96, 5}};
constexpr Problem kWindows[] = {{128, 28, 128, 3}, {256, 14, 256, 3}};

Graph network(const Problem& p, const std::string& layer) {
  return parse_network(fmt::format("name = \"speed\"\ninput = {{ channels = {}, height = {}, width = {} }}\n"
                                   "layers = [ {{ name = \"one\", {} }} ]\n",
                                   p.channels, p.side, p.side, layer),
                       "speed");
}

/// A layer as the backend runs it in training, bound to a timer's memory.
class Bound {
 public:
  Bound(const Graph& graph, std::int64_t batch, DType type, Backend& backend, KernelTimer& timer) {
    const Layer& layer = graph.layers()[0];
    Site site{&layer, 0,   graph.input_shapes(layer), graph.output_shape(layer), batch, true, {true},
              false,  type};
    const std::vector<Layout> inputs{backend.input_layout(graph.input(), batch, type)};
    layer_ = backend.lower(site, inputs);
    std::int64_t most = 0;
    for (const PassSpec& pass : layer_->spec().passes) {
      std::int64_t bytes = round_up(pass.scratch_bytes, 64);
      for (const auto* operands : {&pass.reads, &pass.writes}) {
        for (const Operand& operand : *operands) bytes += round_up(operand.layout.bytes, 64);
      }
      most = std::max(most, bytes);
    }
    std::byte* const memory = timer.memory(most);
    for (std::size_t p = 0; memory != nullptr && p < layer_->spec().passes.size(); ++p) bind(p, memory);
  }

  std::vector<std::unique_ptr<Kernel>> kernels;  ///< by pass; none without memory

 private:
  void bind(std::size_t index, std::byte* memory) {
    const PassSpec& pass = layer_->spec().passes[index];
    std::vector<void*> places[2];
    std::byte* at = memory + round_up(pass.scratch_bytes, 64);
    for (const int writes : {0, 1}) {
      for (const Operand& operand : writes == 0 ? pass.reads : pass.writes) {
        places[writes].push_back(at);
        at += round_up(operand.layout.bytes, 64);
      }
    }
    kernels.push_back(layer_->bind(index, places[0], places[1], memory));
  }

  std::shared_ptr<const LoweredLayer> layer_;
};

/// FLOP/s over all passes of the convolutions; 0 without memory.
double convolution_rate(std::span<const Problem> problems, DType type, Backend& backend, KernelTimer& timer) {
  double flops = 0;
  double seconds = 0;
  for (const Problem& p : problems) {
    const Graph graph =
        network(p, fmt::format("type = \"convolution\", outputs = {}, kernel = {}, padding = {}", p.outputs,
                               p.kernel, p.kernel / 2));
    Bound bound(graph, kBatch, type, backend, timer);
    if (bound.kernels.empty()) return 0;
    std::vector<double> least(bound.kernels.size(), 1e30);
    for (int round = 0; round < kRounds && (round == 0 || !timer.late()); ++round) {
      for (std::size_t k = 0; k < least.size(); ++k)
        least[k] = std::min(least[k], timer.seconds("convolution", *bound.kernels[k]));
    }
    for (const double one : least) seconds += one;
    flops += 2 * static_cast<double>(graph.macs() * kBatch * std::ssize(least));
  }
  return flops / std::max(seconds, 1e-9);
}

/// Seconds of the forward pass of a function of single values, cold or with everything in the caches.
double copy_seconds(const Problem& p, std::int64_t batch, bool cold, Backend& backend, KernelTimer& timer) {
  const Graph graph = network(p, "type = \"relu\"");
  Bound bound(graph, batch, DType::f32, backend, timer);
  if (bound.kernels.empty()) return 0;
  Kernel& kernel = *bound.kernels[0];
  double least = 1e30;
  if (cold) {
    for (int i = 0; i < kRounds; ++i) least = std::min(least, timer.seconds("copy", kernel));
    return least;
  }
  for (int i = 0; i < kRounds; ++i) {
    const auto start = Clock::now();
    for (int run = 0; run < kQuickRuns; ++run) kernel.run({});
    least = std::min(least, seconds_since(start) / kQuickRuns);
  }
  return least;
}

/// Seconds of an optimizer step over kUpdated parameters: memory that is read and written in place.
double update_seconds(Backend& backend, KernelTimer& timer) {
  auto* weights = reinterpret_cast<float*>(timer.memory(3 * 4 * kUpdated));
  if (weights == nullptr) return 0;
  const std::unique_ptr<Kernel> kernel =
      backend.sgd({}, {{0, kUpdated}}, weights, weights + kUpdated, weights + 2 * kUpdated, nullptr, nullptr);
  double least = 1e30;
  for (int i = 0; i < kRounds; ++i) least = std::min(least, timer.seconds("update", *kernel));
  return least;
}

}  // namespace

std::optional<DeviceSpeed> measure_speed(Backend& backend, KernelTimer& timer) {
  DeviceSpeed speed;
  const Problem large{64, 128, 0, 0};
  const Problem quick{16, 32, 0, 0};
  const double cold = copy_seconds(large, 8, true, backend, timer);
  const double warm = copy_seconds(quick, 16, false, backend, timer);
  speed.launch_seconds = copy_seconds({1, 1, 0, 0}, 1, false, backend, timer);
  const auto bytes = [](const Problem& p, std::int64_t batch) {
    return static_cast<double>(8 * p.channels * p.side * p.side * batch);
  };
  const double update = update_seconds(backend, timer);
  if (cold <= 0 || warm <= 0 || update <= 0 || speed.launch_seconds <= 0) return std::nullopt;
  // A mean of copies, which make the memory read what they overwrite, and of updates in place.
  speed.bytes_per_second = (bytes(large, 8) + 20 * static_cast<double>(kUpdated)) / (cold + update);
  speed.cache_bytes_per_second = std::max(bytes(quick, 16) / warm, speed.bytes_per_second);
  speed.cache_bytes = 2 * bytes(quick, 16);
  speed.flops = convolution_rate(kDirect, DType::f32, backend, timer);
  speed.window_flops = convolution_rate(kWindows, DType::f32, backend, timer);
  const DType half = half_type_of(backend);
  speed.half_flops = half == DType::f32 ? speed.flops : convolution_rate(kDirect, half, backend, timer);
  speed.half_window_flops =
      half == DType::f32 ? speed.window_flops : convolution_rate(kWindows, half, backend, timer);
  const double least = std::min({speed.flops, speed.window_flops, speed.half_flops, speed.half_window_flops});
  return least > 0 ? std::optional(speed) : std::nullopt;
}

Link measure_link(Communicator& comm) {
  std::vector<float> data(static_cast<std::size_t>(kLarge), 1e-30F);
  const auto least = [&](std::int64_t count) {
    double seconds = 1e30;
    for (int i = 0; i < kAllReduces; ++i) {
      comm.barrier("measuring the all-reduce");
      const auto start = Clock::now();
      comm.all_reduce(std::span(data).first(static_cast<std::size_t>(count)), Reduction::sum, "measuring");
      seconds = std::min(seconds, seconds_since(start));
    }
    return seconds;
  };
  const double small = least(kSmall);
  const double large = std::max(least(kLarge), small * 1.01);
  // Two phases, each a latency and a message of 1/n of the data to each other rank.
  const double n = comm.size();
  double link[2] = {small / 2, 2 * (n - 1) / n * 4 * static_cast<double>(kLarge - kSmall) / (large - small)};
  comm.broadcast(std::span<double>(link), 0, "speed of the all-reduce");
  return {link[0], link[1]};
}

std::vector<std::string> remember_link(Communicator& comm, const std::string& folder, int threads) {
  if (comm.size() == 1) return {};
  const int host = comm.local_size();
  const bool first = comm.rank() == 0;
  std::optional<SpeedCache> cache;
  if (first) cache.emplace(folder, cpu_kernel_conditions(threads * host));
  const bool unknown =
      first && !folder.empty() && host == comm.size() && !cache->known().links.contains(host);
  if (comm.all_reduce(static_cast<std::int64_t>(unknown), Reduction::max, "whether speeds are known") == 0)
    return {};
  const Link link = measure_link(comm);
  if (!first) return {};
  CpuSpeed known = cache->known();
  known.links[host] = link;
  cache->put(known);
  return cache->warnings();
}

}  // namespace convoy
