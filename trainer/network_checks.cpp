#include "trainer/network_checks.h"

#include <algorithm>

#include "layers/core/error.h"
#include "layers/core/text.h"
#include "trainer/data/dataset.h"
#include "trainer/preparation.h"

namespace convoy {
namespace {

void check_sizes(const Job& job, Shape input) {
  const std::int64_t shorter = job.data.shorter_side;
  const std::int64_t least = std::min(input.height, input.width);
  if (shorter > 0 && shorter < least && evaluation_augmentation(job, input).crop != CropKind::window) {
    fail(
        ExitCode::usage,
        "[data] shorter_side = {} leaves no window of {} x {}, the network's input; give it {} or more, or 0 "
        "for {}",
        shorter, input.height, input.width, least, usual_shorter_side(input));
  }
  if (job.data.crop_padding >= least) {
    fail(ExitCode::usage,
         "[data] crop_padding = {} would cut crops without a pixel of the image, which is {} x {}; a usual "
         "value is {}",
         job.data.crop_padding, input.height, input.width, std::max<std::int64_t>(input.height / 8, 1));
  }
}

}  // namespace

void check_loss(const Job& job, const Graph& graph) {
  if (graph.loss_layer() >= 0) return;
  fail(ExitCode::usage, "{}: the network has no loss; end it with {{ type = \"softmax_loss\" }}",
       job.network);
}

void check_network(const Job& job, const Graph& graph) {
  const Shape input = graph.input();
  const KnownSet known = known_set(job.data.kind);
  if (known.classes > 0) check_set(job, graph, known.classes, known.channels);
  if (job.data.classes > 0 && job.data.classes != graph.classes()) {
    fail(ExitCode::usage, "{}: the network tells {} apart, but data.classes is {}", job.network,
         counted(graph.classes(), "class"), job.data.classes);
  }
  check_sizes(job, input);
  check_colours(training_augmentation(job, input), input.channels);
  // Empty ones are measured on the training set.
  if (!job.data.mean.empty()) check_channel_values(job.data.mean, "mean", input);
  if (!job.data.deviation.empty()) check_channel_values(job.data.deviation, "deviation", input);
}

void check_set(const Job& job, const Graph& graph, int classes, std::int64_t channels) {
  if (classes != graph.classes()) {
    fail(ExitCode::usage,
         "{}: the network tells {} apart, but the data set \"{}\" has {}; give its last layer {}",
         job.network, counted(graph.classes(), "class"), job.data.kind, classes, counted(classes, "output"));
  }
  if (channels != graph.input().channels) {
    fail(ExitCode::usage, "{}: the network takes images of {}, but those of the data set \"{}\" have {}",
         job.network, counted(graph.input().channels, "channel"), job.data.kind, channels);
  }
}

void check_channel_values(const std::vector<double>& values, const char* key, Shape input) {
  if (values.size() == 1 || values.size() == static_cast<std::size_t>(input.channels)) return;
  fail(ExitCode::usage, "[data] {} has {}, but the network takes {}; give one for each, or one for all", key,
       counted(std::ssize(values), "value"), counted(input.channels, "channel"));
}

}  // namespace convoy
