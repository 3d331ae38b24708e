#!/usr/bin/env python3
"""Writes loss_scale.safetensors: what PyTorch's GradScaler makes of the loss scale over 60000 updates.

"overflows": the updates whose gradients are not finite. "changes": pairs of an update and the scale after it, wherever that is
not the scale before. Run with PyTorch 2.13: make_loss_scale.py
"""
import os

import numpy as np
import torch
from safetensors.numpy import save_file

UPDATES = 60000
FIRST, INTERVAL, MOST = 65536.0, 2000, 2.0**24


def overflows():
    """Runs without overflow of all lengths about the interval at which the scale grows, and long enough ones to get to its bound;
    never so many overflows that it falls below 1."""
    generator = np.random.default_rng(5)
    places, at = [], 0
    for gap in [1, 2, 1999, 2000, 2001, 1998, 4000, 3999, 4001, 36100]:
        at += gap
        places.append(at - 1)
    for _ in range(12):
        at += int(generator.integers(1, 40))
        places.append(at - 1)
    return places


def main():
    scaler = torch.amp.GradScaler("cpu", init_scale=FIRST, growth_factor=2.0, backoff_factor=0.5, growth_interval=INTERVAL)
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.0)
    scaler.scale(torch.zeros(1))  # makes its tensors
    found, changes, before = set(overflows()), [], FIRST
    for update in range(UPDATES):
        parameter.grad = torch.full((1,), float("inf") if update in found else 1.0)
        scaler.step(optimizer)
        scaler.update()
        scale = scaler.get_scale()
        if scale > MOST:  # PyTorch has no bound
            scaler.update(MOST)
            scale = MOST
        if scale != before:
            changes += [update, scale]
        before = scale
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "loss_scale.safetensors")
    save_file({"overflows": np.array(sorted(found), dtype=np.float32), "changes": np.array(changes, dtype=np.float32)}, path,
              {"updates": str(UPDATES), "torch": torch.__version__})
    print(f"{len(found)} overflows, {len(changes) // 2} changes, {os.path.getsize(path)} bytes")
    print(changes)


if __name__ == "__main__":
    main()
