#pragma once

#include <vector>

#include "layers/graph/graph.h"
#include "trainer/job.h"

namespace convoy {

/// Error(usage) for a network without a loss.
void check_loss(const Job& job, const Graph& graph);

/// What a job asks of its network that cannot be: all that is told without looking at data, so that whoever
/// only plans hears of it too. Error(usage) that names the network, or the key.
void check_network(const Job& job, const Graph& graph);

/// Error(usage) where a data set of so many classes, with images of so many channels, is none for the
/// network.
void check_set(const Job& job, const Graph& graph, int classes, std::int64_t channels);

/// Error(usage) where [data] mean or deviation, as `key` says, has neither one value nor one a channel.
void check_channel_values(const std::vector<double>& values, const char* key, Shape input);

}  // namespace convoy
