#include "tests/layers/cpu/layer_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "layers/core/index.h"

namespace convoy {
namespace {

bool is_activation(Role role) {
  return role == Role::input || role == Role::output || role == Role::input_gradient ||
         role == Role::output_gradient;
}

std::vector<float> zeros(std::int64_t count) { return std::vector<float>(static_cast<std::size_t>(count)); }

}  // namespace

std::string network_of(const std::string& row, Shape input) {
  return fmt::format(
      "name = \"bench\"\ninput = {{ channels = {}, height = {}, width = {} }}\nlayers = [\n{},\n]\n",
      input.channels, input.height, input.width, row);
}

std::string name_of(PassKind kind) {
  static constexpr std::array<const char*, 7> kNames{"forward",          "moments",       "statistics",
                                                     "gradient_moments", "backward_data", "backward_weights",
                                                     "backward"};
  return kNames[static_cast<std::size_t>(kind)];
}

LayerBench::LayerBench(const std::string& network, std::int64_t batch, const BenchSettings& settings)
    : device_(make_bench_device()), graph_(parse_network(network, "bench.toml")) {
  const std::size_t count = layer().inputs.size();
  site_ = {&layer(),
           0,
           graph_.input_shapes(layer()),
           graph_.output_shape(layer()),
           batch,
           settings.training,
           std::vector<bool>(count, settings.training && settings.input_gradient),
           settings.relu_follows,
           settings.type,
           settings.shared_statistics};
  site_.second_labels = settings.second_labels;
  site_.scaled_loss = settings.loss_scale > 0;
  update_state.loss_scale = settings.loss_scale;
  site_.workspace_bytes = settings.workspace_bytes;
  site_.lean = settings.lean;
  if (!settings.way.empty()) device_ = make_bench_device({{backend().kernel_problem(site_), settings.way}});
  std::vector<Layout> incoming;
  for (const Shape& shape : site_.inputs) {
    incoming.push_back(incoming_layout(shape, settings));
    inputs.push_back(zeros(batch * shape.elements()));
  }
  lowered_ = device_.backend->lower(site_, incoming);
  input_gradients = inputs;
  output = output_gradient = zeros(batch * site_.output.elements());
  for (const ParameterSpec& parameter : layer().parameters) parameters.push_back(zeros(parameter.elements()));
  for (const StateSpec& state : layer().states) states.push_back(zeros(state.elements));
  parameter_gradients = parameters;
  statistics = states;
  labels.resize(static_cast<std::size_t>(batch));
  second_labels.resize(settings.second_labels ? labels.size() : 0);
  context.valid_samples = batch;
  context.sample_weight = 1.F / static_cast<float>(batch);
  saved_ = buffer(lowered_->spec().saved_bytes);
  for (std::size_t pass = 0; pass < lowered_->spec().passes.size(); ++pass)
    passes_.push_back(make_pass(pass, settings));
}

std::shared_ptr<GuardedBuffer> LayerBench::buffer(std::int64_t bytes) const {
  return std::make_shared<GuardedBuffer>(bytes, device_.device.get());
}

std::vector<float> LayerBench::lying(const Operand& operand, const std::vector<float>& values,
                                     bool to_canonical) const {
  if (!device_.channels_last) return values;
  const Shape shape = shape_of(operand);
  const auto channels = static_cast<std::size_t>(shape.channels);
  const auto pixels = static_cast<std::size_t>(shape.pixels());
  std::vector<float> moved(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t n = i / (channels * pixels);
    const std::size_t c = i / pixels % channels;
    const std::size_t there = (n * pixels + i % pixels) * channels + c;
    if (to_canonical) {
      moved[i] = values[there];
    } else {
      moved[there] = values[i];
    }
  }
  return moved;
}

Layout LayerBench::incoming_layout(Shape shape, const BenchSettings& settings) {
  const Layout plain = device_.backend->input_layout(shape, site_.batch, settings.type);
  if (!settings.blocked_input) return plain;
  const std::string row =
      fmt::format("{{ type = \"convolution\", outputs = {}, kernel = 1 }}", shape.channels);
  const Graph source = parse_network(network_of(row, shape), "source.toml");
  const Layer& giver = source.layers().front();
  const Site site{&giver,
                  0,
                  source.input_shapes(giver),
                  source.output_shape(giver),
                  site_.batch,
                  true,
                  {true},
                  false,
                  settings.type};
  return device_.backend->lower(site, std::vector<Layout>{plain})->spec().passes[0].writes[0].layout;
}

Shape LayerBench::shape_of(const Operand& operand) const {
  const bool in = operand.role == Role::input || operand.role == Role::input_gradient;
  return in ? site_.inputs[index(operand.index)] : site_.output;
}

std::vector<float>& LayerBench::values(const Operand& operand) {
  switch (operand.role) {
    case Role::input:
      return inputs[index(operand.index)];
    case Role::output:
      return output;
    case Role::parameter:
      return parameters[index(operand.index)];
    case Role::input_gradient:
      return input_gradients[index(operand.index)];
    case Role::output_gradient:
      return output_gradient;
    case Role::parameter_gradient:
      return parameter_gradients[index(operand.index)];
    case Role::state:
      return states[index(operand.index)];
    default:
      return statistics[index(operand.index)];
  }
}

LayerBench::Port LayerBench::make_port(const Operand& operand, bool read) {
  Port port;
  port.operand = operand;
  port.memory = operand.role == Role::saved ? saved_ : buffer(operand.layout.bytes);
  if (operand.role == Role::shared)
    port.memory = shared_.try_emplace(operand.index, port.memory).first->second;
  if (!is_activation(operand.role)) return port;
  const Layout plain = device_.backend->input_layout(shape_of(operand), site_.batch, DType::f32);
  port.plain = buffer(plain.bytes);
  const Layout& from = read ? plain : operand.layout;
  const Layout& to = read ? operand.layout : plain;
  port.scratch = buffer(device_.backend->reorder_scratch(from, to, false));
  port.change = device_.backend->reorder(from, to, false, false, (read ? port.plain : port.memory)->data(),
                                         (read ? port.memory : port.plain)->data(), port.scratch->data());
  return port;
}

LayerBench::Pass LayerBench::make_pass(std::size_t number, const BenchSettings& settings) {
  const PassSpec& spec = lowered_->spec().passes[number];
  Pass pass;
  pass.kind = spec.kind;
  for (const Operand& operand : spec.reads) pass.reads.push_back(make_port(operand, true));
  for (const Operand& operand : spec.writes) pass.writes.push_back(make_port(operand, false));
  if (settings.in_place && spec.in_place && spec.reads[0].layout.bytes == spec.writes[0].layout.bytes) {
    pass.writes[0].memory = pass.reads[0].memory;
    pass.writes[0].change = device_.backend->reorder(
        spec.writes[0].layout,
        device_.backend->input_layout(shape_of(spec.writes[0]), site_.batch, DType::f32), false, false,
        pass.reads[0].memory->data(), pass.writes[0].plain->data(), pass.writes[0].scratch->data());
  }
  pass.scratch = buffer(spec.scratch_bytes);
  std::vector<void*> reads;
  std::vector<void*> writes;
  for (const Port& port : pass.reads) reads.push_back(port.memory->data());
  for (const Port& port : pass.writes) writes.push_back(port.memory->data());
  if (!spec.pass_through) pass.kernel = lowered_->bind(number, reads, writes, pass.scratch->data());
  return pass;
}

void LayerBench::fill(Port& port) {
  const Operand& operand = port.operand;
  if (operand.role == Role::saved || operand.role == Role::shared) return;
  if (operand.role == Role::labels) {
    port.memory->put(labels.data(), labels.size() * sizeof labels[0]);
  } else if (operand.role == Role::second_labels) {
    port.memory->put(second_labels.data(), second_labels.size() * sizeof second_labels[0]);
  } else if (operand.role == Role::update_state) {
    port.memory->put(&update_state, sizeof update_state);
  } else if (operand.role == Role::parameter) {
    device_.backend->store_parameter(layer().parameters[index(operand.index)], operand.layout,
                                     values(operand).data(), port.memory->data());
  } else if (port.plain == nullptr) {
    port.memory->put(values(operand).data(), values(operand).size() * sizeof(float));
  } else {
    const std::vector<float> plain = lying(operand, values(operand), false);
    port.plain->put(plain.data(), plain.size() * sizeof(float));
    port.change->run(context);
  }
}

void LayerBench::empty(Port& port) {
  const Operand& operand = port.operand;
  if (operand.role == Role::saved || operand.role == Role::shared) return;
  if (operand.role == Role::metrics) return port.memory->get(&metrics, sizeof metrics);
  std::vector<float>& target = values(operand);
  if (operand.role == Role::parameter_gradient) {
    device_.backend->load_parameter(layer().parameters[index(operand.index)], operand.layout,
                                    port.memory->data(), target.data());
  } else if (port.plain == nullptr) {
    port.memory->get(target.data(), target.size() * sizeof(float));
  } else {
    port.change->run(context);
    port.plain->get(target.data(), target.size() * sizeof(float));
    target = lying(operand, target, true);
  }
}

void LayerBench::follow(std::size_t state) {
  const auto bytes = states[state].size() * sizeof(float);
  const auto running = buffer(static_cast<std::int64_t>(bytes));
  const auto statistic = buffer(static_cast<std::int64_t>(bytes));
  running->put(states[state].data(), bytes);
  statistic->put(statistics[state].data(), bytes);
  const StateSpec& spec = layer().states[state];
  device_.backend
      ->follow(spec.elements, static_cast<float>(spec.momentum), running->data(), statistic->data(), nullptr)
      ->run(context);
  running->get(states[state].data(), bytes);
}

void LayerBench::run(Pass& pass) {
  pass.scratch->poison();
  for (Port& port : pass.writes) {
    if (port.operand.role == Role::metrics && !context.first_pass) continue;
    if (port.operand.role == Role::statistic && !context.first_pass) continue;
    port.memory->poison();
  }
  for (Port& port : pass.reads) fill(port);
  if (pass.kernel == nullptr) {
    for (Port& port : pass.writes) values(port.operand) = values(pass.reads[0].operand);
    return;
  }
  pass.kernel->run(context);
  for (Port& port : pass.writes) empty(port);
}

void LayerBench::forward() {
  for (const PassKind kind : {PassKind::moments, PassKind::forward, PassKind::statistics}) {
    for (Pass& pass : passes_) {
      if (pass.kind == kind) run(pass);
    }
  }
}

void LayerBench::backward() {
  for (Pass& pass : passes_) {
    if (!goes_forward(pass.kind)) run(pass);
  }
}

bool LayerBench::is_loss() const { return convoy::is_loss(layer().op); }

bool LayerBench::fences_stand() const {
  const auto stand = [](const std::shared_ptr<GuardedBuffer>& buffer) {
    return buffer == nullptr || buffer->fences_stand();
  };
  for (const Pass& pass : passes_) {
    for (const auto* ports : {&pass.reads, &pass.writes}) {
      for (const Port& port : *ports) {
        if (!stand(port.memory) || !stand(port.plain) || !stand(port.scratch)) return false;
      }
    }
    if (!stand(pass.scratch)) return false;
  }
  return stand(saved_);
}

std::string LayerBench::implementations() const {
  std::string text;
  for (std::size_t pass = 0; pass < lowered_->spec().passes.size(); ++pass) {
    text += fmt::format("{}{}: {}", pass == 0 ? "" : "; ", name_of(lowered_->spec().passes[pass].kind),
                        lowered_->implementation(pass));
  }
  return text;
}

}  // namespace convoy
