#!/usr/bin/env python3
"""Writes elementwise.safetensors: functions of single values, of the values at one place of several inputs, per channel,
and local response normalization, by PyTorch in double precision. Form and inputs as make_layers.py has them.

Caffe's normalization within channels is no layer of PyTorch: x · (k + alpha · avg_pool(x²))^-beta, the average counting
the zeros of its padding, is how Caffe's lrn_layer.cpp puts it together. maximum is written with where, so that the
gradient of a tie goes to the first input; its inputs are coarse to have ties. Run with PyTorch 2.13: make_elementwise.py
"""
import torch
import torch.nn.functional as F

import make_layers

SHAPES = [((17, 5, 3), 2), ((10, 1, 1), 3), ((16, 6, 6), 2), ((1, 7, 9), 1), ((3, 1, 1), 1), ((32, 4, 5), 3),
          ((7, 2, 2), 1), ((48, 3, 3), 2), ((5, 1, 6), 2), ((100, 1, 1), 4), ((20, 9, 1), 1), ((33, 4, 4), 2)]


def parameters_of(row, shape):
    channels = shape[0]
    if row["type"] == "prelu":
        return {"slope": (1 if row.get("shared") else channels,)}
    if row["type"] == "scale":
        return {"scale": (channels,), "shift": (channels,)} if row.get("shift", True) else {"scale": (channels,)}
    return {}


def per_channel(v):
    return v[None, :, None, None]


def maximum(inputs):
    y = inputs[0]
    for x in inputs[1:]:
        y = torch.where(x > y, x, y)
    return y


def product(inputs):
    y = inputs[0]
    for x in inputs[1:]:
        y = y * x
    return y


def lrn(row, x):
    size, alpha, beta, k = row["size"], row["alpha"], row["beta"], row["k"]
    if row.get("region") == "within":
        return x * (k + alpha * F.avg_pool2d(x * x, size, 1, size // 2)) ** -beta
    return F.local_response_norm(x, size, alpha, beta, k)


def forward(row, x, p, state, training):
    kind = row["type"]
    return {
        "relu": lambda: F.leaky_relu(x[0], row["slope"]),
        "prelu": lambda: F.prelu(x[0], p["slope"]),
        "elu": lambda: F.elu(x[0], row.get("alpha", 1.0)),
        "sigmoid": lambda: torch.sigmoid(x[0]),
        "tanh": lambda: torch.tanh(x[0]),
        "scale": lambda: x[0] * per_channel(p["scale"]) + (per_channel(p["shift"]) if "shift" in p else 0),
        "product": lambda: product(x),
        "maximum": lambda: maximum(x),
        "lrn": lambda: lrn(row, x[0]),
    }[kind]()


def add(kind, shape, batch, step=0.0, **options):
    make_layers.add({"type": kind, **options}, shape, batch, forward=forward, parameters_of=parameters_of, step=step)


def main():
    for i, (shape, batch) in enumerate(SHAPES):
        add("relu", shape, batch, slope=[0.01, 0.3, -0.2][i % 3])
        add("elu", shape, batch, **[{}, {"alpha": 0.5}, {"alpha": -0.4}][i % 3])
        add("sigmoid", shape, batch)
        add("tanh", shape, batch)
        add("prelu", shape, batch, **[{}, {"shared": True}][i % 2])
        add("scale", shape, batch, **[{}, {"shift": False}][i % 4 // 3])
        inputs = ["input"] * [2, 3, 4][i % 3]
        add("product", shape, batch, **{"from": inputs})
        add("maximum", shape, batch, 1 / 16, **{"from": inputs})
        beta = [0.75, 0.5, 1.0, 0.6][i % 4]
        add("lrn", shape, batch, size=[3, 5, 7][i % 3], alpha=[1.0, 2.0][i % 2], beta=beta, k=[1.0, 2.0][i // 3 % 2])
        add("lrn", shape, batch, region="within", size=[3, 5, 7][i % 3], alpha=3.0, beta=beta, k=[1.0, 2.0][i // 3 % 2])
    make_layers.save("elementwise.safetensors")


if __name__ == "__main__":
    main()
