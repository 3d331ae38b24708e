"""The networks of configs/nets that benchmarks train in PyTorch too, layer by layer the same. None needs torchvision but
googlenet_bn, which is that of torchvision.

NETWORKS[name]() gives ((channels, pixels, classes), model). A model gives scores, or in training a tuple of the scores and
those of auxiliary heads, whose losses count HEAD_WEIGHT.
"""
import torch
from torch import nn
from torch.nn import functional

HEAD_WEIGHT = 0.3


def lenet():
    """Caffe's LeNet, as configs/nets/lenet.toml."""
    return (1, 28, 10), nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(800, 500), nn.ReLU(inplace=True), nn.Linear(500, 10))


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.body(x) + x)


def fashion_net():
    """As configs/nets/fashion_net.toml."""
    def stage(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return (1, 28, 10), nn.Sequential(*stage(1, 16), nn.MaxPool2d(2), *stage(16, 48), nn.MaxPool2d(2), Residual(48),
                                      *stage(48, 128), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


def convolution(inputs, outputs, kernel, **options):
    return [nn.Conv2d(inputs, outputs, kernel, **options), nn.ReLU(inplace=True)]


def connected(inputs):
    return [nn.Linear(inputs, 4096), nn.ReLU(inplace=True), nn.Dropout()]


def alexnet():
    """Krizhevsky, Sutskever, Hinton 2012, in two groups, with local response normalization."""
    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)
    return (3, 227, 1000), nn.Sequential(
        *convolution(3, 96, 11, stride=4), norm(), nn.MaxPool2d(3, 2),
        *convolution(96, 256, 5, padding=2, groups=2), norm(), nn.MaxPool2d(3, 2),
        *convolution(256, 384, 3, padding=1), *convolution(384, 384, 3, padding=1, groups=2),
        *convolution(384, 256, 3, padding=1, groups=2), nn.MaxPool2d(3, 2),
        nn.Flatten(), *connected(9216), *connected(4096), nn.Linear(4096, 1000))


def alexnet_owt():
    """Krizhevsky 2014, the form of torchvision's alexnet."""
    return (3, 224, 1000), nn.Sequential(
        *convolution(3, 64, 11, stride=4, padding=2), nn.MaxPool2d(3, 2),
        *convolution(64, 192, 5, padding=2), nn.MaxPool2d(3, 2),
        *convolution(192, 384, 3, padding=1), *convolution(384, 256, 3, padding=1),
        *convolution(256, 256, 3, padding=1), nn.MaxPool2d(3, 2), nn.Flatten(),
        nn.Dropout(), nn.Linear(9216, 4096), nn.ReLU(inplace=True),
        nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Linear(4096, 1000))


def vgg16():
    layers, inputs = [], 3
    for width, repeat in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(repeat):
            layers += convolution(inputs, width, 3, padding=1)
            inputs = width
        layers.append(nn.MaxPool2d(2))
    return (3, 224, 1000), nn.Sequential(*layers, nn.Flatten(), *connected(25088), *connected(4096), nn.Linear(4096, 1000))


class Inception(nn.Module):
    def __init__(self, inputs, one, reduce3, three, reduce5, five, pool):
        super().__init__()
        self.one = nn.Sequential(*convolution(inputs, one, 1))
        self.three = nn.Sequential(*convolution(inputs, reduce3, 1), *convolution(reduce3, three, 3, padding=1))
        self.five = nn.Sequential(*convolution(inputs, reduce5, 1), *convolution(reduce5, five, 5, padding=2))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), *convolution(inputs, pool, 1))

    def forward(self, x):
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)


class GoogLeNet(nn.Module):
    """Szegedy et al. 2014 with local response normalization and two heads in training, as Caffe's bvlc_googlenet."""
    def __init__(self):
        super().__init__()
        def norm():
            return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1)
        def pool():
            return nn.MaxPool2d(3, 2, ceil_mode=True)
        def head(inputs):
            return nn.Sequential(nn.AvgPool2d(5, 3), *convolution(inputs, 128, 1), nn.Flatten(), nn.Linear(2048, 1024),
                                 nn.ReLU(inplace=True), nn.Dropout(0.7), nn.Linear(1024, 1000))
        self.to_4a = nn.Sequential(
            *convolution(3, 64, 7, stride=2, padding=3), pool(), norm(), *convolution(64, 64, 1),
            *convolution(64, 192, 3, padding=1), norm(), pool(), Inception(192, 64, 96, 128, 16, 32, 32),
            Inception(256, 128, 128, 192, 32, 96, 64), pool(), Inception(480, 192, 96, 208, 16, 48, 64))
        self.to_4d = nn.Sequential(Inception(512, 160, 112, 224, 24, 64, 64), Inception(512, 128, 128, 256, 24, 64, 64),
                                   Inception(512, 112, 144, 288, 32, 64, 64))
        self.rest = nn.Sequential(
            Inception(528, 256, 160, 320, 32, 128, 128), pool(), Inception(832, 256, 160, 320, 32, 128, 128),
            Inception(832, 384, 192, 384, 48, 128, 128), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4),
            nn.Linear(1024, 1000))
        self.head1, self.head2 = head(512), head(528)

    def forward(self, x):
        x = self.to_4a(x)
        if not self.training:
            return self.rest(self.to_4d(x))
        first = self.head1(x)
        x = self.to_4d(x)
        return self.rest(x), first, self.head2(x)


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True),
            nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width))
        self.project = None
        if stride > 1 or inputs != 4 * width:
            self.project = nn.Sequential(nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.body(x) + (x if self.project is None else self.project(x)))


def resnet50():
    layers, inputs = [], 64
    for width, repeat, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(repeat):
            layers.append(Bottleneck(inputs, width, stride if block == 0 else 1))
            inputs = 4 * width
    return (3, 224, 1000), nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1), *layers,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))


def googlenet_bn():
    from torchvision import models
    return (3, 224, 1000), models.googlenet(aux_logits=False, init_weights=True)


NETWORKS = {"lenet": lenet, "fashion_net": fashion_net, "alexnet": alexnet, "alexnet_owt": alexnet_owt, "vgg16": vgg16,
            "googlenet": lambda: ((3, 224, 1000), GoogLeNet()), "googlenet_bn": googlenet_bn, "resnet50": resnet50}


def loss_of(outputs, labels):
    """The loss of a model's outputs, in fp32."""
    if not isinstance(outputs, tuple):
        return functional.cross_entropy(outputs.float(), labels)
    scores, *heads = outputs
    loss = functional.cross_entropy(scores.float(), labels)
    for head in heads:
        loss = loss + HEAD_WEIGHT * functional.cross_entropy(head.float(), labels)
    return loss
