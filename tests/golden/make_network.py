#!/usr/bin/env python3
"""Writes network.safetensors: one training iteration and one evaluation of the network kTangle of
tests/layers/graph/networks.h by PyTorch in double precision. Weights and pixels are hashed as in
tests/trainer/program/program_run_test.cpp; gradients, running statistics, loss and probabilities are stored."""
import os

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

from make_layers import dropout_scale, hashed, mix

BATCH, EVALUATE, RATE = 4, 3, 0.01
# Layer → (index in the network, weight shape, groups); batch norms → index.
CONVOLUTIONS = {"stem": (0, (16, 3, 3, 3)), "a1": (3, (16, 16, 3, 3)), "a2": (6, (16, 16, 3, 3)), "b1": (11, (16, 16, 1, 1)),
                "b2": (12, (16, 1, 3, 3)), "c3": (19, (20, 16, 3, 3)), "f": (23, (10, 20, 1, 1))}
NO_BIAS = {"stem", "a1", "a2"}
NORMS = {"bn0": 1, "bn1": 4, "bn2": 7}


def images(count):
    words = mix(np.arange(count * 12 * 12 * 3, dtype=np.uint32)) >> np.uint32(24)
    pixels = words.astype(np.float64).reshape(count, 12, 12, 3).transpose(0, 3, 1, 2)
    return torch.tensor((pixels - 128) / 64), torch.tensor((mix(np.arange(count, dtype=np.uint32)) % 10).astype(np.int64))


def parameters():
    p = {}
    for name, (index, shape) in CONVOLUTIONS.items():
        scale = np.float64(np.float32(np.sqrt(6.0 / np.prod(shape[1:]))))
        p[name + ".weight"] = hashed(100 + 10 * index, shape) * scale
        if name not in NO_BIAS:
            p[name + ".bias"] = hashed(101 + 10 * index, shape[:1]) * 0.25
    for name, index in NORMS.items():
        p[name + ".scale"] = 1 + 0.25 * hashed(100 + 10 * index, (16,))
        p[name + ".shift"] = 0.25 * hashed(101 + 10 * index, (16,))
    return {k: torch.tensor(v, requires_grad=True) for k, v in p.items()}


def dropout(x, rate, instance, training):
    if not training:
        return x
    scale = dropout_scale(rate, x.shape[0], x[0].numel(), seed=5, iteration=0, first_sample=0, instance=instance)
    return x * torch.tensor(scale).reshape(x.shape)


def forward(x, p, state, training):
    def conv(name, value, padding=0, groups=1):
        return F.conv2d(value, p[name + ".weight"], p.get(name + ".bias"), 1, padding, 1, groups)

    def norm(name, value):
        return F.batch_norm(value, state[name + ".running_mean"], state[name + ".running_variance"], p[name + ".scale"],
                            p[name + ".shift"], training, 0.1, 1e-5)

    r0 = F.relu(norm("bn0", conv("stem", x, 1)))
    r1 = F.relu(norm("bn1", conv("a1", r0, 1)))
    r2 = F.relu(norm("bn2", conv("a2", r1, 1)) + r0)
    n = F.local_response_norm(r2, 3, 0.5, 0.75, 1.0)
    s2 = conv("b1", r2) + conv("b2", n, 1, 16) + r2
    d1 = dropout(s2 + s2, 0.3, 15, training)
    s4 = F.avg_pool2d(d1, 3, 2, 0, True) + F.max_pool2d(d1, 3, 2, 0, 1, True)
    d2 = dropout(F.relu(conv("c3", s4)), 0.2, 21, training)
    return conv("f", d2.mean((2, 3), keepdim=True)).flatten(1)


def main():
    p = parameters()
    state = {f"{n}.running_{k}": torch.full((16,), float(k == "variance"), dtype=torch.float64) for n in NORMS for k in ("mean", "variance")}
    x, labels = images(BATCH)
    scores = forward(x, p, state, True)
    F.cross_entropy(scores, labels).backward()
    out = {"loss": np.array([F.cross_entropy(scores, labels, reduction="sum").item()])}
    for name, value in p.items():
        out[name] = value.grad.numpy()
    for name, value in state.items():
        out[name] = value.numpy()
    with torch.no_grad():  # one step of SGD, then inference
        updated = {name: value - RATE * value.grad for name, value in p.items()}
        out["probabilities"] = F.softmax(forward(images(EVALUATE)[0], updated, state, False), 1).numpy()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "network.safetensors")
    save_file({k: np.ascontiguousarray(v, dtype=np.float32) for k, v in out.items()}, path)
    print(os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
