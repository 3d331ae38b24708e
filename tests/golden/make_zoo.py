#!/usr/bin/env python3
"""Writes zoo.safetensors: one training iteration of every network of configs/nets by PyTorch in double precision, at a small
size of image (models: zoo_models.py; the comparison: tests/configs/zoo_test.cpp).

Pixels, labels and parameters are hashed_values.h's numbers, so none is stored. Of the scores, of every parameter's gradient
and of the running statistics the file holds a row of a tensor NETWORK:

    norm, PyTorch's own error in fp32, its error in bf16 autocast (both relative to the norm), a count sketch of 32 numbers

A count sketch (Charikar, Chen, Farach-Colton 2002) adds each value with a hashed sign to one of 32 hashed buckets. It is
linear, so the difference of two sketches is the sketch of the error, and the norm of that estimates the norm of the error:
its square is right in the mean and off by sqrt(2 / 32) = 25 % in the standard deviation. An error of twice the tolerance
passes with a chance below 1e-5, whatever places it is at. Up to 32 values are kept as they are.

Metadata: NETWORK.rows, a line a row, "scores", "conv1.weight", "bn1.shift 1 -3 3" (how a parameter's first values depart
from the hashed ones: a factor, and offsets among which a hash chooses) or "bn1.running_mean"; NETWORK.trial, "height width
batch first_sample"; and NETWORK.loss, the sum over the samples.

Kinks: where the input of a ReLU, or the gap between the two largest pixels of a pool, is as small as a rounding error, fp32
may decide otherwise than double precision, and one such decision changes gradients below it by up to a per cent. So images are
looked for (first_sample) among which no decision is closer than MARGIN; and where there are a million decisions, in the deep
networks with batch norm, shifts of SIDE deviations keep most of a channel's values on one side of the kink, and residual sums
above 0 (departure()). A network that comes closer is listed with its margin when made: of all only googlenet, 2.8e-6.

Run with PyTorch 2.13 and torchvision: make_zoo.py [NETWORK...] [--rows] [--show], ten minutes for all. Names make those anew
and keep the others; --rows tells norm and errors of each row; --show writes nothing.
"""
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.numpy import save_file
from torch.overrides import TorchFunctionMode

import make_layers
import zoo_models
from make_layers import hashed, mix

MARGIN = 4e-6  # of a decision, relative to the deviation of what is decided about
TRIES = 40
SIDE = 2.5  # deviations of a batch norm's output between its mean and a kink
BUCKETS = 32
SEED = 5

# Height, width, batch. Maps end with more than one pixel where fully connected layers or batch norm want it; sides differ, so
# that heights are told from widths.
SIZES = {"lenet": (28, 28, 4), "lenet5": (32, 32, 4), "fashion_net": (28, 28, 4), "fashion_grid": (28, 28, 4),
         "cifar10_quick": (24, 32, 4),
         "cifar10_full": (32, 24, 4), "nin_cifar10": (16, 24, 2), "all_cnn": (20, 16, 2), "resnet20": (20, 16, 4),
         "resnet56": (16, 20, 4), "resnet110": (16, 16, 4), "alexnet": (99, 67, 2), "alexnet_small": (64, 56, 2),
         "alexnet_owt": (67, 99, 2),
         "zfnet": (63, 95, 2), "nin_imagenet": (67, 83, 2), "vgg11": (64, 32, 2), "vgg13": (32, 64, 2), "vgg16": (64, 32, 2),
         "vgg19": (32, 64, 2), "googlenet": (80, 96, 2), "googlenet_bn": (64, 48, 4), "resnet18": (48, 64, 4),
         "resnet34": (64, 48, 4), "resnet50": (48, 64, 4), "resnet101": (64, 48, 4), "resnet152": (48, 48, 4),
         "squeezenet1_1": (63, 79, 2), "mobilenet_v2": (64, 48, 4), "three_by_64": (12, 17, 2), "three_strided": (20, 31, 2)}
CHANNELS = {"lenet": 1, "lenet5": 1, "fashion_net": 1, "fashion_grid": 1}
CLASSES = {"three_by_64": 64, "three_strided": 400, "alexnet_small": 22}


def classes_of(network):
    cifar_or_digits = SIZES[network][0] <= 32 and network not in ("vgg13", "vgg19")
    return CLASSES.get(network, 10 if cifar_or_digits else 1000)


