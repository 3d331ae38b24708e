// Compiled for x86-64-v4 (AVX-512); called only where the processor has it. Everything but the four functions
// is local, and nothing inline of other headers is called: code of a newer instruction set must not leak into
// functions that the linker shares.
#include <immintrin.h>

#include "layers/cpu/narrow_convolution_maps.h"

namespace convoy::cpu {
namespace {

constexpr std::int64_t kLanes = 16;

__mmask16 lanes(std::int64_t count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xFFFF : (1U << static_cast<unsigned>(count)) - 1);
}

std::int64_t blocks_of(const NarrowConvolution& g) { return (g.outputs + kLanes - 1) / kLanes; }

/// P output pixels side by side × B blocks of outputs.
template <int P, int B>
[[gnu::always_inline]] inline void forward_tile(const NarrowConvolution& g, const float* input,
                                                const float* weights, const float* bias, std::int64_t count,
                                                float* output) {
  __m512 sum[P][B];
  for (int b = 0; b < B; ++b) {
    const __m512 start = _mm512_loadu_ps(bias + b * kLanes);
    for (int p = 0; p < P; ++p) sum[p][b] = start;
  }
  const std::int64_t step = g.stride_x * g.inputs;
  const std::int64_t taps = g.kernel_y * g.row;
  for (std::int64_t ky = 0; ky < g.kernel_y; ++ky) {
    const float* x = input + ky * g.in_x * g.inputs;
    const float* w = weights + ky * g.row * kLanes;
    for (std::int64_t t = 0; t < g.row; ++t) {
      __m512 block[B];
      for (int b = 0; b < B; ++b) block[b] = _mm512_loadu_ps(w + (b * taps + t) * kLanes);
      for (int p = 0; p < P; ++p) {
        const __m512 value = _mm512_set1_ps(x[p * step + t]);
        for (int b = 0; b < B; ++b) sum[p][b] = _mm512_fmadd_ps(value, block[b], sum[p][b]);
      }
    }
  }
  for (int p = 0; p < P; ++p) {
    for (int b = 0; b < B; ++b) {
      if (g.relu) {  // a NaN stays one
        const __mmask16 kept = _mm512_cmp_ps_mask(sum[p][b], _mm512_setzero_ps(), _CMP_NLE_UQ);
        sum[p][b] = _mm512_maskz_mov_ps(kept, sum[p][b]);
      }
      _mm512_mask_storeu_ps(output + p * g.outputs + b * kLanes, lanes(count - b * kLanes), sum[p][b]);
    }
  }
}

template <int B>
void forward_blocks(const NarrowConvolution& g, const float* input, const float* weights, const float* bias,
                    std::int64_t count, float* output) {
  constexpr int kPixels = B == 1 ? 12 : 8;
  const std::int64_t step = g.stride_x * g.inputs;
  for (std::int64_t y = 0; y < g.out_y; ++y) {
    const float* row = input + y * g.stride_y * g.in_x * g.inputs;
    float* out = output + y * g.out_x * g.outputs;
    std::int64_t x = 0;
    for (; x + kPixels <= g.out_x; x += kPixels)
      forward_tile<kPixels, B>(g, row + x * step, weights, bias, count, out + x * g.outputs);
    for (; x + 4 <= g.out_x; x += 4)
      forward_tile<4, B>(g, row + x * step, weights, bias, count, out + x * g.outputs);
    for (; x < g.out_x; ++x) forward_tile<1, B>(g, row + x * step, weights, bias, count, out + x * g.outputs);
  }
}

/// Some rows of an output gradient with every pixel's values filled up to whole vectors: aligned loads.
struct PaddedRows {
  const float* values = nullptr;  ///< rows × out_x × blocks × 16
  std::int64_t blocks = 0;
  std::int64_t rows = 0;
};

/// T neighbouring taps of a window's row × B blocks of outputs, over some rows of the output.
template <int T, int B>
[[gnu::always_inline]] inline void weights_tile(const NarrowConvolution& g, const float* input,
                                                const PaddedRows& gradient, std::int64_t block,
                                                float* partial) {
  const std::int64_t taps = g.kernel_y * g.row;
  __m512 sum[T][B];
  for (int t = 0; t < T; ++t) {
    for (int b = 0; b < B; ++b) sum[t][b] = _mm512_loadu_ps(partial + (b * taps + t) * kLanes);
  }
  const std::int64_t step = g.stride_x * g.inputs;
  const float* dy = gradient.values + block * kLanes;
  for (std::int64_t y = 0; y < gradient.rows; ++y) {
    const float* x = input + y * g.stride_y * g.in_x * g.inputs;
    for (std::int64_t p = 0; p < g.out_x; ++p, x += step, dy += gradient.blocks * kLanes) {
      __m512 part[B];
      for (int b = 0; b < B; ++b) part[b] = _mm512_load_ps(dy + b * kLanes);
      for (int t = 0; t < T; ++t) {
        const __m512 value = _mm512_set1_ps(x[t]);
        for (int b = 0; b < B; ++b) sum[t][b] = _mm512_fmadd_ps(value, part[b], sum[t][b]);
      }
    }
  }
  for (int t = 0; t < T; ++t) {
    for (int b = 0; b < B; ++b) _mm512_storeu_ps(partial + (b * taps + t) * kLanes, sum[t][b]);
  }
}

/// `left` taps, at most T.
template <int T, int B>
void weights_rest(const NarrowConvolution& g, const float* input, const PaddedRows& gradient,
                  std::int64_t block, std::int64_t left, float* partial) {
  if (left == T)
    weights_tile<T, B>(g, input, gradient, block, partial);
  else if constexpr (T > 1)
    weights_rest<T - 1, B>(g, input, gradient, block, left, partial);
}

/// All taps of a row of the windows.
template <int B>
void weights_row(const NarrowConvolution& g, const float* input, const PaddedRows& gradient,
                 std::int64_t block, float* partial) {
  constexpr int kTaps = B == 4 ? 6 : 12;
  std::int64_t t = 0;
  for (; t + kTaps <= g.row; t += kTaps)
    weights_tile<kTaps, B>(g, input + t, gradient, block, partial + t * kLanes);
  weights_rest<kTaps - 1, B>(g, input + t, gradient, block, g.row - t, partial + t * kLanes);
}

/// P output pixels side by side × V vectors of a window's row. Neighbouring windows overlap, so each pixel's
/// share is added to memory in turn.
template <int P, int V>
[[gnu::always_inline]] inline void data_tile(const NarrowConvolution& g, const float* gradient,
                                             const float* weights, std::int64_t count,
                                             float* input_gradient) {
  __m512 sum[P][V];
  for (int p = 0; p < P; ++p) {
    for (int v = 0; v < V; ++v) sum[p][v] = _mm512_setzero_ps();
  }
  for (std::int64_t o = 0; o < g.outputs; ++o) {
    __m512 part[V];
    for (int v = 0; v < V; ++v) part[v] = _mm512_load_ps(weights + (v * g.outputs + o) * kLanes);
    for (int p = 0; p < P; ++p) {
      const __m512 value = _mm512_set1_ps(gradient[p * g.outputs + o]);
      for (int v = 0; v < V; ++v) sum[p][v] = _mm512_fmadd_ps(value, part[v], sum[p][v]);
    }
  }
  const __mmask16 last = lanes(count - (V - 1) * kLanes);
  for (int p = 0; p < P; ++p) {
    float* to = input_gradient + p * g.stride_x * g.inputs;
    for (int v = 0; v + 1 < V; ++v) {
      _mm512_storeu_ps(to + v * kLanes, _mm512_add_ps(_mm512_loadu_ps(to + v * kLanes), sum[p][v]));
    }
    float* end = to + (V - 1) * kLanes;
    _mm512_mask_storeu_ps(end, last, _mm512_add_ps(_mm512_maskz_loadu_ps(last, end), sum[p][V - 1]));
  }
}

/// All vectors of a window's row for P pixels.
template <int P>
void data_row(const NarrowConvolution& g, const float* gradient, const float* weights,
              float* input_gradient) {
  constexpr int kVectors = P == 8 ? 3 : 4;
  std::int64_t t = 0;
  for (; g.row - t > 2 * kVectors * kLanes ||
         (g.row - t > (kVectors - 1) * kLanes && g.row - t <= kVectors * kLanes);
       t += kVectors * kLanes)
    data_tile<P, kVectors>(g, gradient, weights + t * g.outputs, g.row - t, input_gradient + t);
  for (; g.row - t > kLanes; t += 2 * kLanes)
    data_tile<P, 2>(g, gradient, weights + t * g.outputs, g.row - t, input_gradient + t);
  if (t < g.row) data_tile<P, 1>(g, gradient, weights + t * g.outputs, g.row - t, input_gradient + t);
}

}  // namespace

