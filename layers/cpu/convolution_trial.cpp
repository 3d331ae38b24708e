#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "layers/core/bytes.h"
#include "layers/cpu/convolution.h"
#include "layers/cpu/convolution_primitives.h"
#include "layers/cpu/image_layout.h"
#include "layers/cpu/trial_site.h"

namespace convoy::cpu {
namespace {

using Lie = ConvolutionVariant::Lie;
using Algorithm = ConvolutionVariant::Algorithm;

/// A choice must be faster than what it replaces by this factor: less is noise, or not worth a change.
constexpr double kClearly = 0.95;
/// What is slower than the best by this factor is not run again: after one round, and after two. One time
/// alone may be due to other work on the machine.
constexpr double kHopeless[] = {2, 1.3};
/// Each pass is timed at least twice, and up to so often until its two best times agree.
constexpr int kMostRounds = 6;
/// The sum of second best times over that of the best where nothing else disturbed them.
constexpr double kCalm = 1.1;
/// While less than this was spent on a problem (seconds), there is a third round.
constexpr double kEnough = 0.05;

/// A pass of a variant, or a change of layout.
struct Timed {
  std::string what;
  std::string identity;  ///< implementation and layouts
  std::unique_ptr<Kernel> kernel;
  double weight = 1;                                         ///< share that counts
  double seconds = std::numeric_limits<double>::infinity();  ///< the least
  double second = std::numeric_limits<double>::infinity();   ///< the second least
  bool hopeless = false;

  double cost() const { return weight * seconds; }
  void add(double time) {
    second = std::clamp(time, seconds, second);
    seconds = std::min(seconds, time);
  }
};
using Part = std::shared_ptr<Timed>;

/// A variant with one algorithm for all passes.
struct Way {
  ConvolutionVariant variant;
  Lowered layer;
  std::vector<Part> passes;
  std::vector<Part> changes;

  double changing() const {
    double seconds = 0;
    for (const Part& change : changes) seconds += change->cost();
    return seconds;
  }
};

struct Candidate {
  ConvolutionVariant variant;
  double seconds = std::numeric_limits<double>::infinity();
};

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
    // For fp32 the second best are kernels for older processors.
    return site_.type != DType::f32 || variant.algorithms != all_passes(Algorithm::second);
  }

