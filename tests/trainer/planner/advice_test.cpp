#include "trainer/planner/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "layers/sizes/size_backend.h"
#include "trainer/planner/search_plan.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

class AdviceTest : public testing::Test {
 protected:
  AdviceTest() {
    request_.samples = 1000;
    request_.batch = 64;
    request_.limit_bytes = std::int64_t{1} << 50;
    request_.may_recompute = request_.may_shrink = true;
    options_.budget_seconds = 100;
  }

  Graph network(const std::string& name) {
    return read_network(CONVOY_SOURCE "/configs/nets/" + name + ".toml");
  }
  std::vector<Advice> advice_at(const Graph& graph, double share) {
    const std::int64_t ample = make_plan(graph, request_, *backend_).projected_bytes();
    request_.limit_bytes = static_cast<std::int64_t>(share * static_cast<double>(ample));
    return advise(graph, request_, search_plan(graph, request_, *backend_), *backend_, options_);
  }
  static const Advice* find(const std::vector<Advice>& all, Advice::Kind kind, const std::string& layer) {
    for (const Advice& one : all) {
      if (one.kind == kind && one.layer == layer) return &one;
    }
    return nullptr;
  }

  std::unique_ptr<Backend> backend_ = make_size_backend({"gpu", {DType::f32, DType::f16}});
  PlanRequest request_;
  AdviceOptions options_;
};

TEST_F(AdviceTest, IsNotGivenWhereNothingIsAmiss) { EXPECT_TRUE(advice_at(network("alexnet"), 2).empty()); }

TEST_F(AdviceTest, TellsWhatAChangedNetworkSavesToTheByte) {
  const Graph graph = network("alexnet");
  const std::vector<Advice> all = advice_at(graph, 0.9);
  const Advice* stride = find(all, Advice::Kind::stride, "conv1");
  ASSERT_NE(stride, nullptr);
  EXPECT_EQ(stride->change, "stride 5 in place of 4");
  // The same network with that line changed, planned by itself.
  std::string text = network_to_toml(graph);
  const std::size_t at = text.find("stride = 4");
  ASSERT_NE(at, std::string::npos);
  const Graph changed = parse_network(text.replace(at, 10, "stride = 5"), "changed.toml");
  const std::int64_t bytes =
      make_plan(changed, request_, *backend_, nullptr, {.effort = 0}).projected_bytes();
  EXPECT_EQ(stride->projected_bytes, bytes);
  EXPECT_EQ(stride->saved_bytes,
            make_plan(graph, request_, *backend_, nullptr, {.effort = 0}).projected_bytes() - bytes);
  EXPECT_EQ(stride->fits, bytes <= request_.limit_bytes);
}

TEST_F(AdviceTest, TellsLayersThatCanBeLeftOutAndNoOthers) {
  const std::vector<Advice> all = advice_at(network("alexnet"), 0.9);
  EXPECT_EQ(find(all, Advice::Kind::leave_out, "fc8"), nullptr) << "it makes the classes";
  int left_out = 0;
  for (const Advice& one : all) {
    EXPECT_GT(one.saved_bytes, 0) << one.layer;
    left_out += one.kind == Advice::Kind::leave_out ? 1 : 0;
  }
  EXPECT_GE(left_out, 1);
  EXPECT_LE(left_out, static_cast<int>(options_.most));
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].kind == all[i - 1].kind && all[i].kind != Advice::Kind::devices) {
      EXPECT_LE(all[i].saved_bytes, all[i - 1].saved_bytes) << "the most saving first";
    }
  }
}

TEST_F(AdviceTest, LeavesResidualBlocksWhole) {
  // A layer on one branch of a sum may go only where shapes stay the same.
  const Graph graph = network("resnet18");
  for (const Advice& one : advice_at(graph, 0.6)) {
    if (one.kind == Advice::Kind::devices) continue;
    const auto layer = std::find_if(graph.layers().begin(), graph.layers().end(),
                                    [&](const Layer& other) { return other.name == one.layer; });
    ASSERT_NE(layer, graph.layers().end());
    if (one.kind == Advice::Kind::leave_out && layer != graph.layers().begin()) {
      EXPECT_EQ(graph.input_shapes(*layer)[0], graph.output_shape(*layer)) << one.layer;
    }
  }
}

TEST_F(AdviceTest, TellsWhatMoreRanksSave) {
  options_.collective_bytes = [](int ranks) { return ranks > 1 ? std::int64_t{5} << 20 : 0; };
  const std::vector<Advice> all = advice_at(network("alexnet"), 0.9);
  std::vector<Advice> devices;
  std::copy_if(all.begin(), all.end(), std::back_inserter(devices),
               [](const Advice& one) { return one.kind == Advice::Kind::devices; });
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_THAT(devices[0].change, HasSubstr("2 ranks in place of 1"));
  EXPECT_THAT(devices[1].change, HasSubstr("4 ranks in place of 1"));
  PlanRequest two = request_;
  two.ranks = 2;
  two.collective_bytes = 5 << 20;
  const auto graph = network("alexnet");
  EXPECT_EQ(devices[0].projected_bytes,
            make_plan(graph, two, *backend_, nullptr, {.effort = 0}).projected_bytes());
  EXPECT_GT(devices[1].saved_bytes, devices[0].saved_bytes);
}

TEST_F(AdviceTest, OfAJobThatDoesNotFitStartsFromTheLeastThatIsPossible) {
  const Graph graph = network("lenet");
  const std::vector<Advice> all = advice_at(graph, 0.01);
  ASSERT_FALSE(all.empty());
  request_.limit_bytes = 1;
  const std::int64_t least = search_plan(graph, request_, *backend_).projected_bytes();
  for (const Advice& one : all) {
    EXPECT_FALSE(one.fits);
    EXPECT_LT(one.projected_bytes, least);
  }
}

TEST_F(AdviceTest, TellsPeopleAndProgramsTheSame) {
  const std::vector<Advice> all{
      {Advice::Kind::stride, "conv1", "stride 2 in place of 1", 1 << 20, 1 << 22, true},
      {Advice::Kind::devices, "", "2 ranks in place of 1", 1 << 10, 1 << 20, false}};
  const std::string text = advice_text(all);
  EXPECT_THAT(text, HasSubstr("layer conv1: stride 2 in place of 1: saves 1.00 MiB, and then it fits\n"));
  EXPECT_THAT(text, HasSubstr("  2 ranks in place of 1: saves 1.00 KiB\n"));
  EXPECT_EQ(advice_text({}), "");
  const boost::json::array json = advice_json(all);
  EXPECT_EQ(boost::json::serialize(json[0]),
            "{\"kind\":\"stride\",\"layer\":\"conv1\",\"change\":\"stride 2 in place of 1\","
            "\"saved_bytes\":1048576,\"projected_bytes\":4194304,\"fits\":true}");
  EXPECT_EQ(json[1].at("kind"), "devices");
}

}  // namespace
}  // namespace convoy