void narrow_forward_v4(const NarrowConvolution& g, const float* input, const float* weights,
                       const float* bias, float* output) {
  const std::int64_t block = g.kernel_y * g.row * kLanes;
  std::int64_t b = 0;
  for (; b + 2 <= blocks_of(g); b += 2) {
    forward_blocks<2>(g, input, weights + b * block, bias + b * kLanes, g.outputs - b * kLanes,
                      output + b * kLanes);
  }
  if (b < blocks_of(g)) {
    forward_blocks<1>(g, input, weights + b * block, bias + b * kLanes, g.outputs - b * kLanes,
                      output + b * kLanes);
  }
}

void narrow_backward_weights_v4(const NarrowConvolution& g, const float* input, const float* output_gradient,
                                std::int64_t first_ky, std::int64_t end_ky, float* partial) {
  const std::int64_t blocks = blocks_of(g);
  const std::int64_t width = blocks * kLanes;
  alignas(64) float padded[kNarrowMostRow];
  const std::int64_t most = kNarrowMostRow / (g.out_x * width);
  for (std::int64_t y = 0; y < g.out_y; y += most) {
    const PaddedRows rows{padded, blocks, g.out_y - y < most ? g.out_y - y : most};
    for (std::int64_t p = 0; p < rows.rows * g.out_x; ++p) {
      const float* from = output_gradient + (y * g.out_x + p) * g.outputs;
      for (std::int64_t b = 0; b < blocks; ++b) {
        const __m512 values = _mm512_maskz_loadu_ps(lanes(g.outputs - b * kLanes), from + b * kLanes);
        _mm512_store_ps(padded + p * width + b * kLanes, values);
      }
    }
    for (std::int64_t ky = first_ky; ky < end_ky; ++ky) {
      const float* x = input + (y * g.stride_y + ky) * g.in_x * g.inputs;
      std::int64_t b = 0;
      const auto run = [&](auto row, std::int64_t count) {
        for (; b + count <= blocks; b += count)
          row(g, x, rows, b, partial + (b * g.kernel_y + ky) * g.row * kLanes);
      };
      run(weights_row<4>, 4);
      run(weights_row<2>, 2);
      run(weights_row<1>, 1);
    }
  }
}

