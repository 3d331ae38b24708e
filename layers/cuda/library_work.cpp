#include "layers/cuda/library_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "layers/core/bytes.h"
#include "layers/core/error.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

constexpr const char* kBetween = " | ";
/// Of so few groups each may be a convolution of its own; for more, the starts of kernels would take longer.
constexpr std::int64_t kMostSplits = 4;
constexpr const char* kByGroup = " by group";
/// Kernels of a library that a trial takes, the first of its own order.
constexpr std::size_t kMostTried = 8;
/// Another kernel than the usual one must be faster by this factor: less is noise.
constexpr double kClearly = 0.97;
/// What is slower than the fastest by this factor is not run again.
constexpr double kHopeless = 1.25;
constexpr int kRounds = 3;

/// The groups of a convolution one after another, each by a kernel for images whose channels are a part of
/// those in memory.
class GroupByGroup : public LibraryKernel {
 public:
  /// Bytes from one group's first operand, second operand and result to the next group's.
  using Steps = std::array<std::int64_t, 3>;
  GroupByGroup(std::shared_ptr<const LibraryKernel> kernel, std::int64_t groups, Steps steps)
      : kernel_(std::move(kernel)), groups_(groups), steps_(steps) {}

  std::function<void()> bind(const void* first, const void* second, void* result,
                             void* scratch) const override {
    std::vector<std::function<void()>> runs;
    for (std::int64_t group = 0; group < groups_; ++group) {
      runs.push_back(kernel_->bind(static_cast<const std::byte*>(first) + group * steps_[0],
                                   static_cast<const std::byte*>(second) + group * steps_[1],
                                   static_cast<std::byte*>(result) + group * steps_[2], scratch));
    }
    return [runs = std::move(runs)] {
      for (const auto& run : runs) run();
    };
  }
  std::string name() const override { return kernel_->name() + kByGroup; }
  bool on_tensor_cores() const override { return kernel_->on_tensor_cores(); }

 private:
  std::shared_ptr<const LibraryKernel> kernel_;
  std::int64_t groups_;
  Steps steps_;
};

/// One group of a convolution, among the channels of all.
ConvolutionGeometry one_group(ConvolutionGeometry geometry) {
  geometry.in_pixel = geometry.in_channels;
  geometry.out_pixel = geometry.out_channels;
  geometry.in_channels /= geometry.groups;
  geometry.out_channels /= geometry.groups;
  geometry.groups = 1;
  return geometry;
}

GroupByGroup::Steps steps_of(ConvolutionPass pass, const ConvolutionGeometry& group, DType type) {
  const std::int64_t bytes = size_of(type);
  const std::int64_t input = group.in_channels * bytes;
  const std::int64_t output = group.out_channels * bytes;
  const std::int64_t weights =
      group.out_channels * group.kernel_y * group.kernel_x * group.in_channels * bytes;
  switch (pass) {
    case ConvolutionPass::forward:
      return {input, weights, output};
    case ConvolutionPass::data:
      return {output, weights, input};
    default:
      return {input, output, weights};
  }
}

bool begins_on_tensor_cores(const LibraryKernels& kernels) {
  return !kernels.empty() && kernels.front()->on_tensor_cores();
}

/// All groups at once, and where they are few, one after another. These come first where they alone have
/// tensor cores: cuDNN has but its plainest kernels for many convolutions in groups.
LibraryKernels convolution_kernels(Libraries& libraries, ConvolutionPass pass, DType type,
                                   const ConvolutionGeometry& geometry, const KernelQuery& query) {
  LibraryKernels found;
  const bool named_split = query.name.ends_with(kByGroup);
  if (!named_split) found = libraries.convolutions(pass, type, geometry, query);
  if (geometry.groups < 2 || geometry.groups > kMostSplits) return found;
  if (query.most == 1 && begins_on_tensor_cores(found)) return found;
  if (!query.name.empty() && !named_split) return found;
  KernelQuery split = query;
  if (named_split) split.name.resize(split.name.size() - std::string_view(kByGroup).size());
  const ConvolutionGeometry group = one_group(geometry);
  LibraryKernels apart;
  for (auto& kernel : libraries.convolutions(pass, type, group, split)) {
    apart.push_back(
        std::make_shared<GroupByGroup>(std::move(kernel), geometry.groups, steps_of(pass, group, type)));
  }
  const bool apart_first = !begins_on_tensor_cores(found) && begins_on_tensor_cores(apart);
  found.insert(apart_first ? found.begin() : found.end(), apart.begin(), apart.end());
  if (query.most == 1 && found.size() > 1) found.resize(1);
  return found;
}