def name_hash(name):
    """FNV-1a of 32 bits."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def counted(start, count):
    with np.errstate(over="ignore"):
        return np.arange(count, dtype=np.uint32) + np.uint32(start & 0xFFFFFFFF)


# ---- first values ----

def departure(network, name):
    """(factor, offsets) of a parameter's first values: see Kinks above."""
    residual = network.startswith("resnet")
    layer, which = name.rsplit(".", 1) if "." in name else (name, "")
    if which == "weight" and layer.rsplit("/", 1)[-1] in ("fc8", "classes") or name == "fc.weight":
        return 0.25, ()  # scores of a few units, so that more than one class has a probability
    norm = layer.rsplit("/", 1)[-1]
    if which not in ("scale", "shift") or network.startswith("fashion"):
        return 1, ()
    if network == "mobilenet_v2":
        if which == "scale" or layer.count("/") == 1 and not layer.startswith("conv"):
            return 1, ()  # the last of a bottleneck has no ReLU6
        # All of a map at 0 or at 6 would leave the depthwise convolution after it next to nothing to normalize.
        return 1, (-SIDE, SIDE, 6 + SIDE) if "depthwise" in layer else (SIDE, 6 - SIDE)
    if not residual:
        return (1, ()) if which == "scale" else (1, (-SIDE, SIDE))
    if norm == "shortcut":
        return (1, ()) if which == "scale" else (1, (6,))
    last = "bn3" if network in ("resnet50", "resnet101", "resnet152") else "bn2"
    if norm == last:  # sums stay above 0: the first of a stage lifts them, the others add little
        lifts = layer in ("1a1/bn2", "2a/bn2", "3a/bn2") and network in ("resnet20", "resnet56", "resnet110") or layer == "2a/bn2"
        return (0.25, ()) if which == "scale" or not lifts else (0.25, (4,))
    return (1, ()) if which == "scale" else (1, (-SIDE, SIDE))


def first_values(network):
    def fill(name, shape):
        series, which = name_hash(name), name.rsplit(".", 1)[1]
        scale = np.float32(np.sqrt(6.0 / np.prod(shape[1:]))) if which == "weight" else np.float32(0.25)
        values = hashed(series, shape).astype(np.float32) * scale + np.float32(which == "scale")
        factor, offsets = departure(network, name)
        values = values * np.float32(factor)
        if offsets:
            values = values + np.array(offsets, dtype=np.float32)[mix(counted(series, values.size)) % len(offsets)].reshape(shape)
        return values
    return fill


def batch_of(network, first):
    height, width, batch = SIZES[network]
    channels = CHANNELS.get(network, 3)
    elements = height * width * channels
    words = mix(counted(first * elements, batch * elements)) >> np.uint32(24)
    pixels = (words.astype(np.float64) - 128) / 64
    labels = mix(counted(first, batch)) % np.uint32(classes_of(network))
    images = pixels.reshape(batch, height, width, channels).transpose(0, 3, 1, 2).copy()
    return torch.tensor(images), torch.tensor(labels.astype(np.int64))


# ---- dropout: make_layers.dropout_scale for whole arrays ----