  void add_way(const ConvolutionVariant& variant) {
    const std::vector<Layout> inputs{*input_};
    const std::optional<Lowered> layer = lower_as(variant, op_, site_, inputs, engine_);
    if (!layer) return;
    Way way{variant, *layer, {}, {}};
    const LayerSpec& spec = (*layer)->spec();
    bool known = true;
    for (std::size_t p = 0; p < spec.passes.size(); ++p) {
      const std::string implementation = (*layer)->implementation(p);
      if (!ways_.empty() && implementation.find("ref") != std::string::npos) return;
      const std::string identity = implementation + layouts_of(spec.passes[p]);
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

  /// The changes of layout that a way makes necessary when the input comes as `input_` and is expected back
  /// so, and the layer after it goes on as it does after the usual way.
  std::vector<std::pair<Layout, Layout>> changes_of(const Way& way, bool of_weights) const {
    std::vector<std::pair<Layout, Layout>> changes;
    const auto add = [&](const Layout& from, const Layout& to) {
      const std::pair<Layout, Layout> change{from, to};
      if (from == to || std::find(changes.begin(), changes.end(), change) != changes.end()) return;
      changes.push_back(change);
    };
    const Layout after = ways_[0].layer->spec().passes[0].writes[0].layout;
    const std::vector<PassSpec>& passes = way.layer->spec().passes;
    const Layout weights = passes[0].reads[1].layout;
    for (const PassSpec& pass : passes) {
      const Layout first = pass.reads[0].layout;
      if (pass.kind == PassKind::forward && !of_weights) {
        add(*input_, first);
        add(pass.writes[0].layout, after);
      } else if (pass.kind == PassKind::backward_weights) {
        if (of_weights) {
          add(pass.writes[0].layout, backend_.master_layout(weights));
        } else {
          add(*input_, first);
          add(after, pass.reads[1].layout);
        }
      } else if (pass.kind == PassKind::backward_data) {
        if (of_weights) {
          add(weights, pass.reads[1].layout);
        } else {
          add(after, first);
          add(pass.writes[0].layout, *input_);
        }
      }
    }
    return changes;
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
      for (const bool of_weights : {false, true}) {
        for (const auto& [from, to] : changes_of(way, of_weights)) {
          scratch = std::max(scratch, backend_.reorder_scratch(from, to, false));
          change = std::max({change, round_up(from.bytes, 64), round_up(to.bytes, 64)});
        }
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
      for (const bool of_weights : {false, true}) {
        for (const auto& [from, to] : changes_of(way, of_weights)) {
          way.changes.push_back(change_part(from, to, of_weights, change_at, change_at + change, scratch_at));
        }
      }
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

  Part change_part(const Layout& from, const Layout& to, bool of_weights, void* source, void* target,
                   void* scratch) {
    Part& part = changes_[{from.id, to.id}];
    if (part == nullptr) {
      part = std::make_shared<Timed>();
      part->what = fmt::format("{} to {}", backend_.describe(from), backend_.describe(to));
      part->kernel = backend_.reorder(from, to, false, false, source, target, scratch);
      // Of a whole batch's passes a change of weights is one, whatever the batch.
      if (of_weights) part->weight = samples_share_;
    }
    return part;
  }

  /// Rounds over all that may still win; false when time ran out, or other work on the machine makes the
  /// times differ from one round to the next.
  bool measure() {
    double spent = 0;
    for (int round = 0; round < kMostRounds; ++round) {
      for (const Part& part : hopeful_parts()) {
        if (timer_.over()) return false;
        const double seconds = timer_.seconds(part->what, *part->kernel);
        part->add(seconds);
        spent += seconds;
      }
      if (round < 2) drop_hopeless(kHopeless[round]);
      const bool enough = round > 1 || (round == 1 && (spent >= kEnough || timer_.late()));
      if (enough && calm()) return true;
    }
    return false;
  }

  /// Each part once.
  std::vector<Part> hopeful_parts() const {
    std::vector<Part> parts;
    for (const Way& way : ways_) {
      for (const auto* of_way : {&way.passes, &way.changes}) {
        for (const Part& part : *of_way) {
          if (part->hopeless || std::find(parts.begin(), parts.end(), part) != parts.end()) continue;
          parts.push_back(part);
        }
      }
    }
    return parts;
  }

  bool calm() const {
    double best = 0;
    double second = 0;
    for (const Part& part : hopeful_parts()) {
      best += part->seconds;
      second += part->second;
    }
    return second <= kCalm * best;
  }

  void drop_hopeless(double factor) {
    const double best = fastest().seconds;
    std::vector<Part> hopeful;
    for (const Way& way : ways_) {
      if (way.variant.lie != ways_[0].variant.lie && composed(way.variant.lie).seconds > factor * best)
        continue;
      for (std::size_t p = 0; p < way.passes.size(); ++p) {
        double least = way.passes[p]->seconds;
        for (const Way& other : ways_) {
          if (other.variant.lie == way.variant.lie) least = std::min(least, other.passes[p]->seconds);
        }
        if (way.passes[p]->seconds <= factor * least) hopeful.push_back(way.passes[p]);
      }
      hopeful.insert(hopeful.end(), way.changes.begin(), way.changes.end());
    }
    // The usual way is what the others are measured against.
    hopeful.insert(hopeful.end(), ways_[0].passes.begin(), ways_[0].passes.end());
    for (const Way& way : ways_) {
      for (const auto* of_way : {&way.passes, &way.changes}) {
        for (const Part& part : *of_way) {
          part->hopeless = std::find(hopeful.begin(), hopeful.end(), part) == hopeful.end();
        }
      }
    }
  }

  static double total(const Way& way) {
    double seconds = way.changing();
    for (const Part& pass : way.passes) seconds += pass->cost();
    return seconds;
  }

  /// Of the ways whose activations lie so the first one, with the passes of others put in that are clearly
  /// faster and take the same layouts.
  Candidate composed(Lie lie) const {
    const Way* base = nullptr;
    std::vector<Part> passes;
    Candidate made;
    for (const Way& way : ways_) {
      if (way.variant.lie != lie) continue;
      if (base == nullptr) {
        base = &way;
        passes = way.passes;
        made.variant = way.variant;
        continue;
      }
      for (std::size_t p = 0; p < passes.size(); ++p) {
        const bool fits =
            layouts_of(way.layer->spec().passes[p]) == layouts_of(base->layer->spec().passes[p]);
        if (!fits || way.passes[p]->seconds >= kClearly * passes[p]->seconds) continue;
        passes[p] = way.passes[p];
        made.variant.algorithms[p] = way.variant.algorithms[p];
      }
    }
    if (base == nullptr) return made;
    made.seconds = base->changing();
    for (const Part& pass : passes) made.seconds += pass->cost();
    return made;
  }

  /// What is clearly faster than the usual way, or that.
  Candidate fastest() const {
    const Lie usual = ways_[0].variant.lie;
    Candidate best = composed(usual);
    const double to_beat = kClearly * best.seconds;
    double least = to_beat;
    const auto consider = [&](const Candidate& candidate) {
      if (candidate.seconds >= least) return;
      least = candidate.seconds;
      best = candidate;
    };
    for (const Way& way : ways_) {
      consider({way.variant, total(way)});
      if (way.variant.lie != usual) consider(composed(way.variant.lie));
    }
    return best;
  }

  KernelTrial result() const {
    const std::string usual = name_of(ways_[0].variant);
    if (ways_.size() == 1) return {usual, usual, {}};
    const Candidate best = fastest();
    KernelTrial trial{usual, name_of(best.variant), {}};
    for (const Way& way : ways_) trial.seconds[name_of(way.variant)] = total(way);
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
