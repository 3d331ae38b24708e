#include <algorithm>
#include <array>

#include "layers/cpu/element.h"
#include "layers/cpu/lower.h"
#include "layers/cpu/simd.h"

namespace convoy::cpu {
namespace {

using Kind = Elementwise::Kind;

// Values that one thread takes at a time; their fp32 copies stay in the nearest cache.
constexpr std::int64_t kBlock = 2048;
using Block = std::array<float, kBlock>;

template <class T>
CONVOY_SIMD void load(Block& to, const T* from, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[static_cast<std::size_t>(i)] = float(from[i]);
}

template <class T>
CONVOY_SIMD void store(T* to, const Block& from, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = T(from[static_cast<std::size_t>(i)]);
}

template <class T>
CONVOY_SIMD void add(Block& to, const T* from, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[static_cast<std::size_t>(i)] += float(from[i]);
}

CONVOY_SIMD void keep_positive(Block& values, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    float& x = values[static_cast<std::size_t>(i)];
    x = x <= 0 ? 0 : x;
  }
}

template <class T>
CONVOY_SIMD void multiply(Block& to, const T* from, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[static_cast<std::size_t>(i)] *= float(from[i]);
}

/// Where `from` is larger than `to`, or no number, it takes its place; then `position` becomes `number`.
template <class T>
CONVOY_SIMD void maximize(Block& to, const T* from, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    float& best = to[static_cast<std::size_t>(i)];
    const auto x = float(from[i]);
    best = x > best || x != x ? x : best;
  }
}

template <class T>
CONVOY_SIMD void maximize_by(Block& to, const T* from, std::int64_t count, std::uint8_t* position,
                             std::uint8_t number) {
  for (std::int64_t i = 0; i < count; ++i) {
    float& best = to[static_cast<std::size_t>(i)];
    const auto x = float(from[i]);
    const bool larger = x > best || x != x;
    best = larger ? x : best;
    position[i] = larger ? number : position[i];
  }
}

template <class T>
CONVOY_SIMD void choose(T* to, const Block& from, std::int64_t count, const std::uint8_t* position,
                        std::uint8_t number) {
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = T(position[i] == number ? from[static_cast<std::size_t>(i)] : 0.F);
  }
}

/// Values at one place of several inputs, in the layout of the first (padding is 0 in all and stays so). The
/// gradient of a sum goes on unchanged to every input; a maximum leaves a byte a value to say whose it was.
class ElementwiseLayer : public CpuLayer {
 public:
  ElementwiseLayer(const Elementwise& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine), kind_(op.kind) {
    const Layout layout = inputs[0];
    elements_ = layout.bytes / size_of(site.type);
    const bool gradient = site.training && std::find(site.input_gradient.begin(), site.input_gradient.end(),
                                                     true) != site.input_gradient.end();
    PassSpec forward{PassKind::forward, {}, {{Role::output, 0, layout}}, 0};
    PassSpec backward{PassKind::backward_data, {{Role::output_gradient, 0, layout}}, {}, 0};
    for (int i = 0; i < static_cast<int>(inputs.size()); ++i) {
      forward.reads.push_back({Role::input, i, layout});
      if (kind_ == Kind::product) backward.reads.push_back({Role::input, i, layout});
      if (site.input_gradient[static_cast<std::size_t>(i)]) {
        backward.writes.push_back({Role::input_gradient, i, layout});
      }
    }
    if (kind_ == Kind::sum && site.relu_follows) spec_.relu = ReluShare::forward;
    forward.in_place = kind_ != Kind::product || !gradient;
    backward.pass_through = kind_ == Kind::sum;
    backward.in_place = kind_ != Kind::sum;
    if (kind_ == Kind::maximum && gradient) {
      spec_.saved_bytes = elements_;
      forward.writes.push_back({Role::saved, 0, {-1, elements_}});
      backward.reads.push_back({Role::saved, 0, {-1, elements_}});
    }
    spec_.passes.push_back(std::move(forward));
    if (gradient) spec_.passes.push_back(std::move(backward));
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void*) const override {
    return with_element(site_.type, [&]<class T>(T) {
      std::vector<const T*> from;
      std::vector<T*> to;
      const bool positions = kind_ == Kind::maximum && spec_.saved_bytes > 0;
      if (pass == 0) {
        for (void* const read : reads) from.push_back(static_cast<const T*>(read));
        auto* saved = positions ? static_cast<std::uint8_t*>(writes[1]) : nullptr;
        return forward_kernel<T>(std::move(from), static_cast<T*>(writes[0]), saved);
      }
      const auto* saved = positions ? static_cast<const std::uint8_t*>(reads[1]) : nullptr;
      if (!positions) {
        for (void* const read : reads.subspan(1)) from.push_back(static_cast<const T*>(read));
      }
      for (void* const write : writes) to.push_back(static_cast<T*>(write));
      return backward_kernel<T>(static_cast<const T*>(reads[0]), std::move(from), saved, std::move(to));
    });
  }

 private:
  template <class T>
  std::unique_ptr<Kernel> forward_kernel(std::vector<const T*> from, T* to, std::uint8_t* positions) const {
    return make_kernel([=, this, from = std::move(from)](const StepContext&) {
#pragma omp parallel for schedule(static)
      for (std::int64_t first = 0; first < elements_; first += kBlock) {
        const std::int64_t count = std::min(kBlock, elements_ - first);
        std::uint8_t* position = positions == nullptr ? nullptr : positions + first;
        if (position != nullptr) std::fill_n(position, count, std::uint8_t{0});
        Block block;
        load(block, from[0] + first, count);
        for (std::size_t i = 1; i < from.size(); ++i) {
          if (kind_ == Kind::sum) {
            add(block, from[i] + first, count);
          } else if (kind_ == Kind::product) {
            multiply(block, from[i] + first, count);
          } else if (position == nullptr) {
            maximize(block, from[i] + first, count);
          } else {
            maximize_by(block, from[i] + first, count, position, static_cast<std::uint8_t>(i));
          }
        }
        if (spec_.relu == ReluShare::forward) keep_positive(block, count);
        store(to + first, block, count);
      }
    });
  }

  /// `to` are the gradients of the inputs that want one; the first may lie where the output's gradient does.
  template <class T>
  std::unique_ptr<Kernel> backward_kernel(const T* gradient, std::vector<const T*> from,
                                          const std::uint8_t* positions, std::vector<T*> to) const {
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < site_.input_gradient.size(); ++i) {
      if (site_.input_gradient[i]) wanted.push_back(i);
    }
    return make_kernel([=, this, from = std::move(from), to = std::move(to)](const StepContext&) {
#pragma omp parallel for schedule(static)
      for (std::int64_t first = 0; first < elements_; first += kBlock) {
        const std::int64_t count = std::min(kBlock, elements_ - first);
        Block block;
        load(block, gradient + first, count);
        for (std::size_t w = 0; w < to.size(); ++w) {
          if (positions != nullptr) {
            choose(to[w] + first, block, count, positions + first, static_cast<std::uint8_t>(wanted[w]));
            continue;
          }
          Block product = block;
          for (std::size_t i = 0; i < from.size(); ++i) {
            if (i != wanted[w]) multiply(product, from[i] + first, count);
          }
          store(to[w] + first, product, count);
        }
      }
    });
  }

  Kind kind_;
  std::int64_t elements_ = 0;  ///< with padding
};

}  // namespace

Lowered lower(const Elementwise& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<ElementwiseLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
