#!/usr/bin/env python3
"""Writes onnx.safetensors: what ONNX Runtime, in single precision, says forward of every layer type that ONNX has with the same
meaning, and of three whole networks (onnx_networks.py). A second opinion beside PyTorch's, by other people after another text
(the operators of ONNX, opset 20). The layers stand in the form of golden_file.py, without gradients.

Not here, for ONNX has no operator of the meaning: local response normalization within a channel, locally connected layers,
dropout in training, and the losses but softmax_loss. Where it has several meanings, or another:
  upsample       coordinate_transformation_mode "half_pixel" is ours
  batch_norm     running_variance follows the variance over n in ONNX, over n - 1 here and in PyTorch: it is converted
Pools that round up are as ONNX Runtime runs them, without windows that begin in the padding; the shapes that the onnx package
infers count those too.

Run with onnx, onnxruntime, numpy and safetensors (no PyTorch): make_onnx.py
"""
import numpy as np

import onnx_networks
from golden_file import METADATA, TENSORS, begin_case, digest, hashed, mix, pair, save
from onnx_graph import OnnxGraph


def parameter(graph, number, shape, around_one=False):
    """Parameter `number` of a layer, as GoldenCase fills it."""
    values = hashed(10 + number, shape)
    return graph.constant(1 + 0.5 * values if around_one else values)


def window(row):
    """Attributes of convolutions and pools. ONNX lists pads as top, left, bottom, right."""
    padding = row.get("padding", 0)
    attributes = {"kernel_shape": pair(row["kernel"]), "strides": pair(row.get("stride", 1))}
    if padding == "same":
        return {**attributes, "auto_pad": "SAME_UPPER"}
    if isinstance(padding, dict):
        return {**attributes, "pads": [padding.get(side, 0) for side in ("top", "left", "bottom", "right")]}
    return {**attributes, "pads": pair(padding) * 2}


