#include "layers/cuda/kernels/copies.h"

#include "layers/cuda/kernels/launch.h"
#include "layers/cuda/kernels/packs.h"
#include "layers/graph/arithmetic/upsample.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

/// Calls `call` with an unsigned number of so many bytes.
template <class Call>
void with_bytes(std::int64_t bytes, Call&& call) {
  if (bytes == 2) return call(std::uint16_t{});
  call(std::uint32_t{});
}

struct Clear {
  std::uint8_t* memory;
  std::int64_t bytes;
  /// Eight bytes at a time; the last ones alone.
  CONVOY_HD void operator()(std::int64_t i) const {
    if ((i + 1) * 8 <= bytes) {
      reinterpret_cast<std::uint64_t*>(memory)[i] = 0;
    } else {
      for (std::int64_t at = i * 8; at < bytes; ++at) memory[at] = 0;
    }
  }
};

template <class U>
struct CopyColumns {
  Divisor width;
  std::int64_t from_stride, to_stride;
  const U* from;
  U* to;
  CONVOY_HD void operator()(std::int64_t i) const {
    const std::int64_t row = width.quotient(i);
    const std::int64_t column = i - row * width.value();
    to[row * to_stride + column] = from[row * from_stride + column];
  }
};

template <class U>
struct SpreadColumns {
  Divisor whole;
  std::int64_t width, before;
  const U* from;
  U* to;
  CONVOY_HD void operator()(std::int64_t i) const {
    const std::int64_t row = whole.quotient(i);
    const std::int64_t column = i - row * whole.value() - before;
    to[i] = column >= 0 && column < width ? from[row * width + column] : U{0};
  }
};

template <class U>
struct CropPart {
  CropGeometry g;
  Images parts;
  const U* image;
  U* part;
  CONVOY_HD void operator()(std::int64_t i) const {
    const Place at = parts.place(i);
    part[i] = image[((at.n * g.in_y + at.y + g.begin_y) * g.in_x + at.x + g.begin_x) * g.channels + at.c];
  }
};

template <class U>
struct Uncrop {
  CropGeometry g;
  Images images;
  const U* part;
  U* image;
  CONVOY_HD void operator()(std::int64_t i) const {
    const Place at = images.place(i);
    const std::int64_t y = at.y - g.begin_y;
    const std::int64_t x = at.x - g.begin_x;
    const bool inside = y >= 0 && y < g.out_y && x >= 0 && x < g.out_x;
    image[i] = inside ? part[((at.n * g.out_y + y) * g.out_x + x) * g.channels + at.c] : U{0};
  }
};

template <class U>
struct Transpose {
  Images results;  ///< a matrix as an image of one channel, columns × rows
  const U* from;
  U* to;
  CONVOY_HD void operator()(std::int64_t i) const {
    const Place at = results.place(i);
    to[i] = from[(at.n * results.width.value() + at.x) * results.height.value() + at.y];
  }
};

template <class T>
struct Upsample {
  CropGeometry g;
  Images outputs;
  const T* x;
  T* y;
  CONVOY_HD float of(const Place& at, std::int64_t row, std::int64_t column) const {
    return x[((at.n * g.in_y + row) * g.in_x + column) * g.channels + at.c];
  }
  CONVOY_HD void operator()(std::int64_t i) const {
    const Place at = outputs.place(i);
    const BilinearPlace v = bilinear_place(at.y, g.in_y, g.out_y);
    const BilinearPlace h = bilinear_place(at.x, g.in_x, g.out_x);
    const float left = h.second_weight;
    const float above = of(at, v.first, h.first) * (1 - left) + of(at, v.first, h.second) * left;
    const float below = of(at, v.second, h.first) * (1 - left) + of(at, v.second, h.second) * left;
    y[i] = T(above * (1 - v.second_weight) + below * v.second_weight);
  }
};

/// Each input pixel gathers from the outputs that read it.
template <class T>
struct UpsampleGradient {
  CropGeometry g;
  Images inputs;
  const T* gradient;
  T* result;
  CONVOY_HD void operator()(std::int64_t i) const {
    const Place at = inputs.place(i);
    const std::int64_t end_y = bilinear_end(at.y, g.in_y, g.out_y);
    const std::int64_t begin_x = bilinear_begin(at.x, g.in_x, g.out_x);
    const std::int64_t end_x = bilinear_end(at.x, g.in_x, g.out_x);
    float sum = 0;
    for (std::int64_t oy = bilinear_begin(at.y, g.in_y, g.out_y); oy < end_y; ++oy) {
      const float row_weight = bilinear_place(oy, g.in_y, g.out_y).weight_of(at.y);
      if (row_weight == 0) continue;
      for (std::int64_t ox = begin_x; ox < end_x; ++ox) {
        const float weight = bilinear_place(ox, g.in_x, g.out_x).weight_of(at.x);
        if (weight == 0) continue;
        sum +=
            row_weight * weight * float(gradient[((at.n * g.out_y + oy) * g.out_x + ox) * g.channels + at.c]);
      }
    }
    result[i] = T(sum);
  }
};