def philox_words(samples, elements, iteration, key):
    blocks = -(-elements // 4)
    c = [np.tile(np.arange(blocks, dtype=np.uint64), samples), np.repeat(np.arange(samples, dtype=np.uint64), blocks),
         np.full(samples * blocks, iteration, dtype=np.uint64), np.zeros(samples * blocks, dtype=np.uint64)]
    words = make_layers.philox(c, [key & 0xFFFFFFFF, key >> 32])
    return np.stack(words, 1).reshape(samples, blocks * 4)[:, :elements]


def drop(x, rate, number, first_sample=0, iteration=0):
    key = make_layers.splitmix(make_layers.splitmix(SEED) ^ ((4 << 32) | number))
    words = philox_words(x.shape[0], x[0].numel(), iteration, key)
    keep = words >= int(rate * 2**32)
    return x * torch.tensor(keep / (1 - rate), dtype=x.dtype).reshape(x.shape)


# ---- kinks ----

class Watch(TorchFunctionMode):
    """Finds the closest decision of all ReLUs, ReLU6s and max pools, relative to the deviation of their inputs."""

    def __init__(self):
        super().__init__()
        self.closest = np.inf
        self.where = ""

    def note(self, distances, x, what):
        if distances.numel() == 0:
            return
        closest = (distances.min() / x.std()).item()
        if closest < self.closest:
            self.closest, self.where = closest, what

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name, x = getattr(function, "__name__", ""), args[0] if args else None
        if name == "relu":
            self.note(x.abs(), x, f"relu {tuple(x.shape)}")
        elif name in ("relu6", "hardtanh"):
            self.note(torch.minimum(x.abs(), (x - 6).abs()), x, f"relu6 {tuple(x.shape)}")
        elif "max_pool2d" in name and "with_indices" not in name:
            self.pool(x, *args[1:], **kwargs)
        return function(*args, **kwargs)

    def pool(self, x, kernel, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        stride = stride or kernel
        extra = kernel if ceil_mode else 0  # windows that begin inside, and some that do not: harmless
        wide = F.pad(x, (padding, padding + extra, padding, padding + extra), value=-np.inf)
        windows = F.unfold(wide.nan_to_num(neginf=-1e30), kernel, stride=stride).unflatten(1, (x.shape[1], -1))
        first, second = windows.topk(2, dim=2).values.unbind(2)
        gaps = first - second
        self.note(gaps[gaps > 0], x, f"pool {tuple(x.shape)}")  # equal are only zeros behind a ReLU


def find_images(network):
    """The first sample of a batch in which no decision is closer than MARGIN, or the batch where they are farthest."""
    best = (0.0, 0, "")
    height, width, _ = SIZES[network]
    model = zoo_models.make(network, first_values(network), drop, (CHANNELS.get(network, 3), height, width), torch.float64)
    for first in range(0, 64 * TRIES, 64):
        watch = Watch()
        with torch.no_grad(), watch:
            model(batch_of(network, first)[0])
        best = max(best, (watch.closest, first, watch.where))
        if best[0] >= MARGIN:
            break
    return best


# ---- one iteration ----

def iterate(network, first, dtype, autocast=False):
    """Everything that is compared, by name, in double precision."""
    images, labels = batch_of(network, first)
    model = zoo_models.make(network, first_values(network), drop, tuple(images.shape[1:]), dtype)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        heads = model(images.to(dtype))
    loss = sum(weight * F.cross_entropy(scores.to(dtype), labels) for weight, scores in heads)
    loss.backward()
    scores = heads[0][1].detach().double()
    out = {"scores": scores - scores.mean(1, keepdim=True)}
    out |= {name: value.grad.double() for name, value in model.parameters.items()}
    out |= {name: value.double() for name, value in model.states.items()}
    return loss.item() * len(labels), {name: value.numpy() for name, value in out.items()}


def sketch(name, values):
    x = values.reshape(-1)
    if x.size <= BUCKETS:
        return np.concatenate([x, np.zeros(BUCKETS - x.size)])
    words = mix(counted(name_hash(name) + 1, x.size))
    signs = np.where(words & np.uint32(32), -1.0, 1.0)
    return np.bincount(words & np.uint32(31), weights=x * signs, minlength=BUCKETS)


def norm_of(out, name):
    """To which errors are relative. Of a batch norm's scale and shift together: where another batch norm follows without a
    ReLU between, as in MobileNet, the shift makes no difference, and its gradient is rounding alone."""
    layer, which = name.rsplit(".", 1) if "." in name else (name, "")
    if which in ("scale", "shift"):
        return np.hypot(np.linalg.norm(out[layer + ".scale"]), np.linalg.norm(out[layer + ".shift"]))
    return np.linalg.norm(out[name])


def error(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def joined(out):
    return np.concatenate([v.reshape(-1) for k, v in out.items() if k != "scores" and "running" not in k])


def compare(network):
    """The rows of a network, its metadata, and a line that tells of it."""
    start = time.time()
    margin, first, where = find_images(network)
    loss, exact = iterate(network, first, torch.float64)
    loss32, single = iterate(network, first, torch.float32)
    loss16, half = iterate(network, first, torch.float32, autocast=True)
    rows, lines = [], []
    for name, value in exact.items():
        norm = norm_of(exact, name)
        off = [np.linalg.norm(rounded[name] - value) / norm for rounded in (single, half)]
        rows.append(np.concatenate([[norm, *off], sketch(name, value)]))
        factor, offsets = departure(network, name)
        lines.append(" ".join([name, *map(str, (factor, *offsets))]) if (factor, offsets) != (1, ()) else name)
    height, width, batch = SIZES[network]
    metadata = {network + ".rows": "\n".join(lines), network + ".trial": f"{height} {width} {batch} {first}",
                network + ".loss": repr(loss)}
    if "--rows" in sys.argv[1:]:
        for name, row in zip(exact, rows):
            print(f"  {row[0]:.2e} {row[1]:.1e} {row[2]:.1e} {name}")
    names = list(exact)
    worst = [max((row[k], names[i]) for i, row in enumerate(rows)) for k in (1, 2)]
    told = (f"{network:14} margin {margin:.1e} at {first} {where}; loss {loss / batch:.3f}, fp32 {abs(loss32 / loss - 1):.0e}, bf16 "
            f"{abs(loss16 / loss - 1):.0e}; gradient {np.linalg.norm(joined(exact)):.2e}, fp32 {error(joined(single), joined(exact)):.1e}, "
            f"bf16 {error(joined(half), joined(exact)):.1e}; worst fp32 {worst[0][0]:.1e} {worst[0][1]}, bf16 {worst[1][0]:.1e} "
            f"{worst[1][1]}; {time.time() - start:.0f} s")
    return np.array(rows, dtype=np.float32), metadata, told


def main():
    torch.set_num_threads(2)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "zoo.safetensors")
    asked = [name for name in sys.argv[1:] if not name.startswith("-")]
    tensors, metadata = {}, {}
    if asked:
        with safe_open(path, "np") as file:
            tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()
    for network in asked or SIZES:
        rows, data, told = compare(network)
        print(told, flush=True)
        tensors[network] = rows
        metadata |= data
    if "--show" not in sys.argv[1:]:
        save_file(tensors, path, metadata)
        print(len(tensors), "networks,", os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
