#!/usr/bin/env python3
"""Writes training.safetensors: ten training steps of configs/nets/lenet.toml and fashion_net.toml by PyTorch in double
precision (models: tests/bench/torch_networks.py); golden_training_test.cpp takes the same steps.

Weights, pixels and labels are hashed_values.h's numbers, rounded to fp32 where Convoy rounds them, so that both begin
with the same bits. By network the file holds "losses" (means, ten), and by parameter the make_layers.py digest of its
change over the ten steps (a change tells more than the value: the rate is small) and of its momentum; running statistics
in full; in its metadata the network, so that it outlives edits of the configurations.

Every step has another batch, "batches" of them. They are not just the first ten: where the input of a ReLU is within a
rounding error of 0, or two pixels of a max pool are as close, fp32 may decide the other way than double precision, and one
such decision changes gradients of fashion_net by 0.4 %, and after ten steps they are 3 % off, in PyTorch's own fp32 as
well. Batches in which a decision is closer than MARGIN are left out, and what remains is agreement to rounding.
MARGIN is enough for oneDNN with AVX or more and any number of threads; its SSE4.1 kernels still decide otherwise.

Run with PyTorch 2.13: make_training.py. With --fp32 it writes nothing, but prints how far PyTorch's own fp32 comes from
its double precision, in the measures of the test.
"""
import copy
import itertools
import os
import sys
import tomllib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

from make_layers import digest, hashed, mix

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "bench"))
import torch_networks as models  # noqa: E402

STEPS, BATCH, CLASSES, PIXELS = 10, 32, 10, 28 * 28
MARGIN = 4e-6  # activations are about 1
# Network → whether its momentum is Nesterov's.
NETWORKS = {"lenet": False, "fashion_net": True}


def batch(number, dtype):
    words = mix(np.arange(BATCH * PIXELS, dtype=np.uint32) + np.uint32(number * BATCH * PIXELS)) >> np.uint32(24)
    images = torch.tensor((words.astype(np.float64) - 128) / 64, dtype=dtype).reshape(BATCH, 1, 28, 28)
    labels = mix(np.arange(BATCH, dtype=np.uint32) + np.uint32(number * BATCH)) % np.uint32(CLASSES)
    return images, torch.tensor(labels.astype(np.int64))


def network_text(network):
    with open(os.path.join(HERE, "..", "..", "configs", "nets", network + ".toml"), encoding="utf-8") as file:
        return file.read()


def names(network):
    """(layer.parameter, series of its first values) in the order of the network file, and the running statistics."""
    parameters, states = [], []
    for index, layer in enumerate(tomllib.loads(network_text(network))["layers"]):
        own = {"convolution": ["weight", "bias"], "fully_connected": ["weight", "bias"], "batch_norm": ["scale", "shift"]}
        for i, name in enumerate(own.get(layer["type"], [])[:1 + layer.get("bias", True)]):
            parameters.append((layer["name"] + "." + name, 100 + 10 * index + i))
        if layer["type"] == "batch_norm":
            states += [layer["name"] + ".running_mean", layer["name"] + ".running_variance"]
    return parameters, states


def first_values(name, series, shape):
    """In fp32 throughout, as the test computes them: weights have a variance of 1 / fan_in."""
    fan_in = np.prod(shape[1:])
    scale = np.float32(np.sqrt(3.0 / fan_in)) if name.endswith(".weight") else np.float32(0.25)
    return hashed(series, shape).astype(np.float32) * scale + np.float32(name.endswith(".scale"))


def closest_decision(model, images):
    """The least distance of a ReLU's input from 0 and of a max pool's largest pixel from its second."""
    distances = []

    def at_relu(_, inputs):
        distances.append(inputs[0].abs().min().item())

    def at_pool(pool, inputs):
        windows = F.unfold(inputs[0], pool.kernel_size, stride=pool.stride).unflatten(1, (inputs[0].shape[1], -1))
        first, second = windows.topk(2, dim=2).values.unbind(2)
        gaps = first - second
        distances.append(gaps[gaps > 0].min().item())  # where a ReLU before it gave only zeros, no gradient passes

    probe = copy.deepcopy(model)  # running statistics stay as they are
    for module in probe.modules():
        if isinstance(module, (torch.nn.ReLU, torch.nn.MaxPool2d)):
            module.register_forward_pre_hook(at_relu if isinstance(module, torch.nn.ReLU) else at_pool)
    with torch.no_grad():
        probe(images)
    return min(distances)


def train(network, nesterov, dtype, batches=None):
    """`batches` None: looks for them."""
    parameter_names, state_names = names(network)
    model = getattr(models, network)()[1].to(dtype)
    parameters = dict(zip([name for name, _ in parameter_names], model.parameters(), strict=True))
    states = dict(zip(state_names, [b for b in model.buffers() if b.dim() == 1], strict=True))
    first = {}
    with torch.no_grad():
        for name, series in parameter_names:
            first[name] = first_values(name, series, tuple(parameters[name].shape))
            parameters[name].copy_(torch.tensor(first[name]))
    decayed = [p for name, p in parameters.items() if name.endswith(".weight")]
    others = [p for name, p in parameters.items() if not name.endswith(".weight")]
    groups = [{"params": decayed, "weight_decay": 5e-4}, {"params": others, "weight_decay": 0}]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9, nesterov=nesterov)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
    losses, taken = [], []
    for number in itertools.count() if batches is None else batches:
        images, labels = batch(number, dtype)
        if batches is None and closest_decision(model, images) < MARGIN:
            continue
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        taken.append(number)
        if len(taken) == STEPS:
            break
    out = {"losses": np.array(losses), "batches": np.array(taken)}
    for name, value in parameters.items():
        out[name + ".change"] = value.detach().numpy().astype(np.float64) - first[name]
        out[name + ".momentum"] = optimizer.state[value]["momentum_buffer"].numpy()
    return out | {name: value.numpy() for name, value in states.items()}


def show_fp32(network, nesterov, exact):
    rounded = train(network, nesterov, torch.float32, exact["batches"].tolist())
    print(network, "losses:", np.round(exact["losses"], 4), "batches:", exact["batches"])
    print("  by step:", [f"{e:.1e}" for e in np.abs(rounded["losses"] - exact["losses"]) / exact["losses"]])
    for name, value in exact.items():
        error = np.linalg.norm(rounded[name] - value) / np.linalg.norm(value)
        print(f"  {error:.1e} of {np.linalg.norm(value):.3g} {name}")


def main():
    tensors, metadata = {}, {}
    for network, nesterov in NETWORKS.items():
        out = train(network, nesterov, torch.float64)
        if "--fp32" in sys.argv[1:]:
            show_fp32(network, nesterov, out)
        metadata[network + ".network"] = network_text(network)
        for name, value in out.items():
            digested = name.endswith((".change", ".momentum"))
            tensors[f"{network}.{name}"] = digest(value) if digested else value.astype(np.float32)
    if "--fp32" in sys.argv[1:]:
        return
    path = os.path.join(HERE, "training.safetensors")
    save_file(tensors, path, metadata)
    print(len(tensors), "tensors,", os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
