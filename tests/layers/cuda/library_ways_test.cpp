#include <gtest/gtest.h>

#include "tests/layers/cpu/golden_case.h"

// Whichever of the libraries' kernels runs a layer, it computes what PyTorch does: on a GPU all that a trial
// may choose.
namespace convoy {
namespace {

constexpr std::int64_t kWorkspace = 16 << 20;

/// Where a device has no timer: all ways take as long, and are found without being run.
class NoTimer : public KernelTimer {
 public:
  double seconds(const std::string&, Kernel&) override { return 1; }
  bool late() override { return false; }
  bool over() override { return false; }
  std::byte* memory(std::int64_t bytes) override {
    memory_.resize(static_cast<std::size_t>(bytes));
    return memory_.data();
  }

 private:
  std::vector<std::byte> memory_;
};

class LibraryWays : public testing::TestWithParam<std::tuple<std::string, DType>> {};

/// What a trial of the case's layer finds; the device's own timer where it has one.
std::optional<KernelTrial> trial_of(const GoldenCase& one, const BenchSettings& settings) {
  LayerBench bench = one.bench(settings);
  if (!bench.site().training) return std::nullopt;
  std::unique_ptr<KernelTimer> timer = bench.backend().make_timer(60, std::int64_t{1} << 30);
  if (timer == nullptr) timer = std::make_unique<NoTimer>();
  return bench.backend().try_kernels(bench.site(), {}, *timer);
}

TEST_P(LibraryWays, AllEqualPyTorch) {
  const auto& [type, precision] = GetParam();
  if (!make_bench_device().backend->supports(precision)) GTEST_SKIP() << "no such type here";
  int ways = 0;
  for (const char* name : {"layers", "spatial"}) {
    const std::vector<SafetensorsFile> file = [&] {
      std::vector<SafetensorsFile> one;
      one.push_back(open_golden(name));
      return one;
    }();
    for (GoldenCase& one : golden_cases(file, type)) {
      BenchSettings settings{.type = precision, .workspace_bytes = kWorkspace};
      const std::optional<KernelTrial> trial = trial_of(one, settings);
      if (!trial) continue;
      for (const auto& [way, seconds] : trial->seconds) {
        SCOPED_TRACE(way);
        settings.way = way;
        one.check(settings);
        ++ways;
      }
    }
  }
  EXPECT_GT(ways, 3);
}

INSTANTIATE_TEST_SUITE_P(Layers, LibraryWays,
                         testing::Combine(testing::Values("convolution", "deconvolution", "fully_connected"),
                                          testing::Values(DType::f32, DType::bf16, DType::f16)),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" +
                                  std::string(name_of(std::get<1>(test.param)));
                         });

}  // namespace
}  // namespace convoy