/// The place of a pass's kernel in a way.
std::size_t place_of(PassKind kind) {
  return kind == PassKind::forward ? 0 : kind == PassKind::backward_weights ? 1 : 2;
}

/// The kernel's name for a pass in a way; "" where it has none.
std::string name_in(const std::string& way, PassKind kind) {
  std::size_t begin = 0;
  for (std::size_t place = place_of(kind); place > 0; --place) {
    const std::size_t bar = way.find(kBetween, begin);
    if (bar == std::string::npos) return "";
    begin = bar + std::string_view(kBetween).size();
  }
  return way.substr(begin, way.find(kBetween, begin) - begin);
}

std::string way_of(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, kBetween));
}

/// The kernels of one pass in a trial, the usual one first, and their least times.
struct PassTrial {
  struct Timed {
    std::string name;
    std::unique_ptr<Kernel> kernel;
    double seconds = std::numeric_limits<double>::infinity();
    bool hopeless = false;
  };
  std::vector<Timed> kernels;
  std::size_t chosen = 0;

  double least() const {
    double least = std::numeric_limits<double>::infinity();
    for (const Timed& one : kernels) least = std::min(least, one.seconds);
    return least;
  }
  double usual_seconds() const { return kernels[0].seconds; }
  double chosen_seconds() const { return kernels[chosen].seconds; }
};

class Trial {
 public:
  Trial(const LibraryWork& work, const LayerSpec& spec, KernelTimer& timer)
      : work_(work), spec_(spec), timer_(timer) {}

  std::optional<KernelTrial> run() {
    bool choice = false;
    std::vector<LibraryKernels> found;
    for (const PassSpec& pass : spec_.passes) {
      found.push_back(work_.find(pass, {pass.scratch_bytes, kMostTried, ""}));
      choice = choice || found.back().size() > 1;
    }
    if (choice && !reserve()) return std::nullopt;
    for (std::size_t p = 0; p < found.size(); ++p) {
      PassTrial& trial = passes_.emplace_back();
      for (const auto& kernel : found[p]) add(*kernel, spec_.passes[p], choice, trial);
      if (trial.kernels.empty()) trial.kernels.push_back({"convoy", nullptr, 0, true});
      if (choice && !measure(trial)) return std::nullopt;
    }
    return result(choice);
  }

 private:
  static std::int64_t bytes_of(const Operand& operand) { return round_up(operand.layout.bytes, 256); }

  /// One memory for all passes: they need not find sense in it.
  bool reserve() {
    std::int64_t most = 0;
    for (const PassSpec& pass : spec_.passes) {
      most = std::max(most, bytes_of(pass.reads[0]) + bytes_of(pass.reads[1]) + bytes_of(pass.writes[0]) +
                                round_up(pass.scratch_bytes, 256));
    }
    memory_ = timer_.memory(most);
    return memory_ != nullptr;
  }

  void add(const LibraryKernel& kernel, const PassSpec& pass, bool bound, PassTrial& trial) const {
    std::unique_ptr<Kernel> run;
    if (bound) {
      const std::size_t first = first_operand(work_, pass.kind);
      std::byte* second = memory_ + bytes_of(pass.reads[first]);
      std::byte* result = second + bytes_of(pass.reads[1 - first]);
      run = make_kernel([put = kernel.bind(memory_, second, result, result + bytes_of(pass.writes[0]))](
                            const StepContext&) { put(); });
    }
    trial.kernels.push_back({kernel.name(), std::move(run)});
  }

  /// Rounds over all that may still win; false when time ran out. A kernel's first run loads its code and
  /// does not count.
  bool measure(PassTrial& trial) {
    for (int round = 0; round <= kRounds; ++round) {
      const double bound = kHopeless * trial.least();
      for (PassTrial::Timed& one : trial.kernels) {
        one.hopeless = one.hopeless || (round > 1 && &one != trial.kernels.data() && one.seconds > bound);
        if (one.hopeless) continue;
        if (timer_.over()) return false;
        const double seconds = timer_.seconds(one.name, *one.kernel);
        if (round > 0) one.seconds = std::min(one.seconds, seconds);
      }
      if (trial.kernels.size() == 1 && round == 1) break;
    }
    for (std::size_t k = 1; k < trial.kernels.size(); ++k) {
      const double seconds = trial.kernels[k].seconds;
      if (seconds < kClearly * trial.usual_seconds() && seconds < trial.chosen_seconds()) trial.chosen = k;
    }
    return true;
  }