void narrow_backward_bias_v4(const NarrowConvolution& g, const float* output_gradient, float* partial) {
  for (std::int64_t b = 0; b < blocks_of(g); ++b) {
    const __mmask16 mask = lanes(g.outputs - b * kLanes);
    __m512 sum = _mm512_loadu_ps(partial + b * kLanes);
    for (std::int64_t p = 0; p < g.out_y * g.out_x; ++p) {
      sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, output_gradient + p * g.outputs + b * kLanes));
    }
    _mm512_storeu_ps(partial + b * kLanes, sum);
  }
}

void narrow_backward_data_v4(const NarrowConvolution& g, const float* output_gradient, const float* weights,
                             float* input_gradient) {
  // One row of the windows at a time: its weights stay in the nearest cache.
  const std::int64_t vectors = (g.row + kLanes - 1) / kLanes;
  const std::int64_t step = g.stride_x * g.inputs;
  for (std::int64_t ky = 0; ky < g.kernel_y; ++ky) {
    const float* w = weights + ky * vectors * g.outputs * kLanes;
    for (std::int64_t y = 0; y < g.out_y; ++y) {
      const float* dy = output_gradient + y * g.out_x * g.outputs;
      float* dx = input_gradient + (y * g.stride_y + ky) * g.in_x * g.inputs;
      std::int64_t x = 0;
      for (; x + 8 <= g.out_x; x += 8) data_row<8>(g, dy + x * g.outputs, w, dx + x * step);
      for (; x + 4 <= g.out_x; x += 4) data_row<4>(g, dy + x * g.outputs, w, dx + x * step);
      for (; x < g.out_x; ++x) data_row<1>(g, dy + x * g.outputs, w, dx + x * step);
    }
  }
}

}  // namespace convoy::cpu
