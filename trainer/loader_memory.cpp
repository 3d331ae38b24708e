#include "trainer/loader_memory.h"

#include <algorithm>

#include "trainer/data/loader.h"
#include "trainer/planner/inference_plan.h"
#include "trainer/preparation.h"

namespace convoy {

void count_loader(const Job& job, Shape input, PlanRequest& request) {
  const bool decodes = holds_image_files(job.data.kind);
  const std::int64_t threads = job.data.loader_threads * (decodes ? kThreadBytes : input.elements());
  const std::int64_t share = share_of(request);
  const std::int64_t evaluated =
      request.evaluate_batch > 0 ? request.evaluate_batch : asked_micro_batch(request);
  const Augmentation views = evaluation_augmentation(job, input);
  request.evaluated_views = views.views();
  request.evaluated_bytes = Loader::ring_bytes(kEvaluationAhead, 1, input, views);
  const std::int64_t images = std::max<std::int64_t>(evaluated / views.views(), 1);
  request.loader_bytes = images * request.evaluated_bytes + threads;
  if (!request.training) return;
  const Augmentation training = training_augmentation(job, input);
  const std::int64_t partners = training.mixup > 0 ? job.data.loader_threads * input.elements() : 0;
  // The threads of the training's loader idle meanwhile: they keep storage, and no large image.
  request.loader_bytes +=
      Loader::ring_bytes(job.data.ahead, share, input, training) + threads / (decodes ? 2 : 1) + partners;
}

}  // namespace convoy