  /// Ways other than the usual and the chosen one differ from that in one pass.
  KernelTrial result(bool timed) const {
    std::vector<std::string> usual;
    std::vector<std::string> chosen;
    double usual_seconds = 0;
    double chosen_seconds = 0;
    for (const PassTrial& pass : passes_) {
      usual.push_back(pass.kernels[0].name);
      chosen.push_back(pass.kernels[pass.chosen].name);
      usual_seconds += pass.usual_seconds();
      chosen_seconds += pass.chosen_seconds();
    }
    KernelTrial trial{way_of(usual), way_of(chosen), {}};
    if (!timed) return trial;
    trial.seconds[trial.usual] = usual_seconds;
    trial.seconds[trial.chosen] = chosen_seconds;
    for (std::size_t p = 0; p < passes_.size(); ++p) {
      for (const PassTrial::Timed& one : passes_[p].kernels) {
        std::vector<std::string> names = chosen;
        names[p] = one.name;
        trial.seconds.emplace(way_of(names), chosen_seconds - passes_[p].chosen_seconds() + one.seconds);
      }
    }
    return trial;
  }

  const LibraryWork& work_;
  const LayerSpec& spec_;
  KernelTimer& timer_;
  std::byte* memory_ = nullptr;
  std::vector<PassTrial> passes_;
};

}  // namespace

ConvolutionPass pass_of(PassKind kind, bool turned) {
  if (kind == PassKind::backward_weights) return ConvolutionPass::weights;
  return (kind == PassKind::forward) != turned ? ConvolutionPass::forward : ConvolutionPass::data;
}

Product product_of(PassKind kind, std::int64_t batch, std::int64_t inputs, std::int64_t outputs) {
  switch (kind) {
    case PassKind::backward_weights:  // gradientᵀ · input
      return {outputs, inputs, batch, true, false};
    case PassKind::backward_data:  // gradient · weights
      return {batch, inputs, outputs, false, false};
    default:  // input · weightsᵀ
      return {batch, outputs, inputs, false, true};
  }
}

LibraryWork convolution_work(const ConvolutionGeometry& g, bool turned, const Site& site, Engine& engine) {
  std::string problem =
      fmt::format("{} {} {}x{}x{} to {}x{}x{}, kernel {}x{}, stride {}x{}, padding {},{}", name_of(site.type),
                  turned ? "deconvolution" : "convolution", g.in_channels, g.in_y, g.in_x, g.out_channels,
                  g.out_y, g.out_x, g.kernel_y, g.kernel_x, g.stride_y, g.stride_x, g.padding_y, g.padding_x);
  if (g.dilation_y != 1 || g.dilation_x != 1)
    problem += fmt::format(", dilation {}x{}", g.dilation_y, g.dilation_x);
  if (g.groups != 1) problem += fmt::format(", groups {}", g.groups);
  problem += fmt::format(", batch {}, workspace {}", site.batch, format_bytes(site.workspace_bytes));
  return {std::move(problem), turned,
          [=, type = site.type, &engine](const PassSpec& pass, const KernelQuery& query) {
            if (engine.libraries == nullptr) return LibraryKernels{};
            return convolution_kernels(*engine.libraries, pass_of(pass.kind, turned), type, g, query);
          }};
}

LibraryWork product_work(const Site& site, std::int64_t outputs, Engine& engine) {
  const std::int64_t inputs = site.inputs[0].elements();
  return {fmt::format("{} product {} to {}, batch {}, workspace {}", name_of(site.type), inputs, outputs,
                      site.batch, format_bytes(site.workspace_bytes)),
          true,
          [=, type = site.type, batch = site.batch, &engine](const PassSpec& pass, const KernelQuery& query) {
            if (engine.libraries == nullptr) return LibraryKernels{};
            return engine.libraries->products(type, product_of(pass.kind, batch, inputs, outputs), query);
          }};
}

std::shared_ptr<const LibraryKernel> chosen_kernel(const LibraryWork& work, const PassSpec& pass,
                                                   Engine& engine) {
  const auto choice = engine.choices.find(work.problem);
  const std::string name = choice == engine.choices.end() ? "" : name_in(choice->second, pass.kind);
  const auto [place, fresh] = engine.kernels.try_emplace(
      fmt::format("{}, pass {}, {} B: {}", work.problem, place_of(pass.kind), pass.scratch_bytes, name));
  if (!fresh) return place->second;
  LibraryKernels found;
  if (!name.empty()) found = work.find(pass, {pass.scratch_bytes, 1, name});
  // Trials on another machine or of another version may name what is not here.
  if (found.empty()) found = work.find(pass, {pass.scratch_bytes, 1, ""});
  if (!found.empty()) place->second = found.front();
  return place->second;
}

std::optional<KernelTrial> try_library_kernels(const LibraryWork& work, const LayerSpec& spec,
                                               KernelTimer& timer) {
  return Trial(work, spec, timer).run();
}

}  // namespace CONVOY_CUDA_NAMESPACE