def convolution(graph, row, x, shape):
    transposed = row["type"] == "deconvolution"
    groups, outputs = row.get("groups", 1), row["outputs"]
    dims = (shape[0], outputs // groups) if transposed else (outputs, shape[0] // groups)
    weights = [parameter(graph, 0, (*dims, *pair(row["kernel"])))]
    if row.get("bias", True):
        weights.append(parameter(graph, 1, (outputs,)))
    more = {"output_padding": pair(row.get("output_padding", 0))} if transposed else {}
    return graph.node("ConvTranspose" if transposed else "Conv", [x[0], *weights], **window(row), group=groups,
                      dilations=pair(row.get("dilation", 1)), **more)


def fully_connected(graph, row, x, shape):
    inputs = [graph.node("Flatten", x, axis=1), parameter(graph, 0, (row["outputs"], int(np.prod(shape))))]
    if row.get("bias", True):
        inputs.append(parameter(graph, 1, (row["outputs"],)))
    return graph.node("Gemm", inputs, transB=1)


def pool(graph, row, x, shape):
    op = {"max_pool": "MaxPool", "average_pool": "AveragePool", "l2_pool": "LpPool"}[row["type"]]
    more = {"p": 2} if op == "LpPool" else {}
    if row.get("global"):
        return graph.node("Global" + op, x, **more)
    if op == "AveragePool":
        more = {"count_include_pad": int(row.get("count_padding", row.get("padding") != "same"))}
    return graph.node(op, x, **window(row), ceil_mode=int(row.get("rounding") == "up"), **more)


def per_channel(graph, number, channels, **more):
    return parameter(graph, number, (channels, 1, 1), **more)


def scale(graph, row, x, shape):
    y = graph.node("Mul", [x[0], per_channel(graph, 0, shape[0], around_one=True)])
    return graph.node("Add", [y, per_channel(graph, 1, shape[0])]) if row.get("shift", True) else y


def cut(graph, x, axis, start, size):
    axes = [axis] if np.ndim(axis) == 0 else axis
    start, end = np.atleast_1d(start), np.atleast_1d(start) + np.atleast_1d(size)
    return graph.node("Slice", [x, *(graph.constant(v, np.int64) for v in (start, end, axes))])


def upsample(graph, row, x, shape):
    options = dict(mode="linear", coordinate_transformation_mode="half_pixel")
    if "factor" in row:
        return graph.node("Resize", [x[0], "", graph.constant([1, 1, *pair(row["factor"])])], **options)
    size = graph.constant([2, shape[0], *pair(row["size"])], np.int64)  # the batch of every such case is 2
    return graph.node("Resize", [x[0], "", "", size], **options)


def pad_channels(graph, row, x, shape):
    before = row.get("before", 0)
    pads = [0, before, 0, 0, 0, row["outputs"] - before - shape[0], 0, 0]
    return graph.node("Pad", [x[0], graph.constant(pads, np.int64)])


def product(graph, row, x, shape):
    y = x[0]
    for other in x[1:]:
        y = graph.node("Mul", [y, other])
    return y


LAYERS = {
    "convolution": convolution, "deconvolution": convolution, "fully_connected": fully_connected, "max_pool": pool,
    "average_pool": pool, "l2_pool": pool, "scale": scale, "upsample": upsample, "pad_channels": pad_channels, "product": product,
    "relu": lambda g, row, x, shape: g.node("LeakyRelu", x, alpha=row["slope"]) if "slope" in row else g.node("Relu", x),
    "prelu": lambda g, row, x, shape: g.node("PRelu", [x[0], per_channel(g, 0, 1 if row.get("shared") else shape[0])]),
    "elu": lambda g, row, x, shape: g.node("Elu", x, alpha=row.get("alpha", 1.0)),
    "sigmoid": lambda g, row, x, shape: g.node("Sigmoid", x),
    "tanh": lambda g, row, x, shape: g.node("Tanh", x),
    "clip": lambda g, row, x, shape: g.node("Clip", [x[0], g.constant(row.get("minimum", 0)), g.constant(row["maximum"])]),
    "lrn": lambda g, row, x, shape: g.node("LRN", x, size=row["size"], alpha=row["alpha"], beta=row["beta"], bias=row["k"]),
    "sum": lambda g, row, x, shape: g.node("Sum", x),
    "maximum": lambda g, row, x, shape: g.node("Max", x),
    "concat": lambda g, row, x, shape: g.node("Concat", x, axis=1),
    "slice": lambda g, row, x, shape: cut(g, x[0], 1, row["first"], row["count"]),
    "crop": lambda g, row, x, shape: cut(g, x[0], (2, 3), pair(row.get("offset", 0)), pair(row["size"])),
    "flatten": lambda g, row, x, shape: g.node("Flatten", x, axis=1),
    "softmax": lambda g, row, x, shape: g.node("Softmax", x, axis=1),
}


def add(row, *shapes, batch=2):
    """A case without gradients. Of several inputs of different shapes 1x1 convolutions give the shapes in the network file."""
    above = ()
    if len(set(shapes)) > 1:
        above = [{"name": f"x{i}", "type": "convolution", "outputs": shape[0], "kernel": 1, "from": "input"}
                 for i, shape in enumerate(shapes)]
        row = {**row, "from": [giver["name"] for giver in above]}
    elif len(shapes) > 1:
        row = {**row, "from": ["input"] * len(shapes)}
    key = begin_case((*above, row), shapes[0], batch, training=False)
    graph = OnnxGraph()
    x = [graph.input(hashed(1 + i, (batch, *shape)).astype(np.float32)) for i, shape in enumerate(shapes)]
    (output,) = graph.run(LAYERS[row["type"]](graph, row, x, shapes[0]))
    TENSORS[key + ".output"] = digest(output)


def add_batch_norm(shape, batch, training, epsilon=1e-5, momentum=0.1):
    key = begin_case([{"type": "batch_norm", "epsilon": epsilon, "momentum": momentum}], shape, batch, training)
    METADATA[key + ".gradients"] = "false"
    channels = shape[0]
    graph = OnnxGraph()
    x = graph.input(hashed(1, (batch, *shape)).astype(np.float32))
    mean, variance = hashed(20, (channels,)), 1 + 0.5 * hashed(21, (channels,))
    parameters = [parameter(graph, 0, (channels,), around_one=True), parameter(graph, 1, (channels,))]
    outputs = graph.node("BatchNormalization", [x, *parameters, graph.constant(mean), graph.constant(variance)],
                         outputs=3 if training else 1, epsilon=epsilon, momentum=1 - momentum, training_mode=int(training))
    if not training:
        (TENSORS[key + ".output"],) = map(digest, graph.run(outputs))
        return
    y, mean_after, variance_after = graph.run(*outputs)
    count = batch * shape[1] * shape[2]
    of_batch = (variance_after - (1 - momentum) * variance) / momentum * count / (count - 1)
    TENSORS[key + ".output"] = digest(y)
    TENSORS[key + ".running_mean"] = digest(mean_after)
    TENSORS[key + ".running_variance"] = digest((1 - momentum) * variance + momentum * of_batch)


def add_softmax_loss(classes, batch):
    key = begin_case([{"type": "softmax_loss"}], (classes, 1, 1), batch, training=False)
    scores = hashed(1, (batch, classes)).astype(np.float32)
    labels = (mix(np.arange(batch, dtype=np.uint32)) % np.uint32(classes)).astype(np.int64)
    graph = OnnxGraph()
    x, label = graph.input(scores), graph.input(labels)
    loss = graph.node("SoftmaxCrossEntropyLoss", [x, label], reduction="sum")
    total, probabilities = graph.run(loss, graph.node("Softmax", [x], axis=1))
    rank = (scores > np.take_along_axis(scores, labels[:, None], 1)).sum(1)
    TENSORS[key + ".output"] = digest(probabilities)
    TENSORS[key + ".metrics"] = np.array([total, (rank < 1).sum(), (rank < 5).sum(), batch], dtype=np.float32)


def add_convolutions():
    for shape, options in [((3, 33, 31), dict(outputs=16, kernel=11, stride=4)), ((3, 17, 13), dict(outputs=7, kernel=3, padding=1)),
                           ((16, 14, 14), dict(outputs=32, kernel=3, padding=1)), ((32, 9, 9), dict(outputs=64, kernel=1)),
                           ((13, 7, 8), dict(outputs=11, kernel=3, stride=2, padding=1)), ((32, 8, 8), dict(outputs=32, kernel=1, stride=2)),
                           ((96, 7, 7), dict(outputs=64, kernel=5, groups=2, padding=2)), ((6, 9, 9), dict(outputs=9, kernel=3, groups=3)),
                           ((32, 8, 9), dict(outputs=32, kernel=3, groups=32, padding=1, bias=False)), ((5, 8, 8), dict(outputs=15, kernel=3, groups=5)),
                           ((16, 12, 15), dict(outputs=16, kernel=3, dilation=[3, 2], padding=[3, 2])),
                           ((3, 12, 20), dict(outputs=4, kernel=[3, 5], stride=[2, 3], padding=[1, 2])), ((7, 6, 5), dict(outputs=3, kernel=[6, 5])),
                           ((3, 9, 9), dict(outputs=16, kernel=3, padding=dict(top=2, left=0, bottom=1, right=3))),
                           ((16, 7, 6), dict(outputs=20, kernel=3, stride=2, padding=dict(right=1, bottom=2))),
                           ((3, 20, 31), dict(outputs=10, kernel=3, stride=2, padding="same")),
                           ((16, 9, 9), dict(outputs=32, kernel=[2, 4], padding="same")), ((6, 11, 7), dict(outputs=6, kernel=[7, 1], padding="same")),
                           ((32, 8, 8), dict(outputs=32, kernel=3, stride=2, groups=32, padding="same"))]:
        add({"type": "convolution", **options}, shape)
    for shape, options in [((3, 5, 5), dict(outputs=4, kernel=3)), ((16, 7, 7), dict(outputs=32, kernel=4, stride=2, padding=1)),
                           ((21, 6, 5), dict(outputs=21, kernel=4, stride=2, padding=1, groups=21, bias=False)),
                           ((8, 4, 4), dict(outputs=5, kernel=3, stride=2, padding=1, output_padding=1)),
                           ((6, 4, 5), dict(outputs=9, kernel=3, groups=3, padding=1)), ((4, 5, 6), dict(outputs=6, kernel=3, dilation=2, padding=2)),
                           ((4, 5, 4), dict(outputs=3, kernel=[2, 5], stride=[2, 3], padding=[0, 2], output_padding=[1, 2])),
                           ((32, 6, 6), dict(outputs=32, kernel=3, groups=2, stride=2))]:
        add({"type": "deconvolution", **options}, shape)
    for shape, options in [((50, 4, 4), dict(outputs=31)), ((500, 1, 1), dict(outputs=10)), ((3, 5, 7), dict(outputs=1)),
                           ((33, 3, 3), dict(outputs=17, bias=False))]:
        add({"type": "fully_connected", **options}, shape, batch=3)


def add_pools():
    pools = [((20, 24, 24), dict(kernel=2, stride=2)), ((16, 13, 13), dict(kernel=3, stride=2)), ((7, 8, 8), dict(kernel=3, stride=2, padding=1)),
             ((3, 9, 6), dict(kernel=[3, 2], stride=[2, 1], padding=[1, 0])), ((8, 6, 6), dict(kernel=3, stride=1, padding=1)),
             ((16, 12, 12), dict(kernel=3, stride=2, rounding="up")), ((5, 7, 9), dict(kernel=2, stride=2, rounding="up")),
             ((7, 8, 8), dict(kernel=3, stride=2, padding=1, rounding="up")), ((6, 7, 7), dict(kernel=2, stride=2, padding=1, rounding="up")),
             ((4, 5, 5), dict(kernel=2, stride=3)), ((16, 8, 8), dict(kernel=3, stride=2, padding="same")),
             ((20, 7, 7), dict(kernel=2, padding="same")), ((9, 3, 4), {"global": True}), ((64, 7, 7), {"global": True})]
    for shape, options in pools:
        same = options.get("padding") == "same"
        padded = "padding" in options and not same
        add({"type": "max_pool", **options}, shape)
        if not same:
            add({"type": "l2_pool", **options}, shape)
        if not padded or "rounding" not in options:
            add({"type": "average_pool", **options}, shape)
        if padded:
            add({"type": "average_pool", **options, "count_padding": False}, shape)


def add_elementwise():
    for i, shape in enumerate([(17, 5, 3), (10, 1, 1), (16, 6, 6), (33, 4, 7)]):
        add({"type": "relu"}, shape)
        add({"type": "relu", "slope": [0.01, 0.3, -0.2, 0.1][i]}, shape)
        add({"type": "prelu", **({"shared": True} if i % 2 else {})}, shape)
        add({"type": "elu", "alpha": [1.0, 0.5, 1.7, -0.4][i]}, shape)
        for kind in ("sigmoid", "tanh", "flatten", "softmax"):
            add({"type": kind}, shape)
        add({"type": "clip", "minimum": [-0.4, 0, 0.1, -0.3][i], "maximum": [0.5, 0.3, 0.6, 0.0][i]}, shape)
        add({"type": "scale", **({"shift": False} if i == 1 else {})}, shape)
        add({"type": "pad_channels", "outputs": shape[0] + 21, "before": 16 * (i % 2)}, shape)
        for kind in ("sum", "product", "maximum"):
            add({"type": kind}, *[shape] * (2 + i % 2))
        add({"type": "slice", "first": i, "count": [16, 1, 8, 16][i]}, shape)
        for training in (False, True):
            add_batch_norm(shape, 3, training, *[(1e-5, 0.1), (1e-3, 0.3)][i % 2])
    for channels, size in [((64, 128, 32, 32), (7, 7)), ((17, 16), (4, 4)), ((1, 1, 1), (1, 1)), ((96, 7), (3, 9))]:
        add({"type": "concat"}, *[(c, *size) for c in channels])
    for shape, size, alpha, beta, k in [((16, 5, 5), 5, 1e-4, 0.75, 2.0), ((96, 7, 7), 5, 1.0, 0.75, 2.0), ((7, 4, 3), 3, 0.5, 0.75, 1.0),
                                        ((3, 4, 4), 5, 1.0, 0.75, 1.0), ((20, 3, 3), 7, 1.0, 0.5, 1.5)]:
        add({"type": "lrn", "size": size, "alpha": alpha, "beta": beta, "k": k}, shape)
    for classes, batch in [(10, 8), (1000, 3), (2, 1), (17, 5)]:
        add_softmax_loss(classes, batch)


def add_spatial():
    for shape, options in [((3, 7, 7), dict(size=4)), ((16, 8, 6), dict(size=[5, 3], offset=[1, 2])), ((20, 9, 9), dict(size=[9, 4], offset=[0, 5]))]:
        add({"type": "crop", **options}, shape)
    for shape, options in [((3, 5, 5), dict(factor=2)), ((16, 4, 6), dict(factor=3)), ((17, 3, 4), dict(factor=[2, 4])), ((5, 1, 1), dict(factor=4)),
                           ((20, 6, 5), dict(size=[9, 13])), ((8, 9, 9), dict(size=[4, 5])), ((4, 1, 6), dict(size=[3, 1]))]:
        add({"type": "upsample", **options}, shape)


def main():
    add_convolutions()
    add_pools()
    add_elementwise()
    add_spatial()
    onnx_networks.add_all(TENSORS, METADATA)
    save("onnx.safetensors")


if __name__ == "__main__":
    main()
