#!/usr/bin/env python3
"""Writes layers.safetensors: what PyTorch, in double precision, says of each layer type over a spread of shapes.

golden_file.py documents the form of the file. Run with PyTorch 2.13 (any recent version should do): make_layers.py
"""
import numpy as np
import torch
import torch.nn.functional as F

# Other generators import from here what they need of these.
from golden_file import METADATA, TENSORS, begin_case, cases, digest, hashed, mix, pair, save, toml  # noqa: F401


# ---- dropout's mask: Philox4x32-10 keyed as layers/core/philox.h says, written anew from the paper ----
def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def splitmix(x):
    mask = (1 << 64) - 1
    x = (x + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    return x ^ (x >> 31)


def dropout_scale(rate, batch, elements, seed=5, iteration=3, first_sample=7, instance=0, purpose=4):
    key = splitmix(splitmix(seed) ^ ((purpose << 32) | instance))
    scale = np.zeros((batch, elements))
    for n in range(batch):
        for e in range(elements):
            words = philox([e // 4, first_sample + n, iteration, 0], [key & 0xFFFFFFFF, key >> 32])
            scale[n, e] = 1 / (1 - rate) if words[e % 4] >= int(rate * 2**32) else 0
    return scale


def parameters_of(row, shape):
    """Name → shape, in the order in which the layer has them."""
    c, h, w = shape
    kind = row["type"]
    if kind == "convolution":
        dims = {"weight": (row["outputs"], c // row.get("groups", 1), *pair(row["kernel"])), "bias": (row["outputs"],)}
    elif kind == "fully_connected":
        dims = {"weight": (row["outputs"], c, h, w), "bias": (row["outputs"],)}
    elif kind == "batch_norm":
        return {"scale": (c,), "shift": (c,)}
    else:
        return {}
    return dims if row.get("bias", True) else {"weight": dims["weight"]}


def forward(row, x, p, state, training):
    kind = row["type"]
    stride, padding = pair(row.get("stride", 1)), pair(row.get("padding", 0))
    if kind == "convolution":
        return F.conv2d(x[0], p["weight"], p.get("bias"), stride, padding, pair(row.get("dilation", 1)), row.get("groups", 1))
    if kind == "fully_connected":
        return F.linear(x[0].flatten(1), p["weight"].flatten(1), p.get("bias"))
    if kind == "relu":
        return F.relu(x[0])
    if kind == "sum":
        return sum(x)
    if kind == "lrn":
        return F.local_response_norm(x[0], row["size"], row["alpha"], row["beta"], row["k"])
    if kind == "batch_norm":
        return F.batch_norm(x[0], state["mean"], state["variance"], p["scale"], p["shift"], training,
                            row.get("momentum", 0.1), row.get("epsilon", 1e-5))
    if row.get("global"):
        return F.adaptive_max_pool2d(x[0], 1) if kind == "max_pool" else F.adaptive_avg_pool2d(x[0], 1)
    up = row.get("rounding") == "up"
    if kind == "max_pool":
        return F.max_pool2d(x[0], pair(row["kernel"]), stride, padding, 1, up)
    return F.avg_pool2d(x[0], pair(row["kernel"]), stride, padding, up, row.get("count_padding", True))


def add(row, shape, batch, training=True, above=(), shapes=None, forward=forward, parameters_of=parameters_of, step=0.0):
    """One case: the layer `row` on hashed inputs, rounded to multiples of `step` (0: not at all). `above` are rows before it,
    which only give the `shapes` of its inputs where these are not all `shape`; `forward` and `parameters_of` say what other
    generators' layers compute."""
    key = begin_case((*above, row), shape, batch, training, step)
    channels, height, width = shape
    shapes = shapes or [shape] * len(row.get("from", ["input"]))
    values = [hashed(1 + i, (batch, *one)) for i, one in enumerate(shapes)]
    x = [torch.tensor(np.round(v / step) * step if step > 0 else v, requires_grad=True) for v in values]
    p = {}
    for i, (name, dims) in enumerate(parameters_of(row, shape).items()):
        values = hashed(10 + i, dims)
        p[name] = torch.tensor(1 + 0.5 * values if name == "scale" else values, requires_grad=True)
    state = {"mean": torch.tensor(hashed(20, (channels,))), "variance": torch.tensor(1 + 0.5 * hashed(21, (channels,)))}
    if row["type"] == "softmax_loss":
        labels = torch.tensor((mix(np.arange(batch, dtype=np.uint32)) % np.uint32(channels)).astype(np.int64))
        scores = x[0].flatten(1)
        y = F.softmax(scores, 1)
        F.cross_entropy(scores, labels).backward()
        rank = (scores > scores.gather(1, labels[:, None])).sum(1)
        loss = F.cross_entropy(scores, labels, reduction="sum").item()
        TENSORS[key + ".metrics"] = np.array([loss, (rank < 1).sum(), (rank < 5).sum(), batch], dtype=np.float32)
    elif row["type"] == "dropout":
        scale = torch.tensor(dropout_scale(row["rate"], batch, channels * height * width)).reshape(x[0].shape)
        y = x[0] * scale
        y.backward(torch.tensor(hashed(30, y.shape)))
    else:
        y = forward(row, x, p, state, training)
        if training:
            y.backward(torch.tensor(hashed(30, y.shape)))
    TENSORS[key + ".output"] = digest(y.detach().numpy())
    if not training:
        return
    for i in range(len(x)):
        gradient = np.zeros(x[i].shape) if x[i].grad is None else x[i].grad.numpy()
        TENSORS[f"{key}.input_gradient{i}"] = digest(gradient)
    for name, value in p.items():
        TENSORS[f"{key}.{name}_gradient"] = digest(value.grad.numpy())
    if row["type"] == "batch_norm":
        TENSORS[key + ".running_mean"] = digest(state["mean"].numpy())
        TENSORS[key + ".running_variance"] = digest(state["variance"].numpy())


def convolution(shape, batch, **options):
    add({"type": "convolution", **options}, shape, batch)


def main():
    convolution((1, 28, 28), 4, outputs=20, kernel=5)
    convolution((20, 12, 12), 4, outputs=50, kernel=5)
    convolution((3, 33, 33), 2, outputs=16, kernel=11, stride=4)
    convolution((3, 17, 13), 1, outputs=7, kernel=3, padding=1)
    convolution((16, 14, 14), 12, outputs=32, kernel=3, padding=1)
    convolution((64, 14, 14), 9, outputs=64, kernel=3, padding=1)
    convolution((32, 9, 9), 2, outputs=64, kernel=1)
    convolution((5, 1, 1), 3, outputs=9, kernel=1)
    convolution((13, 7, 7), 3, outputs=11, kernel=3, stride=2, padding=1)
    convolution((32, 8, 8), 2, outputs=32, kernel=1, stride=2)
    convolution((8, 10, 10), 2, outputs=16, kernel=3, groups=2, padding=1)
    convolution((96, 7, 7), 2, outputs=64, kernel=5, groups=2, padding=2)
    convolution((6, 9, 9), 2, outputs=9, kernel=3, groups=3, padding=1)
    convolution((12, 9, 9), 2, outputs=12, kernel=3, groups=12, padding=1)
    convolution((32, 8, 8), 3, outputs=32, kernel=3, groups=32, padding=1, bias=False)
    convolution((5, 8, 8), 2, outputs=15, kernel=3, groups=5, stride=2)
    convolution((4, 15, 15), 2, outputs=6, kernel=3, dilation=2, padding=2)
    convolution((16, 12, 15), 2, outputs=16, kernel=3, dilation=[3, 2], padding=[3, 2])
    convolution((3, 12, 20), 2, outputs=4, kernel=[3, 5], stride=[2, 3], padding=[1, 2])
    convolution((16, 11, 6), 1, outputs=16, kernel=[1, 3], padding=[0, 1])
    convolution((7, 6, 6), 2, outputs=3, kernel=6)
    convolution((17, 5, 5), 1, outputs=19, kernel=3, bias=False)
    convolution((2, 5, 5), 2, outputs=3, kernel=3, padding=4)

    for shape, batch, options in [((800, 1, 1), 4, {"outputs": 500}), ((50, 4, 4), 4, {"outputs": 31}),
                                  ((500, 1, 1), 3, {"outputs": 10}), ((3, 5, 7), 1, {"outputs": 1}),
                                  ((1, 1, 1), 2, {"outputs": 2}), ((33, 3, 3), 5, {"outputs": 17, "bias": False})]:
        add({"type": "fully_connected", **options}, shape, batch)

    pools = [((20, 24, 24), 2, dict(kernel=2, stride=2)), ((16, 13, 13), 2, dict(kernel=3, stride=2)),
             ((16, 12, 12), 2, dict(kernel=3, stride=2, rounding="up")), ((5, 7, 9), 1, dict(kernel=2, stride=2, rounding="up")),
             ((7, 8, 8), 2, dict(kernel=3, stride=2, padding=1)), ((7, 8, 8), 2, dict(kernel=3, stride=2, padding=1, rounding="up")),
             ((3, 9, 6), 2, dict(kernel=[3, 2], stride=[2, 1], padding=[1, 0])), ((8, 6, 6), 2, dict(kernel=3, stride=1, padding=1)),
             ((6, 5, 5), 2, dict(kernel=5)), ((4, 5, 5), 2, dict(kernel=2, stride=3)), ((4, 4, 4), 1, dict(kernel=1, stride=3, rounding="up")),
             ((6, 7, 7), 2, dict(kernel=2, stride=2, padding=1, rounding="up")),
             ((9, 3, 4), 3, {"global": True}), ((64, 7, 7), 2, {"global": True}), ((2, 1, 1), 2, dict(kernel=1))]
    for kind in ("max_pool", "average_pool"):
        for shape, batch, options in pools:
            padded_up = options.get("rounding") == "up" and "padding" in options
            if kind == "max_pool" or not padded_up:
                add({"type": kind, **options}, shape, batch)
            if kind == "average_pool" and "padding" in options:
                add({"type": kind, **options, "count_padding": False}, shape, batch)

    for shape, batch in [((17, 5, 3), 2), ((10, 1, 1), 3), ((16, 6, 6), 2)]:
        add({"type": "relu"}, shape, batch)
        add({"type": "sum", "from": ["input", "input"]}, shape, batch)
        add({"type": "sum", "from": ["input", "input", "input"]}, shape, batch)
        for options in ({}, {"epsilon": 1e-3, "momentum": 0.3}):
            for training in (True, False):
                add({"type": "batch_norm", **options}, shape, batch, training)
        add({"type": "dropout", "rate": 0.5}, shape, batch)
    add({"type": "batch_norm"}, (32, 5, 5), 8)
    add({"type": "batch_norm"}, (3, 2, 2), 1)
    add({"type": "dropout", "rate": 0.2}, (7, 3, 3), 2)

    for shape, batch, options in [((16, 5, 5), 2, dict(size=5, alpha=1e-4, beta=0.75, k=2.0)), ((16, 5, 5), 2, dict(size=5, alpha=1.0, beta=0.75, k=1.0)),
                                  ((7, 4, 3), 1, dict(size=3, alpha=0.5, beta=0.75, k=1.0)), ((32, 6, 6), 3, dict(size=5, alpha=2.0, beta=0.75, k=1.5)),
                                  ((3, 4, 4), 2, dict(size=5, alpha=1.0, beta=0.75, k=1.0)), ((20, 3, 3), 2, dict(size=7, alpha=1.0, beta=0.5, k=1.0)),
                                  ((96, 7, 7), 2, dict(size=5, alpha=1.0, beta=0.75, k=2.0)), ((9, 1, 1), 2, dict(size=3, alpha=1.0, beta=1.0, k=1.0))]:
        add({"type": "lrn", **options}, shape, batch)

    for classes, batch in [(10, 8), (1000, 3), (2, 1), (17, 5), (1, 2)]:
        add({"type": "softmax_loss"}, (classes, 1, 1), batch)

    save("layers.safetensors")


if __name__ == "__main__":
    main()
