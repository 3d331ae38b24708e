#include "layers/cpu/narrow_convolution.h"

#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/cpu/narrow_convolution_maps.h"
#include "layers/cpu/simd.h"

namespace convoy::cpu {

#ifdef CONVOY_V4
namespace {

/// Rows of windows so short that all rows of the kernel are one piece of work.
constexpr std::int64_t kShortRow = 32;

NarrowConvolution geometry_of(const Convolution& op, const Site& site) {
  const Shape in = site.inputs[0];
  return {in.channels,
          in.height + op.padding_top + op.padding_bottom,
          in.width + op.padding_left + op.padding_right,
          op.outputs,
          site.output.height,
          site.output.width,
          op.kernel_y,
          op.kernel_x * in.channels,
          op.stride_y,
          op.stride_x,
          site.relu_follows};
}

class NarrowConvolutionLayer : public CpuLayer {
 public:
  NarrowConvolutionLayer(const Convolution& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine),
        op_(op),
        g_(geometry_of(op, site)),
        image_(site.inputs[0].elements()),
        padded_(g_.in_y * g_.in_x * g_.inputs),
        pads_(padded_ != image_),
        partial_((g_.blocks() * g_.taps() + g_.blocks()) * 16),
        parts_(g_.row < kShortRow ? 16 : 4) {
    declare(inputs[0]);
  }

  std::string implementation(std::size_t) const override { return "convoy:narrow"; }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    const auto in = [&](std::size_t i) { return static_cast<const float*>(reads[i]); };
    const auto out = [&](std::size_t i) { return static_cast<float*>(writes[i]); };
    auto* space = static_cast<float*>(scratch);
    switch (spec_.passes[pass].kind) {
      case PassKind::backward_data:
        return make_kernel([=, this, dy = in(0), w = in(1), dx = out(0)](const StepContext&) {
          backward_data(dy, w, dx, space);
        });
      case PassKind::backward_weights: {
        float* bias = op_.bias ? out(1) : nullptr;
        return make_kernel([=, this, x = in(0), dy = in(1), dw = out(0)](const StepContext&) {
          backward_weights(x, dy, dw, bias, space);
        });
      }
      default: {
        const float* bias = op_.bias ? in(2) : nullptr;
        return make_kernel([=, this, x = in(0), w = in(1), y = out(0)](const StepContext&) {
          forward(x, w, bias, y, space);
        });
      }
    }
  }