template <class T>
struct ScalePixels {
  ChannelScale scale;
  Divisor count;
  const std::uint8_t* from;
  T* to;
  CONVOY_HD void operator()(std::int64_t i) const {
    const std::int64_t pixel = count.quotient(i);
    const auto c = static_cast<int>(i - pixel * scale.count);
    const std::int64_t at = pixel * scale.channels + scale.first + c;
    to[at] = T((static_cast<float>(from[at]) - scale.mean[c]) / scale.deviation[c]);
  }
};

}  // namespace

void clear_bytes(Queue queue, std::int64_t bytes, void* memory) {
  for_each_index(queue, (bytes + 7) / 8, Clear{static_cast<std::uint8_t*>(memory), bytes});
}

void copy_columns(Queue queue, std::int64_t bytes, std::int64_t rows, std::int64_t width, const void* from,
                  std::int64_t from_stride, void* to, std::int64_t to_stride) {
  using Packed = Pack<std::uint32_t>;
  constexpr std::int64_t kPacked = sizeof(Packed);
  const auto packs = [&](std::int64_t values) { return values * bytes % kPacked == 0; };
  if (packs(width) && packs(from_stride) && packs(to_stride) && begins_pack(from) && begins_pack(to)) {
    const std::int64_t each = kPacked / bytes;
    return for_each_index(queue, rows * width / each,
                          CopyColumns<Packed>{Divisor(width / each), from_stride / each, to_stride / each,
                                              static_cast<const Packed*>(from), static_cast<Packed*>(to)});
  }
  with_bytes(bytes, [&]<class U>(U) {
    for_each_index(queue, rows * width,
                   CopyColumns<U>{Divisor(width), from_stride, to_stride, static_cast<const U*>(from),
                                  static_cast<U*>(to)});
  });
}

void spread_columns(Queue queue, std::int64_t bytes, std::int64_t rows, std::int64_t width, const void* from,
                    void* to, std::int64_t whole, std::int64_t before) {
  with_bytes(bytes, [&]<class U>(U) {
    for_each_index(
        queue, rows * whole,
        SpreadColumns<U>{Divisor(whole), width, before, static_cast<const U*>(from), static_cast<U*>(to)});
  });
}

void crop(Queue queue, std::int64_t bytes, const CropGeometry& g, const void* image, void* part) {
  with_bytes(bytes, [&]<class U>(U) {
    for_each_index(queue, g.batch * g.out_y * g.out_x * g.channels,
                   CropPart<U>{g, Images(g.out_y, g.out_x, g.channels), static_cast<const U*>(image),
                               static_cast<U*>(part)});
  });
}

void uncrop(Queue queue, std::int64_t bytes, const CropGeometry& g, const void* part, void* image) {
  with_bytes(bytes, [&]<class U>(U) {
    for_each_index(queue, g.batch * g.in_y * g.in_x * g.channels,
                   Uncrop<U>{g, Images(g.in_y, g.in_x, g.channels), static_cast<const U*>(part),
                             static_cast<U*>(image)});
  });
}

void transpose(Queue queue, std::int64_t bytes, std::int64_t batch, std::int64_t rows, std::int64_t columns,
               const void* from, void* to) {
  with_bytes(bytes, [&]<class U>(U) {
    for_each_index(queue, batch * rows * columns,
                   Transpose<U>{Images(columns, rows, 1), static_cast<const U*>(from), static_cast<U*>(to)});
  });
}

void upsample(Queue queue, DType type, const CropGeometry& g, const void* x, void* y) {
  with_element(type, [&]<class T>(T) {
    for_each_index(
        queue, g.batch * g.out_y * g.out_x * g.channels,
        Upsample<T>{g, Images(g.out_y, g.out_x, g.channels), static_cast<const T*>(x), static_cast<T*>(y)});
  });
}

void upsample_gradient(Queue queue, DType type, const CropGeometry& g, const void* gradient, void* result) {
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, g.batch * g.in_y * g.in_x * g.channels,
                   UpsampleGradient<T>{g, Images(g.in_y, g.in_x, g.channels), static_cast<const T*>(gradient),
                                       static_cast<T*>(result)});
  });
}

void scale_pixels(Queue queue, DType type, const ChannelScale& scale, std::int64_t pixels,
                  const std::uint8_t* from, void* to) {
  with_element(type, [&]<class T>(T) {
    for_each_index(queue, pixels * scale.count,
                   ScalePixels<T>{scale, Divisor(scale.count), from, static_cast<T*>(to)});
  });
}

}  // namespace CONVOY_CUDA_NAMESPACE
