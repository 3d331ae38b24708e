#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/golden/hashed_values.h"
#include "tests/layers/cpu/layer_bench.h"

namespace convoy {
namespace {

TEST(PadChannels, AreZerosAroundTheInputToTheBit) {
  for (const Shape shape : {Shape{16, 5, 3}, Shape{32, 4, 4}, Shape{5, 3, 3}, Shape{8, 1, 1}}) {
    for (const std::int64_t before : {0, 3, 16}) {
      for (const bool blocked : {false, true}) {
        const std::int64_t outputs = shape.channels + before + 7;
        LayerBench bench(network_of(fmt::format("{{ type = \"pad_channels\", outputs = {}, before = {} }}",
                                                outputs, before),
                                    shape),
                         2, {.blocked_input = blocked});
        bench.inputs[0] = hashed_values(1, bench.inputs[0].size());
        bench.forward();
        for (std::int64_t i = 0; i < static_cast<std::int64_t>(bench.output.size()); ++i) {
          const std::int64_t pixel = i % shape.pixels();
          const std::int64_t channel = i / shape.pixels() % outputs - before;
          const std::int64_t sample = i / shape.pixels() / outputs;
          const bool inside = channel >= 0 && channel < shape.channels;
          const std::int64_t place = (sample * shape.channels + channel) * shape.pixels() + pixel;
          ASSERT_EQ(bench.output[static_cast<std::size_t>(i)],
                    inside ? bench.inputs[0][static_cast<std::size_t>(place)] : 0.F)
              << "value " << i << " of " << outputs << " channels, blocked " << blocked;
        }
        EXPECT_TRUE(bench.fences_stand());
      }
    }
  }
}

}  // namespace
}  // namespace convoy
