#!/usr/bin/env python3
"""Writes heads.safetensors: one training iteration and one evaluation of the network kHeads of
tests/layers/graph/networks.h (a main loss, two auxiliary heads, concat, slice, flatten) by PyTorch in double precision, as
make_network.py does it for kTangle."""
import os

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

from make_layers import hashed
from make_network import BATCH, EVALUATE, RATE, dropout, images

# Layer → (index in the network, weight shape).
LAYERS = {"stem": (0, (16, 3, 3, 3)), "h2": (3, (8, 16, 1, 1)), "h6": (7, (10, 128, 1, 1)), "b1": (9, (16, 16, 1, 1)),
          "b2": (10, (8, 16, 3, 3)), "f": (15, (10, 32, 1, 1)), "g2": (18, (10, 16, 1, 1))}


def parameters():
    p = {}
    for name, (index, shape) in LAYERS.items():
        scale = np.float64(np.float32(np.sqrt(6.0 / np.prod(shape[1:]))))
        p[name + ".weight"] = hashed(100 + 10 * index, shape) * scale
        if name != "h2":
            p[name + ".bias"] = hashed(101 + 10 * index, shape[:1]) * 0.25
    p["h3.scale"] = 1 + 0.25 * hashed(140, (8,))
    p["h3.shift"] = 0.25 * hashed(141, (8,))
    return {k: torch.tensor(v, requires_grad=True) for k, v in p.items()}


def forward(x, p, state, training):
    """Scores of the main loss and, in training, of the two auxiliary ones."""
    def conv(name, value, padding=0):
        return F.conv2d(value, p[name + ".weight"], p.get(name + ".bias"), 1, padding)

    r0 = F.relu(conv("stem", x, 1))
    s = r0[:, 4:12]
    cat = torch.cat([conv("b1", r0), conv("b2", r0, 1), s], 1)
    pixel = torch.softmax(cat, 1)
    scores = conv("f", pixel.mean((2, 3), keepdim=True)).flatten(1)
    if not training:
        return scores
    h3 = F.batch_norm(conv("h2", F.avg_pool2d(r0, 3, 3)), state["h3.running_mean"], state["h3.running_variance"], p["h3.scale"],
                      p["h3.shift"], True, 0.1, 1e-5)
    h5 = dropout(h3.flatten(1)[:, :, None, None], 0.3, 6, True)
    g1 = r0.mean((2, 3), keepdim=True)
    return scores, conv("h6", h5).flatten(1), conv("g2", g1).flatten(1)


def main():
    p = parameters()
    state = {"h3.running_mean": torch.zeros(8, dtype=torch.float64), "h3.running_variance": torch.ones(8, dtype=torch.float64)}
    x, labels = images(BATCH)
    scores, head, other = forward(x, p, state, True)
    total = 1.5 * F.cross_entropy(scores, labels, reduction="sum")
    total = total + 0.3 * F.cross_entropy(head, labels, reduction="sum", label_smoothing=0.1)
    total = total + 0.2 * F.binary_cross_entropy_with_logits(other, F.one_hot(labels, 10).double(), reduction="sum")
    (total / BATCH).backward()
    out = {"loss": np.array([total.item()])}
    for name, value in p.items():
        out[name] = value.grad.numpy()
    for name, value in state.items():
        out[name] = value.numpy()
    with torch.no_grad():  # one step of SGD, then inference
        updated = {name: value - RATE * value.grad for name, value in p.items()}
        x, labels = images(EVALUATE)
        scores = forward(x, updated, state, False)
        out["probabilities"] = F.softmax(scores, 1).numpy()
        out["evaluation_loss"] = np.array([F.cross_entropy(scores, labels, reduction="sum").item()])
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "heads.safetensors")
    save_file({k: np.ascontiguousarray(v, dtype=np.float32) for k, v in out.items()}, path)
    print(os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