 private:
  void declare(const Layout& given) {
    if (site_.relu_follows) spec_.relu = ReluShare::forward;
    Engine& e = *engine_;
    const ParameterSpec& weight = site_.layer->parameters[0];
    const Layout input = e.accept(channels_last_activation(site_.inputs[0], site_.batch, DType::f32), given);
    const Layout output = e.layout(channels_last_activation(site_.output, site_.batch, DType::f32));
    const Layout blocks = e.layout({weight.dims, memory::data_type::f32, Tag::Acdb16a});
    const Layout bias = e.layout(plain_vector(op_.outputs));
    const std::int64_t images = pads_ ? round_up(site_.batch * padded_ * 4, 64) : 0;
    PassSpec forward{PassKind::forward,
                     {{Role::input, 0, input}, {Role::parameter, 0, blocks}},
                     {{Role::output, 0, output}},
                     images + g_.blocks() * 64};
    if (op_.bias) forward.reads.push_back({Role::parameter, 1, bias});
    spec_.passes.push_back(std::move(forward));
    if (!site_.training) return;
    PassSpec weights{PassKind::backward_weights,
                     {{Role::input, 0, input}, {Role::output_gradient, 0, output}},
                     {{Role::parameter_gradient, 0, blocks}},
                     images + parts_ * partial_ * 4};
    if (op_.bias) weights.writes.push_back({Role::parameter_gradient, 1, bias});
    spec_.passes.push_back(std::move(weights));
    if (!site_.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, output}, {Role::parameter, 0, blocks}},
                            {{Role::input_gradient, 0, input}},
                            images + g_.kernel_y * g_.vectors() * g_.outputs * 64});
  }

  /// Where the input's first value lies in the padded image.
  std::int64_t corner() const { return (op_.padding_top * g_.in_x + op_.padding_left) * g_.inputs; }

  /// Image n with its padding: a copy in scratch, or the image itself.
  const float* padded_image(const float* input, std::int64_t n, float* images) const {
    const float* image = input + n * image_;
    if (!pads_) return image;
    float* copy = images + n * padded_;
    std::fill_n(copy, padded_, 0.F);
    const std::int64_t width = site_.inputs[0].width * g_.inputs;
    for (std::int64_t y = 0; y < site_.inputs[0].height; ++y)
      std::copy_n(image + y * width, width, copy + corner() + y * g_.in_x * g_.inputs);
    return copy;
  }

  std::int64_t images_values() const { return pads_ ? round_up(site_.batch * padded_ * 4, 64) / 4 : 0; }

  void forward(const float* input, const float* weights, const float* bias, float* output,
               float* scratch) const {
    float* start = scratch + images_values();
    std::fill_n(start, g_.blocks() * 16, 0.F);
    if (bias != nullptr) std::copy_n(bias, g_.outputs, start);
    const std::int64_t size = site_.output.elements();
#pragma omp parallel for schedule(static)
    for (std::int64_t n = 0; n < site_.batch; ++n)
      narrow_forward_v4(g_, padded_image(input, n, scratch), weights, start, output + n * size);
  }

  void backward_weights(const float* input, const float* output_gradient, float* gradient, float* bias,
                        float* scratch) const {
    if (pads_) {
#pragma omp parallel for schedule(static)
      for (std::int64_t n = 0; n < site_.batch; ++n) padded_image(input, n, scratch);
    }
    const float* images = pads_ ? scratch : input;
    float* partial = scratch + images_values();
    const std::int64_t size = site_.output.elements();
    const std::int64_t pieces = g_.row < kShortRow ? 1 : g_.kernel_y;
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t part = 0; part < parts_; ++part) {
      for (std::int64_t piece = 0; piece < pieces; ++piece) {
        float* sums = partial + part * partial_;
        float* bias_sums = sums + g_.blocks() * g_.taps() * 16;
        const std::int64_t first = g_.kernel_y * piece / pieces;
        const std::int64_t end = g_.kernel_y * (piece + 1) / pieces;
        for (std::int64_t b = 0; b < g_.blocks(); ++b) {
          std::fill_n(sums + (b * g_.kernel_y + first) * g_.row * 16, (end - first) * g_.row * 16, 0.F);
        }
        if (piece == 0) std::fill_n(bias_sums, g_.blocks() * 16, 0.F);
        const std::int64_t last = site_.batch * (part + 1) / parts_;
        for (std::int64_t n = site_.batch * part / parts_; n < last; ++n) {
          const float* dy = output_gradient + n * size;
          narrow_backward_weights_v4(g_, images + n * padded_, dy, first, end, sums);
          if (piece == 0 && bias != nullptr) narrow_backward_bias_v4(g_, dy, bias_sums);
        }
      }
    }
    add_parts(partial, gradient, bias);
  }

  void add_parts(const float* partial, float* gradient, float* bias) const {
    const std::int64_t values = g_.blocks() * g_.taps() * 16;
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < values; i += 16) {
      float sum[16] = {};
      for (std::int64_t part = 0; part < parts_; ++part) {
        for (std::int64_t lane = 0; lane < 16; ++lane) sum[lane] += partial[part * partial_ + i + lane];
      }
      std::copy_n(sum, 16, gradient + i);
    }
    if (bias == nullptr) return;
    for (std::int64_t o = 0; o < g_.outputs; ++o) {
      bias[o] = 0;
      for (std::int64_t part = 0; part < parts_; ++part) bias[o] += partial[part * partial_ + values + o];
    }
  }

  void backward_data(const float* output_gradient, const float* weights, float* input_gradient,
                     float* scratch) const {
    const std::int64_t size = site_.output.elements();
    const std::int64_t width = site_.inputs[0].width * g_.inputs;
    float* packed = scratch + images_values();
    pack(weights, packed);
#pragma omp parallel for schedule(static)
    for (std::int64_t n = 0; n < site_.batch; ++n) {
      float* whole = pads_ ? scratch + n * padded_ : input_gradient + n * image_;
      std::fill_n(whole, padded_, 0.F);
      narrow_backward_data_v4(g_, output_gradient + n * size, packed, whole);
      if (!pads_) continue;
      for (std::int64_t y = 0; y < site_.inputs[0].height; ++y) {
        std::copy_n(whole + corner() + y * g_.in_x * g_.inputs, width,
                    input_gradient + n * image_ + y * width);
      }
    }
  }

  /// Weights in blocks of outputs to vectors of taps.
  void pack(const float* weights, float* packed) const {
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t ky = 0; ky < g_.kernel_y; ++ky) {
      for (std::int64_t v = 0; v < g_.vectors(); ++v) {
        float* to = packed + (ky * g_.vectors() + v) * g_.outputs * 16;
        const std::int64_t filled = std::min<std::int64_t>(16, g_.row - v * 16);
        for (std::int64_t o = 0; o < g_.outputs; ++o, to += 16) {
          const float* from = weights + ((o / 16 * g_.kernel_y + ky) * g_.row + v * 16) * 16 + o % 16;
          for (std::int64_t t = 0; t < 16; ++t) to[t] = t < filled ? from[t * 16] : 0.F;
        }
      }
    }
  }

  Convolution op_;
  NarrowConvolution g_;
  std::int64_t image_;   ///< values of one image
  std::int64_t padded_;  ///< with its padding
  bool pads_;
  std::int64_t partial_;  ///< values of the weight and bias gradients of one part of the batch
  /// Parts of the batch whose weight gradients are added up apart, and then in order: the sum does not depend
  /// on the number of threads.
  std::int64_t parts_;
};

}  // namespace

std::optional<Lowered> lower_narrow(const Convolution& op, const Site& site, Inputs inputs, Engine& engine) {
  const bool serves = has_v4() && site.type == DType::f32 && op.groups == 1 && op.dilation_x == 1 &&
                      op.dilation_y == 1 && site.output.width * round_up(op.outputs, 16) <= kNarrowMostRow;
  if (!serves) return std::nullopt;
  return std::make_shared<NarrowConvolutionLayer>(op, site, inputs, engine);
}
#else
std::optional<Lowered> lower_narrow(const Convolution&, const Site&, Inputs, Engine&) { return std::nullopt; }
#endif

}  // namespace convoy::cpu
