#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "layers/core/bytes.h"
#include "layers/cpu/convolution.h"
#include "layers/cpu/convolution_primitives.h"
#include "layers/cpu/layout_changes.h"
#include "layers/cpu/timed_ways.h"
#include "layers/cpu/trial_site.h"

namespace convoy::cpu {
namespace {

using Lie = ConvolutionVariant::Lie;
using Algorithm = ConvolutionVariant::Algorithm;

/// What is slower than the best by this factor is not run again: after one round, and after two. One time
/// alone may be due to other work on the machine.
constexpr double kHopeless[] = {2, 1.3};
/// Each pass is timed at least twice, and up to so often until its two best times agree.
constexpr int kMostRounds = 6;
/// While less than this was spent on a problem (seconds), there is a third round.
constexpr double kEnough = 0.05;

class Trial {
 public:
  Trial(const Convolution& op, const Site& site, const Layout& input, Backend& backend, Engine& engine,
        KernelTimer& timer)
      : op_(op),
        site_(trial_site(op, site)),
        input_(input_for_trial(site, site_, input, engine)),
        samples_share_(static_cast<double>(site_.batch) / static_cast<double>(site.batch)),
        backend_(backend),
        engine_(engine),
        timer_(timer) {}

  std::optional<KernelTrial> run() {
    if (!input_ || !site_.training) return std::nullopt;
    find_ways();
    if (ways_.size() > 1 && !(bind() && measure())) return std::nullopt;
    return result();
  }

 private:
  void find_ways() {
    const std::vector<Layout> inputs{*input_};
    add_way(usual_variant(op_, site_, inputs, engine_));
    for (const ConvolutionVariant& variant : uniform_variants()) {
      if (ways_.empty() || variant == ways_[0].variant || !worth_trying(variant)) continue;
      try {
        add_way(variant);
      } catch (const Error&) {  // oneDNN has no such kernel
      }
    }
  }

  /// Where blocks of 16 channels are well filled, unrolled windows and our own loops have never won, and cost
  /// the most time to try.
  bool worth_trying(const ConvolutionVariant& variant) const {
    const bool efficient =
        blocked_efficiency(site_.inputs[0].channels, op_.outputs, op_.groups) >= kLeastEfficiency;
    if (efficient && (variant.lie == Lie::narrow || variant.algorithms == all_passes(Algorithm::gemm)))
      return false;
    // For fp32 the second best are kernels for older processors, and products are no faster.
    return site_.type != DType::f32 ||
           (variant.lie != Lie::product && variant.algorithms != all_passes(Algorithm::second));
  }

  void add_way(const ConvolutionVariant& variant) {
    const std::vector<Layout> inputs{*input_};
    const std::optional<Lowered> layer = lower_as(variant, op_, site_, inputs, engine_);
    if (!layer) return;
    Way way{variant, *layer, {}, {}, {}};
    const LayerSpec& spec = (*layer)->spec();
    bool known = true;
    for (std::size_t p = 0; p < spec.passes.size(); ++p) {
      const std::string implementation = (*layer)->implementation(p);
      if (!ways_.empty() && implementation.find("ref") != std::string::npos) return;
      way.layouts.push_back(layouts_of(spec.passes[p]));
      const std::string identity = implementation + way.layouts.back();
      Part same;
      for (const Way& other : ways_) {
        if (other.passes[p]->identity == identity) same = other.passes[p];
      }
      known = known && same != nullptr;
      if (same == nullptr) {
        same = std::make_shared<Timed>();
        same->what = fmt::format("{} {}", name_of(variant), kPasses[p]);
        same->identity = identity;
      }
      way.passes.push_back(std::move(same));
    }
    if (!known || ways_.empty()) ways_.push_back(std::move(way));
  }

  static std::string layouts_of(const PassSpec& pass) {
    std::string text;
    for (const auto* operands : {&pass.reads, &pass.writes}) {
      for (const Operand& operand : *operands) text += fmt::format(" {}", operand.layout.id);
    }
    return text;
  }

  std::vector<LayoutChange> changes_of(const Way& way) const {
    return layout_changes(way.layer->spec(), *input_, ways_[0].layer->spec().passes[0].writes[0].layout,
                          backend_);
  }

