#!/usr/bin/env python3
"""Writes networks.safetensors: layers that the networks of configs/nets need beside those of make_layers.py, whose
machinery this uses: "same" and uneven padding, clipping, zeros as channels. "Same" is made here from its definition:
ceil(input / stride) outputs, the odd pixel of padding at the end. Run with PyTorch: make_networks.py
"""
import math

import torch
import torch.nn.functional as F

import make_layers
from make_layers import pair


def same(size, kernel, stride, dilation):
    total = max((math.ceil(size / stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def padding_of(row, shape):
    """(left, right, top, bottom), as torch.nn.functional.pad wants it."""
    if isinstance(row["padding"], dict):
        return tuple(row["padding"].get(side, 0) for side in ("left", "right", "top", "bottom"))
    kernel, stride, dilation = pair(row["kernel"]), pair(row.get("stride", 1)), pair(row.get("dilation", 1))
    top, bottom = same(shape[2], kernel[0], stride[0], dilation[0])
    left, right = same(shape[3], kernel[1], stride[1], dilation[1])
    return left, right, top, bottom


def forward(row, x, p, state, training):
    kind = row["type"]
    if kind == "clip":
        return F.hardtanh(x[0], row.get("minimum", 0), row["maximum"])
    if kind == "pad_channels":
        before = row.get("before", 0)
        return F.pad(x[0], (0, 0, 0, 0, before, row["outputs"] - before - x[0].shape[1]))
    if isinstance(row.get("padding"), (str, dict)):
        sides = padding_of(row, x[0].shape)
        bare = {key: value for key, value in row.items() if key != "padding"}
        if kind == "average_pool":  # zeros around do not count: the mean of what is there
            total = F.avg_pool2d(F.pad(x[0], sides), pair(row["kernel"]), pair(row.get("stride", 1)), divisor_override=1)
            ones = F.pad(torch.ones_like(x[0]), sides)
            return total / F.avg_pool2d(ones, pair(row["kernel"]), pair(row.get("stride", 1)), divisor_override=1)
        filler = -math.inf if kind == "max_pool" else 0
        return make_layers.forward(bare, [F.pad(x[0], sides, value=filler)], p, state, training)
    return make_layers.forward(row, x, p, state, training)


def free_bound(near, shape):
    """A bound near `near` that bf16 holds exactly, as far as may be from the inputs: none crosses it when rounded."""
    values = make_layers.hashed(1, shape)
    candidates = [(round(near * 128) + k) / 128 for k in range(-12, 13)]
    return max(candidates, key=lambda bound: abs(values - bound).min())


def add(row, shape, batch):
    make_layers.add(row, shape, batch, forward=forward)


def main():
    convolution = {"type": "convolution", "padding": "same"}
    for shape, batch, options in [((3, 20, 31), 2, dict(outputs=10, kernel=3, stride=2)),
                                  ((10, 10, 15), 2, dict(outputs=20, kernel=3, stride=2)),
                                  ((16, 12, 12), 2, dict(outputs=16, kernel=3, stride=2)),
                                  ((16, 9, 9), 2, dict(outputs=32, kernel=[2, 4])),
                                  ((5, 1, 1), 1, dict(outputs=7, kernel=3)),
                                  ((6, 11, 7), 2, dict(outputs=6, kernel=[7, 1])),
                                  ((6, 7, 11), 2, dict(outputs=9, kernel=[1, 7], bias=False)),
                                  ((8, 13, 13), 2, dict(outputs=8, kernel=2, dilation=3, stride=2)),
                                  ((32, 8, 8), 2, dict(outputs=32, kernel=3, stride=2, groups=32)),
                                  ((4, 7, 8), 2, dict(outputs=6, kernel=1, stride=3)),
                                  ((64, 14, 14), 9, dict(outputs=64, kernel=3))]:
        add({**convolution, **options}, shape, batch)
    for shape, sides in [((3, 9, 9), dict(top=2, left=0, bottom=1, right=3)), ((16, 7, 6), dict(right=1)),
                         ((20, 5, 5), dict(top=4, bottom=4))]:
        add({"type": "convolution", "outputs": 16, "kernel": 3, "padding": sides}, shape, 2)
    for kind in ("max_pool", "average_pool"):
        for shape, options in [((3, 10, 11), dict(kernel=3, stride=2)), ((16, 8, 8), dict(kernel=3, stride=2)),
                               ((20, 7, 7), dict(kernel=2)), ((8, 6, 9), dict(kernel=[3, 2], stride=[2, 3])),
                               ((5, 7, 7), dict(kernel=1, stride=2)), ((2, 1, 1), dict(kernel=3))]:
            add({"type": kind, "padding": "same", **options}, shape, 2)
    for shape, batch in [((1, 1, 1), 1), ((17, 3, 3), 1), ((10, 1, 1), 3), ((16, 4, 4), 1), ((33, 3, 3), 1), ((8, 5, 3), 2)]:
        low, middle, high = (free_bound(place, (batch, *shape)) for place in (-0.4, 0.1, 0.5))
        add({"type": "clip", "minimum": low, "maximum": high}, shape, batch)
        add({"type": "clip", "minimum": middle, "maximum": high}, shape, batch)
        add({"type": "clip", "maximum": high}, shape, batch)
    shapes = [((1, 1, 1), 1), ((17, 5, 3), 2), ((10, 1, 1), 3), ((16, 6, 6), 2), ((33, 4, 7), 1), ((8, 9, 9), 3)]
    for shape, batch in shapes:
        add({"type": "pad_channels", "outputs": 2 * shape[0]}, shape, batch)
        add({"type": "pad_channels", "outputs": shape[0] + 21, "before": 16}, shape, batch)
    add({"type": "pad_channels", "outputs": 16}, (16, 8, 8), 2)
    make_layers.save("networks.safetensors")


if __name__ == "__main__":
    main()
