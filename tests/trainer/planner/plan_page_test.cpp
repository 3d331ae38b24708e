#include "trainer/planner/plan_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <set>
#include <sstream>

#include "layers/core/bytes.h"
#include "layers/cpu/cpu_backend.h"
#include "layers/sizes/size_backend.h"
#include "trainer/planner/markup.h"
#include "trainer/planner/plan_map.h"
#include "trainer/planner/plan_report.h"
#include "trainer/planner/search_plan.h"

namespace convoy::test {
namespace {

using boost::property_tree::ptree;
using ::testing::HasSubstr;
using ::testing::Not;

PlanRequest request_of(std::int64_t batch) {
  PlanRequest request;
  request.samples = 10 * batch;
  request.batch = batch;
  request.limit_bytes = std::int64_t{1} << 40;
  request.may_shrink = request.may_recompute = request.may_shrink_workspace = true;
  return request;
}

ptree parsed(const std::string& page) {
  std::istringstream text(page);
  ptree tree;
  read_xml(text, tree);
  return tree;
}

/// A tensor's place: first step, units from the bottom, steps, units.
using Place = std::array<std::int64_t, 4>;

void collect(const ptree& tree, std::multiset<Place>& rectangles, std::size_t& merged) {
  for (const auto& [name, node] : tree) {
    const auto number = [&, &element = node](const char* key) {
      return static_cast<std::int64_t>(element.get<double>(std::string("<xmlattr>.") + key));
    };
    if (name == "rect" && node.count("title") == 1)
      rectangles.insert({number("x"), number("y"), number("width"), number("height")});
    else if (name == "rect")
      ++merged;
    collect(node, rectangles, merged);
  }
}

/// Of the group in which the tensors are drawn.
void collect_tensors(const Plan& plan, std::multiset<Place>& rectangles, std::size_t& merged) {
  collect(parsed(plan_map(plan)).get_child("svg.svg.g"), rectangles, merged);
}

TEST(PlanMap, ItsRectanglesAreTheLayout) {
  const std::unique_ptr<Backend> cpu = make_cpu_backend();
  for (const char* net : {"lenet", "googlenet", "resnet20"}) {
    const Graph graph = read_network(CONVOY_SOURCE "/configs/nets/" + std::string(net) + ".toml");
    const Plan plan = search_plan(graph, request_of(16), *cpu);
    std::multiset<Place> rectangles;
    std::size_t merged = 0;
    collect_tensors(plan, rectangles, merged);
    std::multiset<Place> tensors;
    for (std::size_t i = 0; i < plan.program.tensors.size(); ++i) {
      const Tensor& tensor = plan.program.tensors[i];
      const std::int64_t unit = plan.program.alignment;
      if (tensor.bytes == 0) continue;
      tensors.insert({tensor.first, plan.layout.offsets[i] / unit, tensor.last - tensor.first + 1,
                      round_up(tensor.bytes, unit) / unit});
    }
    EXPECT_EQ(rectangles.size() + merged, tensors.size()) << net;
    EXPECT_TRUE(std::includes(tensors.begin(), tensors.end(), rectangles.begin(), rectangles.end())) << net;
    // What is large enough to be seen has one of its own.
    std::size_t large = 0;
    for (const auto& [first, offset, wide, high] : tensors) {
      large += 20 * high * plan.program.alignment > plan.arena_bytes() &&
                       20 * wide > static_cast<std::int64_t>(plan.program.steps.size())
                   ? 1U
                   : 0U;
    }
    EXPECT_GE(rectangles.size(), std::max<std::size_t>(large, 8)) << net;
  }
}

TEST(PlanMap, DrawsThousandsOfTensorsInLessThanAMebibyte) {
  const std::unique_ptr<Backend> gpu = make_size_backend({"gpu", {DType::f32, DType::f16}});
  const Graph graph = read_network(CONVOY_SOURCE "/configs/nets/resnet152.toml");
  PlanRequest request = request_of(64);
  request.micro_batch = 30;  // two sizes of micro-batches
  request.samples = 1001;
  const Plan whole = search_plan(graph, request, *gpu);
  request.limit_bytes = whole.projected_bytes() / 2;
  const Plan half = search_plan(graph, request, *gpu);
  for (const Plan* plan : {&whole, &half}) {
    ASSERT_GT(plan->program.tensors.size(), 2000U);
    const std::string page = plan_page(*plan, graph);
    EXPECT_LT(page.size(), std::size_t{1} << 20);
    EXPECT_FALSE(parsed(page).empty());
    std::multiset<Place> rectangles;
    std::size_t merged = 0;
    collect_tensors(*plan, rectangles, merged);
    for (const auto& [first, offset, wide, high] : rectangles) EXPECT_LE(offset + high, 1 << 25);
    EXPECT_LE(rectangles.size(), kMostRectangles);
    EXPECT_GT(merged, 0U);
  }
}

TEST(PlanPage, TellsTheLedgerThePeakAndWhatWasDone) {
  const Graph graph = read_network(CONVOY_SOURCE "/configs/nets/lenet.toml");
  const std::unique_ptr<Backend> cpu = make_cpu_backend();
  PlanRequest request = request_of(64);
  const Plan ample = search_plan(graph, request, *cpu);
  request.limit_bytes = ample.arena_bytes() * 17 / 20;
  const Plan less = search_plan(graph, request, *cpu);
  ASSERT_TRUE(less.fits());
  const std::string page = plan_page(less, graph);
  const std::string peak = less.program.steps[static_cast<std::size_t>(less.layout.peak_step)].name;
  for (const std::string& part : std::vector<std::string>{
           format_bytes(less.projected_bytes()), format_bytes(request.limit_bytes), "peak: ", peak,
           "What was tried", less.alternatives.at(0).text, "within the limit"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  for (const PlanAction& action : less.actions) EXPECT_THAT(page, HasSubstr(escaped(action.reason)));
  for (const char* foreign :
       {"http", "src=", "href", "url(", "@import", "<script", "onload", "<link", "<img"})
    EXPECT_THAT(page, Not(HasSubstr(foreign)));
}

TEST(PlanPage, SaysWhyAJobDoesNotFit) {
  const Graph graph = read_network(CONVOY_SOURCE "/configs/nets/lenet.toml");
  PlanRequest request = request_of(64);
  request.limit_bytes = 100'000;
  const Plan plan = search_plan(graph, request, *make_cpu_backend());
  const std::string page = plan_page(plan, graph);
  EXPECT_FALSE(parsed(page).empty());
  EXPECT_THAT(page, HasSubstr("does not fit: with"));
  EXPECT_THAT(page, HasSubstr(escaped(refusal_of(plan, graph))));
  EXPECT_THAT(page, HasSubstr("What makes the peak"));
}

TEST(PlanPage, EscapesNames) {
  const Graph graph = parse_network(
      "name = \"<script>&'\"\ninput = { channels = 1, height = 8, width = 8 }\nlayers = [\n"
      "{ name = \"a<b>&\\\"c\", type = \"convolution\", outputs = 4, kernel = 3 },\n"
      "{ type = \"fully_connected\", outputs = 4 }, { type = \"softmax_loss\" } ]\n",
      "net.toml");
  const Plan plan = search_plan(graph, request_of(4), *make_cpu_backend());
  const std::string page = plan_page(plan, graph);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, HasSubstr("a&lt;b&gt;&amp;&quot;c"));
  EXPECT_EQ(parsed(page).get<std::string>("html.head.title"), "<script>&': memory plan");
  EXPECT_EQ(escaped("a\x01\nb"), "a\xEF\xBF\xBD b");
}

}  // namespace
}  // namespace convoy::test