  /// Gives all ways the same memory, operand by operand.
  bool bind() {
    std::map<std::pair<Role, int>, std::int64_t> bytes;
    std::int64_t scratch = 0;
    std::int64_t change = 0;
    for (Way& way : ways_) {
      for (const PassSpec& pass : way.layer->spec().passes) {
        scratch = std::max(scratch, pass.scratch_bytes);
        for (const auto* operands : {&pass.reads, &pass.writes}) {
          for (const Operand& operand : *operands) {
            std::int64_t& most = bytes[{operand.role, operand.index}];
            most = std::max(most, round_up(operand.layout.bytes, 64));
          }
        }
      }
      for (const auto& [from, to, of_weights] : changes_of(way)) {
        scratch = std::max(scratch, backend_.reorder_scratch(from, to, false));
        change = std::max({change, round_up(from.bytes, 64), round_up(to.bytes, 64)});
      }
    }
    std::int64_t total = round_up(scratch, 64) + 2 * change;
    for (const auto& [operand, most] : bytes) total += most;
    std::byte* memory = timer_.memory(total);
    if (memory == nullptr) return false;
    void* const scratch_at = memory;
    std::byte* const change_at = memory + round_up(scratch, 64);
    memory = change_at + 2 * change;
    std::map<std::pair<Role, int>, void*> places;
    for (const auto& [operand, most] : bytes) {
      places[operand] = memory;
      memory += most;
    }
    for (Way& way : ways_) {
      bind_passes(way, places, scratch_at);
      for (const LayoutChange& one : changes_of(way))
        way.changes.push_back(change_part(one, change_at, change_at + change, scratch_at));
    }
    return true;
  }

  static void bind_passes(Way& way, const std::map<std::pair<Role, int>, void*>& places, void* scratch) {
    const std::vector<PassSpec>& passes = way.layer->spec().passes;
    for (std::size_t p = 0; p < passes.size(); ++p) {
      if (way.passes[p]->kernel != nullptr) continue;
      std::vector<void*> reads;
      std::vector<void*> writes;
      for (const Operand& o : passes[p].reads) reads.push_back(places.at({o.role, o.index}));
      for (const Operand& o : passes[p].writes) writes.push_back(places.at({o.role, o.index}));
      way.passes[p]->kernel = way.layer->bind(p, reads, writes, scratch);
    }
  }

  Part change_part(const LayoutChange& change, void* source, void* target, void* scratch) {
    const auto& [from, to, of_weights] = change;
    Part& part = changes_[{from.id, to.id}];
    if (part == nullptr) {
      part = std::make_shared<Timed>();
      part->what = fmt::format("{} to {}", backend_.describe(from), backend_.describe(to));
      part->kernel = backend_.reorder(from, to, false, false, source, target, scratch);
      if (of_weights) part->weight = samples_share_;
    }
    return part;
  }

  /// Rounds over all that may still win; false when time ran out, or other work on the machine makes the
  /// times differ from one round to the next.
  bool measure() {
    double spent = 0;
    for (int round = 0; round < kMostRounds; ++round) {
      for (const Part& part : hopeful_parts(ways_)) {
        if (timer_.over()) return false;
        const double seconds = timer_.seconds(part->what, *part->kernel);
        part->add(seconds);
        spent += seconds;
      }
      if (round < 2) drop_hopeless(ways_, kHopeless[round]);
      const bool enough = round > 1 || (round == 1 && (spent >= kEnough || timer_.late()));
      if (enough && calm(ways_)) return true;
    }
    return false;
  }

  KernelTrial result() const {
    const std::string usual = name_of(ways_[0].variant);
    if (ways_.size() == 1) return {usual, usual, {}};
    const TimedVariant best = fastest(ways_);
    KernelTrial trial{usual, name_of(best.variant), {}};
    for (const Way& way : ways_) trial.seconds[name_of(way.variant)] = way.total();
    trial.seconds[trial.chosen] = best.seconds;
    return trial;
  }

  static constexpr std::array<const char*, 3> kPasses{"forward", "backward_weights", "backward_data"};

  const Convolution& op_;
  Site site_;
  std::optional<Layout> input_;
  double samples_share_;  ///< of a micro-batch that the trial takes
  Backend& backend_;
  Engine& engine_;
  KernelTimer& timer_;
  std::vector<Way> ways_;  ///< the usual one first
  std::map<std::pair<int, int>, Part> changes_;
};

}  // namespace

std::optional<KernelTrial> try_convolution(const Convolution& op, const Site& site, const Layout& input,
                                           Backend& backend, Engine& engine, KernelTimer& timer) {
  return checked("a trial of kernels", [&] { return Trial(op, site, input, backend, engine, timer).run(); });
}

}  // namespace convoy::cpu
