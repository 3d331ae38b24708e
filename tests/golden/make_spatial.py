#!/usr/bin/env python3
"""Writes spatial.safetensors: l2 pools, deconvolutions, locally connected layers, crops and upsampling, in the form that
make_layers.py documents."""
import numpy as np
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


def positions_of(row, shape):
    sizes = zip(shape[1:], pair(row["kernel"]), pair(row.get("stride", 1)), pair(row.get("padding", 0)))
    return tuple((size + 2 * padding - kernel) // stride + 1 for size, kernel, stride, padding in sizes)


def locally_connected(row, x, p):
    columns = F.unfold(x, pair(row["kernel"]), 1, pair(row.get("padding", 0)), pair(row.get("stride", 1)))
    y = torch.einsum("nkp,opk->nop", columns, p["weight"])
    return (y + p["bias"] if "bias" in p else y).unflatten(2, positions_of(row, x.shape[1:]))


def crop(row, x):
    height, width = pair(row["size"]) if "size" in row else x[-1].shape[2:]
    top, left = pair(row.get("offset", 0))
    if row.get("centered"):
        top, left = (x[0].shape[2] - height) // 2, (x[0].shape[3] - width) // 2
    return x[0][:, :, top:top + height, left:left + width]


def upsample(row, x):
    factor = tuple(float(f) for f in pair(row["factor"])) if "factor" in row else None
    size = pair(row["size"]) if "size" in row else None
    return F.interpolate(x, size, factor, "bilinear", align_corners=False)


def parameters_of(row, shape):
    c, h, w = shape
    if row["type"] == "deconvolution":
        dims = {"weight": (c, row["outputs"] // row.get("groups", 1), *pair(row["kernel"])), "bias": (row["outputs"],)}
    elif row["type"] == "locally_connected":
        positions = int(np.prod(positions_of(row, shape)))
        window = np.prod(pair(row["kernel"]))
        dims = {"weight": (row["outputs"], positions, int(c * window)), "bias": (row["outputs"], positions)}
    else:
        return {}
    return dims if row.get("bias", True) else {"weight": dims["weight"]}


def forward(row, x, p, state, training):
    if row["type"] == "locally_connected":
        return locally_connected(row, x[0], p)
    if row["type"] == "crop":
        return crop(row, x)
    if row["type"] == "upsample":
        return upsample(row, x[0])
    stride, padding = pair(row.get("stride", 1)), pair(row.get("padding", 0))
    if row["type"] == "deconvolution":
        return F.conv_transpose2d(x[0], p["weight"], p.get("bias"), stride, padding, pair(row.get("output_padding", 0)),
                                  row.get("groups", 1), pair(row.get("dilation", 1)))
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

    for shape, batch, options in [((3, 5, 5), 2, dict(outputs=4, kernel=3)), ((16, 7, 7), 2, dict(outputs=32, kernel=4, stride=2, padding=1)),
                                  ((21, 6, 5), 1, dict(outputs=21, kernel=4, stride=2, padding=1, groups=21, bias=False)),
                                  ((8, 4, 4), 2, dict(outputs=5, kernel=3, stride=2, padding=1, output_padding=1)),
                                  ((6, 4, 5), 2, dict(outputs=9, kernel=3, groups=3, padding=1)), ((5, 1, 1), 3, dict(outputs=7, kernel=4)),
                                  ((4, 5, 6), 2, dict(outputs=6, kernel=3, dilation=2, padding=2)), ((17, 3, 3), 1, dict(outputs=19, kernel=1, bias=False)),
                                  ((4, 5, 4), 2, dict(outputs=3, kernel=[2, 5], stride=[2, 3], padding=[0, 2], output_padding=[1, 2])),
                                  ((32, 5, 5), 2, dict(outputs=16, kernel=2, stride=2)), ((64, 6, 6), 9, dict(outputs=64, kernel=3, padding=1)),
                                  ((3, 3, 3), 2, dict(outputs=2, kernel=2, stride=3)), ((32, 6, 6), 2, dict(outputs=32, kernel=3, groups=2, stride=2)),
                                  ((16, 4, 4), 2, dict(outputs=16, kernel=3, groups=16, padding=1)), ((2, 6, 6), 2, dict(outputs=3, kernel=3, padding=2)),
                                  ((4, 3, 3), 2, dict(outputs=3, kernel=2, dilation=3, stride=3, output_padding=2)), ((1, 7, 7), 4, dict(outputs=1, kernel=5, stride=2, padding=2))]:
        add({"type": "deconvolution", **options}, shape, batch)

    for shape, batch, options in [((3, 6, 6), 2, dict(outputs=4, kernel=3)), ((2, 8, 8), 3, dict(outputs=5, kernel=3, padding=1)),
                                  ((4, 7, 6), 17, dict(outputs=3, kernel=2, stride=2)), ((16, 4, 4), 2, dict(outputs=16, kernel=3, padding=2, stride=2)),
                                  ((1, 9, 9), 4, dict(outputs=7, kernel=5, stride=2, bias=False)), ((5, 1, 1), 3, dict(outputs=9, kernel=1)),
                                  ((3, 5, 9), 1, dict(outputs=2, kernel=[2, 4], stride=[1, 3], padding=[1, 2])), ((6, 4, 4), 33, dict(outputs=1, kernel=4)),
                                  ((17, 3, 3), 2, dict(outputs=19, kernel=1)), ((9, 5, 5), 2, dict(outputs=6, kernel=5, padding=3))]:
        add({"type": "locally_connected", **options}, shape, batch)

    for shape, batch, options in [((3, 7, 7), 2, dict(size=4)), ((16, 8, 6), 2, dict(size=[5, 3], offset=[1, 2])), ((17, 6, 7), 1, dict(size=[3, 4], centered=True)),
                                  ((5, 1, 1), 3, dict(size=1)), ((20, 9, 9), 2, dict(size=[9, 4], offset=[0, 5])), ((2, 4, 5), 2, dict(size=[4, 5]))]:
        add({"type": "crop", **options}, shape, batch)
    for shape, batch, kernel, options in [((3, 7, 7), 2, 3, {}), ((16, 8, 6), 2, [2, 4], dict(offset=[1, 2])), ((19, 6, 7), 1, [3, 2], dict(centered=True)),
                                          ((4, 5, 5), 2, 5, dict(offset=4)), ((32, 9, 4), 2, [4, 1], dict(centered=True))]:
        channels, height, width = shape
        size = [s - k + 1 for s, k in zip(shape[1:], pair(kernel))]
        add({"type": "crop", "from": ["input", "part"], **options}, shape, batch, shapes=[shape, (channels, *size)],
            above=[{"name": "part", "type": "max_pool", "kernel": kernel}])

    for shape, batch, options in [((3, 5, 5), 2, dict(factor=2)), ((16, 4, 6), 2, dict(factor=3)), ((17, 3, 4), 1, dict(factor=[2, 4])),
                                  ((5, 1, 1), 3, dict(factor=4)), ((20, 6, 5), 2, dict(size=[9, 13])), ((8, 9, 9), 2, dict(size=[4, 5])),
                                  ((2, 4, 5), 2, dict(size=[4, 5])), ((1, 7, 3), 4, dict(size=[7, 10])), ((32, 2, 7), 2, dict(factor=[5, 1])),
                                  ((4, 1, 6), 2, dict(size=[3, 1]))]:
        add({"type": "upsample", **options}, shape, batch)
    golden.save("spatial.safetensors")


if __name__ == "__main__":
    main()
