"""Evaluation of AlexNet, GoogLeNet and ResNet-18 at small sizes of image by ONNX Runtime, written after their papers and Caffe
files, not after Convoy. PyTorch's own GoogLeNet has no local response normalization; this one has.

Pixels and parameters are hashed_values.h's numbers, as make_zoo.py has them: a weight times sqrt(6 / its inputs), other
parameters a quarter of the number, a batch norm's scale 1 + that, all times the factor that "NETWORK.factors" gives by name (a
line each). Running means are MEAN, variances VARIANCE. Stored are the logarithms of the probabilities of all samples,
"NETWORK.scores"; "NETWORK.trial" is "height width batch".
"""
import numpy as np

from golden_file import hashed, mix
from onnx_graph import OnnxGraph

MEAN, VARIANCE = 0.25, 0.75
LARGEST_SPREAD = 80  # of a sample's log probabilities: below it single precision holds the least of them


def series_of(name):
    """FNV-1a of 32 bits."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


class Network:
    """Layers are functions of a name and a value, and give a value; shapes are followed for the weights."""

    def __init__(self, height, width, batch, factors):
        self.graph, self.factors, self.used = OnnxGraph(), factors, set()
        elements = 3 * height * width
        words = mix(np.arange(batch * elements, dtype=np.uint32)) >> np.uint32(24)
        pixels = (words.astype(np.float32) - 128) / 64
        self.images = self.graph.input(pixels.reshape(batch, height, width, 3).transpose(0, 3, 1, 2))
        self.channels = {self.images: 3}

    def parameter(self, name, shape):
        which = name.rsplit(".", 1)[1]
        scale = np.float32(np.sqrt(6.0 / np.prod(shape[1:]))) if which == "weight" else np.float32(0.25)
        values = hashed(series_of(name), shape).astype(np.float32) * scale + np.float32(which == "scale")
        self.used.add(name)
        return self.graph.constant(values * np.float32(self.factors.get(name, 1)))

    def node(self, op, x, channels=None, more=(), **attributes):
        """Of one value, or of a list; as many channels as the first has, unless told."""
        inputs = x if isinstance(x, list) else [x]
        y = self.graph.node(op, [*inputs, *more], **attributes)
        self.channels[y] = channels or self.channels[inputs[0]]
        return y

    def convolution(self, name, x, outputs, kernel, stride=1, padding=0, groups=1, bias=True):
        parameters = [self.parameter(name + ".weight", (outputs, self.channels[x] // groups, kernel, kernel))]
        if bias:
            parameters.append(self.parameter(name + ".bias", (outputs,)))
        return self.node("Conv", x, outputs, parameters, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[padding] * 4,
                         group=groups)

    def connected(self, name, x, inputs, outputs):
        """`inputs` values a sample, of all channels and pixels."""
        parameters = [self.parameter(name + ".weight", (outputs, inputs)), self.parameter(name + ".bias", (outputs,))]
        return self.node("Gemm", self.node("Flatten", x, axis=1), outputs, parameters, transB=1)

    def norm(self, name, x):
        channels = self.channels[x]
        statistics = [self.graph.constant(np.full(channels, v)) for v in (MEAN, VARIANCE)]
        parameters = [self.parameter(f"{name}.{which}", (channels,)) for which in ("scale", "shift")]
        return self.node("BatchNormalization", x, more=[*parameters, *statistics], epsilon=1e-5)

    def relu(self, x):
        return self.node("Relu", x)

    def pool(self, x, kernel, stride, padding=0, up=False):
        return self.node("MaxPool", x, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[padding] * 4, ceil_mode=int(up))

    def lrn(self, x, alpha, k):
        return self.node("LRN", x, size=5, alpha=alpha, beta=0.75, bias=k)


def alexnet(n):
    """Krizhevsky, Sutskever, Hinton 2012; `alpha` of ONNX is divided by the size."""
    def conv(number, x, width, kernel, padding, groups, stride=1):
        name = f"conv{number}" if number == 1 else f"conv{number}/conv"
        return n.relu(n.convolution(name, x, width, kernel, stride, padding, groups))
    x = n.pool(n.lrn(conv(1, n.images, 96, 11, 0, 1, 4), 5 * 1e-4, 2.0), 3, 2)
    x = n.pool(n.lrn(conv(2, x, 256, 5, 2, 2), 5 * 1e-4, 2.0), 3, 2)
    x = conv(5, conv(4, conv(3, x, 384, 3, 1, 1), 384, 3, 1, 2), 256, 3, 1, 2)
    x = n.pool(x, 3, 2)  # 2 x 1 pixels
    x = n.relu(n.connected("fc6/fc", x, 512, 4096))
    return n.connected("fc8", n.relu(n.connected("fc7/fc", x, 4096, 4096)), 4096, 1000)


# Szegedy et al. 2014, table 1: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool proj.
ROWS = {"3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "4a": (192, 96, 208, 16, 48, 64),
        "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
        "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128)}


def googlenet(n):
    def conv(name, x, width, kernel, stride=1):
        return n.relu(n.convolution(name + "/conv", x, width, kernel, stride, kernel // 2))

    def inception(name, x):
        one, reduce3, three, reduce5, five, project = ROWS[name]
        branches = [conv(name + "/1x1", x, one, 1), conv(name + "/3x3", conv(name + "/3x3_reduce", x, reduce3, 1), three, 3),
                    conv(name + "/5x5", conv(name + "/5x5_reduce", x, reduce5, 1), five, 5),
                    conv(name + "/pool_proj", n.pool(x, 3, 1, 1), project, 1)]
        return n.node("Concat", branches, one + three + five + project, axis=1)

    x = n.lrn(n.pool(conv("conv1", n.images, 64, 7, 2), 3, 2, up=True), 1e-4, 1.0)
    x = n.lrn(conv("conv2", conv("conv2_reduce", x, 64, 1), 192, 3), 1e-4, 1.0)
    x = n.pool(x, 3, 2, up=True)
    for name in ROWS:
        if name in ("4a", "5a"):
            x = n.pool(x, 3, 2, up=True)
        x = inception(name, x)
    return n.connected("classes", n.node("GlobalAveragePool", x), 1024, 1000)


def resnet18(n):
    """He et al. 2015, table 1; 1x1 projections where a stage begins with stride 2."""
    x = n.relu(n.norm("bn1", n.convolution("conv1", n.images, 64, 7, 2, 3, bias=False)))
    x = n.pool(x, 3, 2, 1)
    for stage, width in enumerate((64, 128, 256, 512), 2):
        for block in (f"{stage}a/", f"{stage}b1/"):
            stride = 2 if stage > 2 and block[1] == "a" else 1
            y = n.relu(n.norm(block + "bn1", n.convolution(block + "conv1", x, width, 3, stride, 1, bias=False)))
            y = n.norm(block + "bn2", n.convolution(block + "conv2", y, width, 3, 1, 1, bias=False))
            if stride > 1:
                x = n.norm(block + "shortcut", n.convolution(block + "project", x, width, 1, stride, bias=False))
            x = n.relu(n.node("Add", [y, x]))
    return n.connected("fc", n.node("GlobalAveragePool", x), 512, 1000)


# Height, width, batch, and factors that keep the scores to a few tens.
TRIALS = {alexnet: ((99, 67, 2), {"fc8.weight": 0.25}), googlenet: ((80, 96, 2), {"classes.weight": 0.25}),
          resnet18: ((48, 64, 2), {"fc.weight": 0.25, **{f"{s}{b}/bn2.scale": 0.25 for s in (2, 3, 4, 5) for b in ("a", "b1")}})}


def add_all(tensors, metadata):
    for network, (trial, factors) in TRIALS.items():
        name = network.__name__
        n = Network(*trial, factors)
        (scores,) = n.graph.run(n.graph.node("LogSoftmax", [network(n)], axis=1))
        spread = (scores.max(1) - scores.min(1)).max()
        assert spread < LARGEST_SPREAD and factors.keys() <= n.used, (name, spread)
        tensors[name + ".scores"] = scores
        metadata[name + ".trial"] = " ".join(map(str, trial))
        metadata[name + ".factors"] = "".join(f"{key} {factor}\n" for key, factor in factors.items())
        print(f"{name}: {len(n.used)} parameters, log probabilities from {scores.min():.3g} to {scores.max():.3g}, deviation {scores.std():.3g}")
