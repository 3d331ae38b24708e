#include "trainer/planner/cost_model.h"

#include <algorithm>

#include "trainer/planner/recompute_sets.h"
#include "trainer/program/buckets.h"

namespace convoy {
namespace {

/// Of the time of a convolution, what an algorithm without workspace costs more on a GPU: an estimate.
constexpr double kWithoutWorkspace = 0.25;
/// And on the processor, where it takes the place of Winograd's: measured 0.4 to 0.9.
constexpr double kWithoutWinograd = 0.6;
/// Parameters begin at multiples of so many values in the flat buffers.
constexpr std::int64_t kSlotValues = 32;
/// What the ranks tell each other in every iteration: loss, counts, requests to stop.
constexpr double kIterationBytes = 64;

std::int64_t rounded_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

CostModel::CostModel(const Graph& graph, const PlanRequest& request, MeasuredLayers measured)
    : graph_(graph), request_(request), measured_(std::move(measured)), works_(layer_works(graph)) {
  for (const std::int64_t element_size : {2, 4}) cut_buckets(element_size);
  parameters_ = static_cast<double>(graph.parameters_training());
}

void CostModel::cut_buckets(std::int64_t element_size) {
  std::vector<std::int64_t> sizes;
  std::vector<int> layers;
  for (int i = static_cast<int>(graph_.layers().size()); i-- > 0;) {
    for (const ParameterSpec& parameter : graph_.layers()[static_cast<std::size_t>(i)].parameters) {
      sizes.push_back(rounded_up(parameter.elements(), kSlotValues));
      layers.push_back(i);
    }
  }
  const std::int64_t bytes = std::max(request_.bucket_bytes, element_size);
  std::vector<Bucket>& cut = buckets_[element_size];
  std::int64_t end = 0;
  std::size_t parameter = 0;
  for (const Slice& slice : make_buckets(sizes, element_size, bytes, std::max(bytes / 4, element_size))) {
    while (parameter < sizes.size() && end < slice.first + slice.count) end += sizes[parameter++];
    cut.push_back({layers[parameter - 1], static_cast<double>(slice.count)});
  }
}

const PassWork& CostModel::work_of(std::size_t layer, PassKind pass) const {
  const LayerWork& work = works_[layer];
  if (pass == PassKind::backward_weights) return work.backward_weights;
  return goes_forward(pass) ? work.forward : work.backward_data;
}

double CostModel::slowdown(std::size_t layer, PassKind pass, const Way& way) const {
  if (!is_costly(graph_.layers()[layer].op) || request_.workspace_bytes <= 0) return 1;
  if (request_.workspace_bytes != kAnyWorkspace) {
    const double missing =
        1 - static_cast<double>(way.workspace_bytes) / static_cast<double>(request_.workspace_bytes);
    return 1 + kWithoutWorkspace * std::clamp(missing, 0.0, 1.0);
  }
  const std::vector<LeanPass>& lean = request_.lean.passes;
  const bool is_lean = std::binary_search(lean.begin(), lean.end(), LeanPass{static_cast<int>(layer), pass});
  const bool capped = way.workspace_bytes != kAnyWorkspace && work_of(layer, pass).window;
  return (is_lean || capped) && way.precision == DType::f32 ? 1 + kWithoutWinograd : 1;
}

double CostModel::lean_seconds(const LeanPass& pass, std::int64_t samples) const {
  return kWithoutWinograd * work_of(static_cast<std::size_t>(pass.layer), pass.pass)
                                .seconds(static_cast<double>(samples), request_.precision, request_.speed);
}

CostModel::Passes CostModel::passes(std::size_t layer, std::int64_t samples, const Way& way) const {
  const LayerWork& work = works_[layer];
  const auto b = static_cast<double>(samples);
  const auto factor = [&](PassKind pass) { return slowdown(layer, pass, way); };
  const auto time = [&](PassKind pass) {
    return factor(pass) * work_of(layer, pass).seconds(b, way.precision, request_.speed);
  };
  const Passes predicted{time(PassKind::forward),
                         time(PassKind::backward_weights) + time(PassKind::backward_data)};
  const auto known = measured_.find(way.precision);
  if (known == measured_.end() || known->second[layer] <= 0) return predicted;
  // Passes of equal arithmetic, where there are all three.
  const bool data = work.backward_data.kernels > 0 && work.backward_weights.kernels > 0;
  const double each = known->second[layer] * b / (data ? 3 : 2);
  // Trials on GPUs are made under the cap.
  if (request_.workspace_bytes != kAnyWorkspace) return {each, (data ? 2 : 1) * each};
  return {each * factor(PassKind::forward),
          each * factor(PassKind::backward_weights) + (data ? each * factor(PassKind::backward_data) : 0)};
}

std::int64_t CostModel::gradient_size(const Way& way) const {
  return way.precision != DType::f32 && request_.speed.half_gradients ? 2 : 4;
}

double CostModel::update_seconds(double parameters, const Way& way) const {
  const bool half = way.precision != DType::f32;
  const auto gradient = static_cast<double>(gradient_size(way));
  // Weights and momentum are read and written, the copy in half precision is written.
  const double bytes = 8 + gradient + (request_.momentum ? 8 : 0) + (half ? 2 : 0);
  return bytes * parameters / way.shards / request_.speed.bytes_per_second + request_.speed.launch_seconds;
}

/// What is waited for beside the gradients: loss and requests once, batch norm's statistics where all ranks
/// share them, once forward and once backward.
double CostModel::waits(std::int64_t ranks, std::int64_t parts) const {
  double seconds = all_reduce_seconds(request_.links, ranks, kIterationBytes);
  if (!request_.shared_statistics) return seconds;
  for (const Layer& layer : graph_.layers()) {
    if (!std::holds_alternative<BatchNorm>(layer.op)) continue;
    const double bytes = 16 * static_cast<double>(graph_.output_shape(layer).channels);
    seconds += 2 * static_cast<double>(parts) * all_reduce_seconds(request_.links, ranks, bytes);
  }
  return seconds;
}

StepCost CostModel::cost(const Way& way) const { return cost(way, request_.ranks, share_of(request_)); }

CostModel::Passes CostModel::all_passes(const Way& way, std::int64_t samples, std::vector<double>* finished,
                                        StepCost& step, double times) const {
  const double pixel_bytes = static_cast<double>(graph_.input().elements() * (1 + size_of(way.precision)));
  step.input += times * (pixel_bytes * static_cast<double>(samples) / request_.speed.bytes_per_second +
                         request_.speed.launch_seconds);
  Passes all;
  auto again = way.recompute.rbegin();
  for (std::size_t layer = works_.size(); layer-- > 0;) {
    const Passes taken = passes(layer, samples, way);
    all.forward += taken.forward;
    all.backward += taken.backward;
    step.backward += times * taken.backward;
    if (again != way.recompute.rend() && static_cast<std::size_t>(*again) == layer) {
      step.recompute += times * taken.forward;
      all.backward += taken.forward;
      ++again;
    }
    if (finished != nullptr) (*finished)[layer] = all.backward;
  }
  step.forward += times * all.forward;
  return all;
}

std::vector<BucketCost> CostModel::bucket_costs(const Way& way, std::int64_t ranks) const {
  const std::int64_t size = gradient_size(way);
  std::vector<BucketCost> costs;
  for (const Bucket& bucket : buckets_.at(size)) {
    const double bytes = static_cast<double>(size) * bucket.parameters;
    BucketCost& cost = costs.emplace_back();
    cost.update = update_seconds(bucket.parameters, way);
    if (way.shards > 1) {
      cost.reduce = reduce_scatter_seconds(request_.links, ranks, bytes);
      cost.gather = all_gather_seconds(request_.links, ranks,
                                       static_cast<double>(size_of(way.precision)) * bucket.parameters);
    } else {
      cost.reduce = all_reduce_seconds(request_.links, ranks, bytes);
    }
  }
  return costs;
}

StepCost CostModel::cost(const Way& way, std::int64_t ranks, std::int64_t share) const {
  // As split_micro_batches: sizes that differ by one, a larger one last, and there gradients are reduced.
  const std::int64_t most = std::clamp<std::int64_t>(way.micro_batch, 1, std::max<std::int64_t>(share, 1));
  const std::int64_t parts = std::max<std::int64_t>((share + most - 1) / most, 1);
  const std::int64_t larger = share % parts == 0 ? parts : share % parts;
  StepCost step;
  std::vector<double> finished(works_.size());  // by layer, from the end of the last forward pass
  if (larger < parts) all_passes(way, share / parts, nullptr, step, static_cast<double>(parts - larger));
  const Passes last =
      all_passes(way, (share + parts - 1) / parts, &finished, step, static_cast<double>(larger));
  if (parts > 1) {
    // The gradients of a micro-batch are written apart, then added to the sums.
    step.accumulate =
        static_cast<double>(3 * parts * gradient_size(way)) * parameters_ / request_.speed.bytes_per_second;
  }
  const double compute = step.input + step.forward + step.backward + step.recompute + step.accumulate;
  std::vector<BucketCost> buckets = bucket_costs(way, ranks);
  std::vector<BucketCost> silent(buckets.size());
  const std::vector<Bucket>& cut = buckets_.at(gradient_size(way));
  for (std::size_t b = 0; b < buckets.size(); ++b) {
    buckets[b].ready = compute - last.backward + finished[static_cast<std::size_t>(cut[b].layer)];
    silent[b].update = buckets[b].update;
    step.update += buckets[b].update;
    step.communicate += buckets[b].reduce + buckets[b].gather;
  }
  const double waited = waits(ranks, parts);
  step.communicate += waited;
  const double alone = step_end(silent, compute);
  step.total = request_.links.overlaps() ? step_end(buckets, compute) + waited : alone + step.communicate;
  step.exposed = step.total - alone;
  return step;
}

namespace {

ScalingPoint point(const CostModel& model, const Way& way, std::int64_t ranks, std::int64_t share,
                   std::int64_t batch) {
  Way here = way;
  if (ranks == 1) here.shards = 1;
  if (here.shards > 1) here.shards = static_cast<int>(ranks);
  here.micro_batch = std::min(way.micro_batch, share);
  ScalingPoint row{ranks, batch, model.cost(here, ranks, share), 0, 1};
  row.images_per_second = static_cast<double>(batch) / row.step.total;
  return row;
}

}  // namespace

ScalingPoint same_share(const CostModel& model, const Way& way, std::int64_t ranks) {
  const std::int64_t share = share_of(model.request());
  ScalingPoint row = point(model, way, ranks, share, share * ranks);
  row.efficiency = point(model, way, 1, share, share).step.total / row.step.total;
  return row;
}

ScalingPoint same_batch(const CostModel& model, const Way& way, std::int64_t ranks) {
  const PlanRequest& request = model.request();
  const std::int64_t batch = std::min(request.batch, std::max<std::int64_t>(request.samples, 1));
  ScalingPoint row = point(model, way, ranks, (batch + ranks - 1) / ranks, batch);
  row.efficiency = row.images_per_second / static_cast<double>(ranks) /
                   point(model, way, 1, batch, batch).images_per_second;
  return row;
}

}  // namespace convoy
