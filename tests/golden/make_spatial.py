#!/usr/bin/env python3
"""Writes spatial.safetensors: l2 pools, deconvolutions, locally connected layers, crops and upsampling, in the form that
make_layers.py documents."""
import torch
import torch.nn.functional as F

import make_layers as golden
from make_layers import pair


def l2_pool(row, x):
    """PyTorch's LPPool2d of norm 2, with padding."""
    if row.get("global"):
        return (x * x).sum((2, 3), keepdim=True).sqrt()
    kernel, padding, up = pair(row["kernel"]), pair(row.get("padding", 0)), row.get("rounding") == "up"
    if not up:  # PyTorch allows less padding inside of the pool
        x, padding = F.pad(x, (padding[1], padding[1], padding[0], padding[0])), 0
    sums = F.avg_pool2d(x * x, kernel, pair(row.get("stride", 1)), padding, up, divisor_override=1)
    return sums.sqrt()


def parameters_of(row, shape):
    return {}


def forward(row, x, p, state, training):
    return l2_pool(row, x[0])


def add(row, shape, batch, training=True, **others):
    golden.add(row, shape, batch, training, forward=forward, parameters_of=parameters_of, **others)


def main():
    for shape, batch, options in [((20, 24, 24), 2, dict(kernel=2, stride=2)), ((16, 13, 13), 2, dict(kernel=3, stride=2)),
                                  ((5, 12, 11), 2, dict(kernel=3, stride=2, rounding="up")), ((7, 8, 8), 1, dict(kernel=3, stride=2, padding=1)),
                                  ((7, 8, 8), 2, dict(kernel=3, stride=2, padding=1, rounding="up")), ((17, 6, 6), 2, dict(kernel=3, stride=1, padding=2)),
                                  ((3, 9, 6), 2, dict(kernel=[3, 2], stride=[2, 1], padding=[1, 0])), ((6, 5, 5), 2, dict(kernel=5)),
                                  ((4, 5, 5), 2, dict(kernel=2, stride=3)), ((2, 1, 1), 2, dict(kernel=1)), ((100, 7, 7), 2, {"global": True}),
                                  ((9, 3, 4), 3, {"global": True})]:
        add({"type": "l2_pool", **options}, shape, batch)
    golden.save("spatial.safetensors")


if __name__ == "__main__":
    main()
