#include "layers/graph/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "layers/core/index.h"
#include "layers/core/text.h"
#include "layers/graph/refuse.h"

namespace convoy {
namespace {

void check_names(const std::vector<Graph::Entry>& entries) {
  std::map<std::string, const Graph::Entry*> seen;
  for (const Graph::Entry& entry : entries) {
    if (entry.name == "input") refuse(entry, "\"input\" is the name of the network's input; choose another");
    const auto [place, fresh] = seen.emplace(entry.name, &entry);
    if (!fresh)
      refuse(entry, fmt::format("the name is used twice, first at line {}", place->second->mark.line));
  }
  std::vector<std::string> known{"input"};
  for (const Graph::Entry& entry : entries) known.push_back(entry.name);
  for (const Graph::Entry& entry : entries) {
    for (const std::string& from : entry.from) {
      if (from != "input" && !seen.contains(from)) {
        refuse(entry, fmt::format("no layer gives its input \"{}\"{}", from, did_you_mean(from, known)));
      }
    }
  }
}

/// No tensor of a sample or of parameters has more values than this; counts of values and of work stay far
/// from overflow.
constexpr double kMostValues = 0x1p31;

void check_size(const Graph::Entry& entry, std::string_view what, std::span<const std::int64_t> dims) {
  double values = 1;
  for (const std::int64_t dim : dims) values *= static_cast<double>(dim);
  if (values > kMostValues)
    refuse(entry, fmt::format("its {} would have {:.3g} values; at most 2^31 are possible", what, values));
}

/// Entries in an order in which each follows its inputs; the file's order where that is free.
std::vector<Graph::Entry> sorted(std::vector<Graph::Entry> entries) {
  std::vector<Graph::Entry> order;
  std::set<std::string> done{"input"};
  std::vector<bool> placed(entries.size());
  const auto ready = [&](std::size_t i) {
    return !placed[i] && std::all_of(entries[i].from.begin(), entries[i].from.end(),
                                     [&](const std::string& from) { return done.contains(from); });
  };
  for (std::size_t first = 0; order.size() < entries.size();) {
    while (placed[first]) ++first;
    std::size_t next = first;
    while (next < entries.size() && !ready(next)) ++next;
    if (next == entries.size()) {
      std::vector<std::string> names;
      for (std::size_t i = 0; i < entries.size(); ++i) {
        if (!placed[i]) names.push_back(entries[i].name);
      }
      refuse(entries[first], fmt::format("its inputs form a cycle; among: {}", join(names)));
    }
    done.insert(entries[next].name);
    placed[next] = true;
    order.push_back(std::move(entries[next]));
  }
  return order;
}

}  // namespace

Graph::Graph(std::string name, Shape input, std::vector<Entry> entries) : name_(std::move(name)) {
  activations_.push_back({"input", input, -1, {}});
  check_names(entries);
  for (Entry& entry : sorted(std::move(entries))) add(std::move(entry));
  auxiliary_.assign(layers_.size(), false);
  if (std::none_of(layers_.begin(), layers_.end(), [](const Layer& layer) { return is_loss(layer.op); }))
    return;
  find_main_loss();
  find_auxiliary();
  check_losses();
}

void Graph::find_main_loss() {
  const Layer* any = nullptr;
  for (int i = 0; i < static_cast<int>(layers_.size()); ++i) {
    const Layer& layer = layers_[index(i)];
    const Loss* loss = loss_of(layer.op);
    if (loss == nullptr) continue;
    any = &layer;
    if (loss->auxiliary) continue;
    if (loss_ >= 0) {
      refuse(layer, fmt::format("the network has a main loss already, \"{}\"; set auxiliary = true on a loss "
                                "that exists only in training",
                                layers_[index(loss_)].name));
    }
    loss_ = i;
  }
  if (loss_ < 0) {
    refuse(
        *any,
        "all losses of the network are auxiliary; one must be the main one: take its key \"auxiliary\" out");
  }
}

/// Everything that the main loss does not come from.
void Graph::find_auxiliary() {
  auxiliary_.assign(layers_.size(), true);
  auxiliary_[index(loss_)] = false;
  for (int i = loss_; i >= 0; --i) {
    if (auxiliary_[index(i)]) continue;
    for (const int input : layers_[index(i)].inputs) {
      const int producer = activations_[index(input)].producer;
      if (producer >= 0) auxiliary_[index(producer)] = false;
    }
  }
}

void Graph::check_losses() const {
  for (const Layer& layer : layers_) {
    if (activations_[index(layer.output)].consumers.empty() && !is_loss(layer.op)) {
      refuse(layer,
             "no layer takes its output, so the loss does not depend on it; "
             "take it out, or name it in the \"from\" of another layer");
    }
    if (is_loss(layer.op) && output_shape(layer).channels != classes()) {
      refuse(layer, fmt::format("it tells {} classes apart, but the main loss \"{}\" tells {}",
                                output_shape(layer).channels, layers_[index(loss_)].name, classes()));
    }
  }
}

void Graph::add(Entry entry) {
  const auto [least, most] = input_count_of(entry.op);
  if (entry.from.size() < least || entry.from.size() > most) {
    refuse(entry, fmt::format("takes {} input{}, but has {}",
                              least == most ? fmt::format("{}", least) : fmt::format("at least {}", least),
                              most == 1 ? "" : "s", entry.from.size()));
  }
  Layer layer{entry.name, entry.op, {}, static_cast<int>(activations_.size()), entry.mark, {}, {}};
  for (const std::string& from : entry.from) {
    const auto given = std::find_if(activations_.begin(), activations_.end(),
                                    [&](const Activation& a) { return a.name == from; });
    layer.inputs.push_back(static_cast<int>(given - activations_.begin()));
    if (given->producer >= 0 && is_loss(layers_[index(given->producer)].op)) {
      refuse(entry, fmt::format("takes from the loss \"{}\", where the network ends; name the layers that it "
                                "takes from in its \"from\"",
                                from));
    }
  }
  const int self = static_cast<int>(layers_.size());
  const std::vector<Shape> inputs = input_shapes(layer);
  settle(layer.op, inputs);
  try {
    activations_.push_back({entry.name, convoy::output_shape(layer.op, inputs), self, {}});
  } catch (const ShapeError& problem) {
    refuse(entry, problem.what());
  }
  const Shape& shape = activations_.back().shape;
  check_size(entry, "output", std::array{shape.channels, shape.height, shape.width});
  layer.parameters = parameters_of(layer.op, inputs);
  for (const ParameterSpec& parameter : layer.parameters) check_size(entry, parameter.name, parameter.dims);
  layer.states = states_of(layer.op, inputs);
  for (const int activation : layer.inputs) activations_[index(activation)].consumers.push_back(self);

  layers_.push_back(std::move(layer));
}

std::vector<Shape> Graph::input_shapes(const Layer& layer) const {
  std::vector<Shape> shapes;
  for (const int activation : layer.inputs) shapes.push_back(activations_[index(activation)].shape);
  return shapes;
}

std::int64_t Graph::classes() const { return loss_ < 0 ? 0 : output_shape(layers_[index(loss_)]).channels; }

std::int64_t Graph::parameters_training() const {
  std::int64_t count = 0;
  for (const Layer& layer : layers_) count += layer.parameter_elements();
  return count;
}

std::int64_t Graph::parameters() const {
  std::int64_t count = 0;
  for (int i = 0; i < static_cast<int>(layers_.size()); ++i)
    count += auxiliary(i) ? 0 : layers_[index(i)].parameter_elements();
  return count;
}

std::int64_t Graph::macs() const {
  std::int64_t count = 0;
  for (int i = 0; i < static_cast<int>(layers_.size()); ++i)
    count += auxiliary(i) ? 0 : macs_of(layers_[index(i)].op, input_shapes(layers_[index(i)]));
  return count;
}

std::int64_t Graph::activation_elements() const {
  std::int64_t count = 0;
  for (const Activation& activation : activations_) {
    const bool counts = activation.producer < 0 || !auxiliary(activation.producer);
    count += counts ? activation.shape.elements() : 0;
  }
  return count;
}

}  // namespace convoy
