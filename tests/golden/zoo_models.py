"""The networks of configs/nets in PyTorch, written after their papers and Caffe files, not after Convoy: those of torchvision
are torchvision's models, with their parameters called by Convoy's names; the others are written out below.

A network is a class that is made with `fill`, a function of a parameter's name and shape that gives its first values, and
`drop`, a function of (values, rate, number of the layer) in place of dropout. Calling it gives [(weight of the loss,
scores)], the main loss first. Then `parameters` and `states` (running statistics) hold its tensors by name.
"""
import re

import torch
import torch.nn.functional as F
from torch import nn


class WrittenOut:
    """A network as a function of (self, input); its parameters come into being where they are first used."""

    def __init__(self, function, fill, drop):
        self.function, self.fill, self.drop = function, fill, drop
        self.parameters, self.states = {}, {}

    def __call__(self, x):
        scores = self.function(self, x)
        return scores if isinstance(scores, list) else [(1, scores)]

    def parameter(self, name, shape, x):
        if name not in self.parameters:
            self.parameters[name] = torch.tensor(self.fill(name, shape), dtype=x.dtype, requires_grad=True)
        return self.parameters[name]

    def convolution(self, name, x, outputs, kernel, stride=1, padding=0, groups=1, bias=True):
        weight = self.parameter(name + ".weight", (outputs, x.shape[1] // groups, kernel, kernel), x)
        return F.conv2d(x, weight, self.parameter(name + ".bias", (outputs,), x) if bias else None, stride, padding, 1, groups)

    def connected(self, name, x, outputs):
        x = x.flatten(1)
        weight = self.parameter(name + ".weight", (outputs, x.shape[1]), x)
        return F.linear(x, weight, self.parameter(name + ".bias", (outputs,), x))

    def norm(self, name, x):
        wide = torch.float64 if x.dtype == torch.float64 else torch.float32
        like = torch.zeros(0, dtype=wide)
        mean, variance = (self.states.setdefault(f"{name}.running_{which}", torch.full((x.shape[1],), first, dtype=wide))
                          for which, first in (("mean", 0.0), ("variance", 1.0)))
        scale, shift = (self.parameter(f"{name}.{which}", (x.shape[1],), like) for which in ("scale", "shift"))
        return F.batch_norm(x, mean, variance, scale, shift, True, 0.1, 1e-5)

    def relu_of(self, name, x, *arguments, **more):
        return F.relu(self.convolution(name, x, *arguments, **more))


def pool_up(x, kernel=3, stride=2):
    """Caffe's pooling rounds the number of windows up."""
    return F.max_pool2d(x, kernel, stride, ceil_mode=True)


def mean_pool(x):
    return x.mean((2, 3))


def lenet(n, x):
    x = F.max_pool2d(n.convolution("conv1", x, 20, 5), 2)
    x = F.max_pool2d(n.convolution("conv2", x, 50, 5), 2)
    return n.connected("ip2", F.relu(n.connected("ip1", x, 500)), 10)


def lenet5(n, x):
    x = F.avg_pool2d(torch.tanh(n.convolution("c1", x, 6, 5)), 2)
    x = F.avg_pool2d(torch.tanh(n.convolution("c3", x, 16, 5)), 2)
    x = torch.tanh(n.convolution("c5", x, 120, 5))
    return n.connected("output", torch.tanh(n.connected("f6", x, 84)), 10)


def fashion_features(n, x):
    def stage(name, value, width):
        return n.norm("bn" + name, n.convolution("conv" + name, value, width, 3, 1, 1, bias=False))
    x = F.max_pool2d(F.relu(stage("1", x, 16)), 2)
    x = F.max_pool2d(F.relu(stage("2", x, 48)), 2)
    x = F.relu(stage("3b", F.relu(stage("3a", x, 48)), 48) + x)
    return F.relu(stage("4", x, 128))


def fashion_net(n, x):
    return n.connected("fc", mean_pool(fashion_features(n, x)), 10)


def fashion_grid(n, x):
    return n.connected("fc", n.drop(F.avg_pool2d(fashion_features(n, x), 3, 2), 0.5, 19), 10)


def cifar10_quick(n, x):
    x = F.relu(pool_up(n.convolution("conv1", x, 32, 5, 1, 2)))
    x = F.avg_pool2d(n.relu_of("conv2", x, 32, 5, 1, 2), 3, 2, ceil_mode=True)
    x = F.avg_pool2d(n.relu_of("conv3", x, 64, 5, 1, 2), 3, 2, ceil_mode=True)
    return n.connected("ip2", n.connected("ip1", x, 64), 10)


def cifar10_full(n, x):
    def norm(value):
        return value * (1 + 5e-5 * F.avg_pool2d(value ** 2, 3, 1, 1)) ** -0.75
    x = norm(F.relu(pool_up(n.convolution("conv1", x, 32, 5, 1, 2))))
    x = norm(F.avg_pool2d(n.relu_of("conv2", x, 32, 5, 1, 2), 3, 2, ceil_mode=True))
    x = F.avg_pool2d(n.relu_of("conv3", x, 64, 5, 1, 2), 3, 2, ceil_mode=True)
    return n.connected("ip1", x, 10)


def mlpconv(n, name, x, widths, kernel, stride=1, padding=0):
    x = n.relu_of(name + "/conv", x, widths[0], kernel, stride, padding)
    return n.relu_of(name + "/cccp2", n.relu_of(name + "/cccp1", x, widths[1], 1), widths[2], 1)


def nin_cifar10(n, x):
    x = n.drop(pool_up(mlpconv(n, "1", x, (192, 160, 96), 5, 1, 2)), 0.5, 7)
    x = n.drop(F.avg_pool2d(mlpconv(n, "2", x, (192, 192, 192), 5, 1, 2), 3, 2, ceil_mode=True), 0.5, 15)
    return mean_pool(mlpconv(n, "3", x, (192, 192, 10), 3, 1, 1))


def nin_imagenet(n, x):
    x = pool_up(mlpconv(n, "1", x, (96, 96, 96), 11, 4, 2))
    x = pool_up(mlpconv(n, "2", x, (256, 256, 256), 5, 1, 2))
    x = n.drop(pool_up(mlpconv(n, "3", x, (384, 384, 384), 3, 1, 1)), 0.5, 21)
    return mean_pool(mlpconv(n, "4", x, (1024, 1024, 1000), 3, 1, 1))


def all_cnn(n, x):
    def conv(number, value, width, kernel=3, stride=1, padding=1):
        return n.relu_of(f"conv{number}/conv", value, width, kernel, stride, padding)
    x = conv(2, conv(1, n.drop(x, 0.2, 0), 96), 96)
    x = n.drop(conv(3, x, 96, stride=2), 0.5, 7)
    x = conv(5, conv(4, x, 192), 192)
    x = n.drop(conv(6, x, 192, stride=2), 0.5, 14)
    x = conv(8, conv(7, x, 192, padding=0), 192, 1, padding=0)
    return mean_pool(conv(9, x, 10, 1, padding=0))


def cifar_resnet(blocks):
    """He et al. 2015, section 4.2, with shortcuts of option A."""
    def forward(n, x):
        def normed(name, number, value, width, stride=1):
            return n.norm(f"{name}bn{number}", n.convolution(f"{name}conv{number}", value, width, 3, stride, 1, bias=False))
        x = F.relu(normed("", 1, x, 16))
        for stage, width in enumerate((16, 32, 64)):
            for i in range(blocks):
                down = stage > 0 and i == 0
                name = f"1a{i + 1}/" if stage == 0 else f"{stage + 1}a/" if i == 0 else f"{stage + 1}b{i}/"
                y = normed(name, 2, F.relu(normed(name, 1, x, width, 2 if down else 1)), width)
                shortcut = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, width // 2)) if down else x
                x = F.relu(y + shortcut)
        return n.connected("fc", mean_pool(x), 10)
    return forward


def alexnet(n, x):
    def norm(value):
        return F.local_response_norm(value, 5, 5e-4, 0.75, 2.0)
    x = F.max_pool2d(norm(n.relu_of("conv1", x, 96, 11, 4)), 3, 2)
    x = F.max_pool2d(norm(n.relu_of("conv2/conv", x, 256, 5, 1, 2, 2)), 3, 2)
    x = n.relu_of("conv3/conv", x, 384, 3, 1, 1)
    x = n.relu_of("conv4/conv", x, 384, 3, 1, 1, 2)
    x = F.max_pool2d(n.relu_of("conv5/conv", x, 256, 3, 1, 1, 2), 3, 2)
    for name, number in (("fc6/fc", 17), ("fc7/fc", 20)):
        x = n.drop(F.relu(n.connected(name, x, 4096)), 0.5, number)
    return n.connected("fc8", x, 1000)


def alexnet_small(n, x):
    def norm(value):
        return F.local_response_norm(value, 5, 1e-4, 0.75, 2.0)
    x = F.max_pool2d(norm(n.relu_of("conv1", x, 48, 7, 2, 3)), 3, 2)
    x = F.max_pool2d(norm(n.relu_of("conv2/conv", x, 128, 5, 1, 2, 2)), 3, 2)
    x = n.relu_of("conv3/conv", x, 192, 3, 1, 1)
    x = n.relu_of("conv4/conv", x, 192, 3, 1, 1, 2)
    x = F.max_pool2d(n.relu_of("conv5/conv", x, 128, 3, 1, 1, 2), 3, 2)
    for name, number in (("fc6/fc", 17), ("fc7/fc", 20)):
        x = n.drop(F.relu(n.connected(name, x, 512)), 0.5, number)
    return n.connected("fc8", x, 22)


def zfnet(n, x):
    def norm(value):
        return F.local_response_norm(value, 5, 5e-4, 0.75, 2.0)
    x = norm(pool_up(n.relu_of("conv1", x, 96, 7, 2, 1)))
    x = norm(pool_up(n.relu_of("conv2", x, 256, 5, 2)))
    for name, width in (("conv3", 384), ("conv4", 384), ("conv5", 256)):
        x = n.relu_of(name, x, width, 3, 1, 1)
    x = F.max_pool2d(x, 3, 2)
    for name, number in (("fc6", 17), ("fc7", 20)):
        x = n.drop(F.relu(n.connected(name, x, 4096)), 0.5, number)
    return n.connected("fc8", x, 1000)


# Table 1 of the paper: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool proj.
INCEPTIONS = {"3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "4a": (192, 96, 208, 16, 48, 64),
              "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
              "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128)}


def googlenet(n, x):
    def conv(name, value, width, kernel, stride=1):
        return n.relu_of(name + "/conv", value, width, kernel, stride, kernel // 2)

    def inception(name, value):
        one, reduce3, three, reduce5, five, pool = INCEPTIONS[name]
        return torch.cat([conv(name + "/1x1", value, one, 1),
                          conv(name + "/3x3", conv(name + "/3x3_reduce", value, reduce3, 1), three, 3),
                          conv(name + "/5x5", conv(name + "/5x5_reduce", value, reduce5, 1), five, 5),
                          conv(name + "/pool_proj", F.max_pool2d(value, 3, 1, 1), pool, 1)], 1)

    def head(name, value, number):
        value = conv(name + "/conv", F.avg_pool2d(value, 5, 3), 128, 1)
        value = n.drop(F.relu(n.connected(name + "/fc", value, 1024)), 0.7, number)
        return 0.3, n.connected(name + "/classes", value, 1000)

    x = F.local_response_norm(pool_up(conv("conv1", x, 64, 7, 2)), 5, 1e-4, 0.75, 1.0)
    x = conv("conv2", conv("conv2_reduce", x, 64, 1), 192, 3)
    x = pool_up(F.local_response_norm(x, 5, 1e-4, 0.75, 1.0))
    x = inception("4a", pool_up(inception("3b", inception("3a", x))))
    heads = [head("head1", x, 147)]
    x = inception("4d", inception("4c", inception("4b", x)))
    heads.append(head("head2", x, 155))
    x = inception("5b", inception("5a", pool_up(inception("4e", x))))
    return [(1, n.connected("classes", n.drop(mean_pool(x), 0.4, 139), 1000)), *heads]


def three_by_64(n, x):
    """Like three_strided without a loss of its own; the comparison puts a mean over the pixels and softmax at the end."""
    for name in ("conv1", "conv2", "conv3"):
        x = n.convolution(name, x, 64, 3, 1, 1)
    return mean_pool(x)


def three_strided(n, x):
    for name, width in (("conv1", 100), ("conv2", 200), ("conv3", 400)):
        # "same" as TensorFlow has it: of an odd number of pixels around, the last stands at the end.
        around = [max((-(-size // 2) - 1) * 2 + 3 - size, 0) for size in x.shape[2:]]
        (top, bottom), (left, right) = ((total // 2, total - total // 2) for total in around)
        x = n.convolution(name, F.pad(x, (left, right, top, bottom)), width, 3, 2)
    return mean_pool(x)


# ---- torchvision ----

def resnet_name(name):
    block = re.match(r"layer(\d)\.(\d+)\.(.*)", name)
    if not block:
        return name
    stage, number, rest = int(block[1]) + 1, int(block[2]), block[3]
    return f"{stage}a/{rest}" if number == 0 else f"{stage}b{number}/{rest}"


def basic_name(name):
    return resnet_name(name).replace("downsample.0", "project").replace("downsample.1", "shortcut")


def bottleneck_name(name):
    new = basic_name(name)
    if "/" in new:
        for theirs, ours in (("conv1", "reduce"), ("conv2", "conv"), ("conv3", "expand")):
            new = new.replace(f"/{theirs}.", f"/{ours}.")
    return new


def alexnet_name(name):
    known = {"0": "conv1/conv", "3": "conv2/conv", "6": "conv3/conv", "8": "conv4/conv", "10": "conv5/conv"}
    group, number, which = name.split(".")
    return (known[number] if group == "features" else {"1": "fc6", "4": "fc7", "6": "fc8"}[number]) + "." + which


def vgg_name(stages):
    numbers, at = {}, 0
    for stage, convolutions in enumerate(stages, 1):
        for i in range(1, convolutions + 1):
            numbers[str(at)] = f"conv{stage}_{i}/conv"
            at += 2
        at += 1

    def rename(name):
        group, number, which = name.split(".")
        return (numbers[number] if group == "features" else {"0": "fc6/fc", "3": "fc7/fc", "6": "fc8"}[number]) + "." + which
    return rename


def googlenet_name(name):
    for theirs, ours in (("conv2.", "conv2_reduce."), ("conv3.", "conv2."), ("fc.", "classes.")):
        if name.startswith(theirs):
            name = ours + name[len(theirs):]
            break
    for theirs, ours in (("branch1", "1x1"), ("branch2.0", "3x3_reduce"), ("branch2.1", "3x3"), ("branch3.0", "5x5_reduce"),
                         ("branch3.1", "5x5"), ("branch4.1", "pool_proj")):
        name = re.sub(rf"inception(\w+)\.{re.escape(theirs)}\.", rf"\1/{ours}.", name)
    return re.sub(r"\.(conv|bn)\.", r"/\1.", name)


def squeezenet_name(name):
    if name.startswith("classifier.1."):
        return "conv10." + name.split(".")[-1]
    parts = name.split(".")
    if parts[1] == "0":
        return "conv1." + parts[-1]
    fire = {"3": 2, "4": 3, "6": 4, "7": 5, "9": 6, "10": 7, "11": 8, "12": 9}[parts[1]]
    return f"fire{fire}/" + parts[2].replace("expand", "") + "." + parts[-1]


def mobilenet_name(name):
    blocks = ["1", "2a", "2b", "3a", "3b1", "3b2", "4a", "4b1", "4b2", "4b3", "5a", "5b1", "5b2", "6a", "6b1", "6b2", "7"]
    parts = name.split(".")
    if parts[0] == "classifier":
        return "fc." + parts[-1]
    number, inside, which = int(parts[1]), parts[2:-1], parts[-1]
    kinds = {"0": "conv", "1": "bn"}
    if number in (0, 18):
        return f"{'conv1' if number == 0 else 'conv8'}/{kinds[inside[0]]}.{which}"
    steps = ["depthwise", "project", "bn"] if number == 1 else ["expand", "depthwise", "project", "bn"]
    step = steps[int(inside[1])]
    return f"{blocks[number - 1]}/{step}" + (f"/{kinds[inside[2]]}" if len(inside) > 2 else "") + "." + which


class Drop(nn.Module):
    def __init__(self, drop, rate, number):
        super().__init__()
        self.drop, self.rate, self.number = drop, rate, number

    def forward(self, x):
        return self.drop(x, self.rate, self.number)


class OfTorchvision:
    """`drops` are the numbers of the dropout layers in Convoy's network, in their order."""

    def __init__(self, model, rename, drops, fill, drop, shape, dtype):
        from torchvision import models
        options = {"googlenet": {"aux_logits": False, "init_weights": False}}.get(model, {})
        with torch.device("meta"):  # without first values of its own
            self.model = getattr(models, model)(**options).to(dtype)
            self.fit_to(shape, model)
        self.model.to_empty(device="cpu")
        for module in self.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
        self.replace_dropout(list(drops), drop)
        own = {"running_mean": "running_mean", "running_var": "running_variance"}
        norms = {name for name, module in self.model.named_modules() if isinstance(module, nn.BatchNorm2d)}
        self.parameters, self.states = {}, {}
        for name, value in self.model.named_parameters():
            layer, which = name.rsplit(".", 1)
            new = rename(name)
            if layer in norms:
                new = new.rsplit(".", 1)[0] + {"weight": ".scale", "bias": ".shift"}[which]
            self.parameters[new] = value
            with torch.no_grad():
                value.copy_(torch.tensor(fill(new, tuple(value.shape))))
        for name, value in self.model.named_buffers():
            if name.rsplit(".", 1)[1] in own:
                new = rename(name)
                self.states[new.rsplit(".", 1)[0] + "." + own[name.rsplit(".", 1)[1]]] = value

    def fit_to(self, shape, model):
        """Where a pool makes maps of any size 7x7 or 6x6 before fully connected layers, these take the maps as they are:
        so does it at the full size of image."""
        if hasattr(self.model, "features") and model.startswith(("vgg", "alexnet")):
            self.model.avgpool = nn.Identity()
            first = 0 if model.startswith("vgg") else 1
            dtype = self.model.classifier[first].weight.dtype
            features = self.model.features(torch.zeros(1, *shape, dtype=dtype)).numel()
            self.model.classifier[first] = nn.Linear(features, 4096, dtype=dtype)

    def replace_dropout(self, drops, drop):
        for module in list(self.model.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.Dropout):
                    setattr(module, name, Drop(drop, child.p, drops.pop(0)))
        assert not drops

    def __call__(self, x):
        return [(1, self.model(x))]


WRITTEN_OUT = {"lenet": lenet, "lenet5": lenet5, "fashion_net": fashion_net, "fashion_grid": fashion_grid,
               "cifar10_quick": cifar10_quick,
               "cifar10_full": cifar10_full, "nin_cifar10": nin_cifar10, "all_cnn": all_cnn, "resnet20": cifar_resnet(3),
               "resnet56": cifar_resnet(9), "resnet110": cifar_resnet(18), "alexnet": alexnet, "alexnet_small": alexnet_small,
               "zfnet": zfnet,
               "nin_imagenet": nin_imagenet, "googlenet": googlenet, "three_by_64": three_by_64,
               "three_strided": three_strided}
# Convoy's name → torchvision's, function from its names to ours, numbers of our dropout layers.
TORCHVISION = {"alexnet_owt": ("alexnet", alexnet_name, (13, 16)),
               "vgg11": ("vgg11", vgg_name((1, 1, 2, 2, 2)), (23, 26)), "vgg13": ("vgg13", vgg_name((2, 2, 2, 2, 2)), (27, 30)),
               "vgg16": ("vgg16", vgg_name((2, 2, 3, 3, 3)), (33, 36)), "vgg19": ("vgg19", vgg_name((2, 2, 4, 4, 4)), (39, 42)),
               "googlenet_bn": ("googlenet", googlenet_name, (194,)), "squeezenet1_1": ("squeezenet1_1", squeezenet_name, (61,)),
               "mobilenet_v2": ("mobilenet_v2", mobilenet_name, (150,)),
               "resnet18": ("resnet18", basic_name, ()), "resnet34": ("resnet34", basic_name, ()),
               "resnet50": ("resnet50", bottleneck_name, ()), "resnet101": ("resnet101", bottleneck_name, ()),
               "resnet152": ("resnet152", bottleneck_name, ())}


def make(network, fill, drop, shape, dtype):
    """`shape` (channels, height, width) of the images."""
    if network in WRITTEN_OUT:
        return WrittenOut(WRITTEN_OUT[network], fill, drop)
    return OfTorchvision(*TORCHVISION[network], fill, drop, shape, dtype)
