#include "trainer/loader_memory.h"

#include <algorithm>

#include "trainer/data/loader.h"
#include "trainer/planner/inference_plan.h"

namespace convoy {

std::int64_t loader_bytes(const Job& job, const PlanRequest& request, Shape input) {
  const bool decodes = holds_image_files(job.data.kind);
  const std::int64_t threads = job.data.loader_threads * (decodes ? kThreadBytes : input.elements());
  const std::int64_t share = share_of(request);
  std::int64_t evaluated = request.evaluate_batch;
  if (evaluated == 0) evaluated = request.micro_batch > 0 ? std::min(request.micro_batch, share) : share;
  const std::int64_t evaluation = kEvaluationAhead * evaluated * loader_sample_bytes(input) + threads;
  if (!request.training) return evaluation;
  // The threads of the training's loader idle meanwhile: they keep storage, and no large image.
  return evaluation + job.data.ahead * share * loader_sample_bytes(input) + threads / (decodes ? 2 : 1);
}

}  // namespace convoy
