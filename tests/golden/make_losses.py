#!/usr/bin/env python3
"""Writes losses.safetensors: what PyTorch, in double precision, says of each loss.

Format and inputs as make_layers.py documents them. Run with PyTorch 2.13: make_losses.py
"""
import numpy as np
import torch
import torch.nn.functional as F

from make_layers import METADATA, TENSORS, cases, digest, hashed, mix, save, toml

SHAPES = [(10, 8), (1000, 3), (2, 1), (17, 5), (1, 2), (16, 4), (33, 7), (5, 16), (100, 2), (7, 1), (3, 9)]


def one_hot(scores, labels):
    return F.one_hot(labels, scores.shape[1]).to(scores.dtype)


def softmax_loss(scores, labels, label_smoothing=0.0):
    return F.cross_entropy(scores, labels, reduction="sum", label_smoothing=label_smoothing), F.softmax(scores, 1)


def squared_error(scores, labels):
    return F.mse_loss(scores, one_hot(scores, labels), reduction="sum") / 2, scores


def hinge(scores, labels, norm=1):
    sign = 2 * one_hot(scores, labels) - 1
    return ((1 - sign * scores).clamp(min=0) ** norm).sum(), scores


def sigmoid_cross_entropy(scores, labels):
    return F.binary_cross_entropy_with_logits(scores, one_hot(scores, labels), reduction="sum"), torch.sigmoid(scores)


def add(loss, classes, batch, weight=1.0, **options):
    key = f"{cases():03d}"
    row = {"type": loss.__name__, **options, **({"weight": weight} if weight != 1 else {})}
    text = ", ".join(f"{k} = {toml(v)}" for k, v in row.items())
    METADATA[key + ".network"] = (f'name = "golden"\ninput = {{ channels = {classes}, height = 1, width = 1 }}\n'
                                  f"layers = [ {{ {text} }} ]\n")
    METADATA[key + ".batch"] = str(batch)
    METADATA[key + ".training"] = "true"
    scores = torch.tensor(hashed(1, (batch, classes)), requires_grad=True)
    labels = torch.tensor((mix(np.arange(batch, dtype=np.uint32)) % np.uint32(classes)).astype(np.int64))
    total, output = loss(scores, labels, **options)
    total = weight * total
    (total / batch).backward()
    rank = (scores > scores.gather(1, labels[:, None])).sum(1)
    TENSORS[key + ".metrics"] = np.array([total.item(), (rank < 1).sum(), (rank < 5).sum(), batch], dtype=np.float32)
    TENSORS[key + ".output"] = digest(output.detach().numpy())
    TENSORS[key + ".input_gradient0"] = digest(scores.grad.numpy())


def main():
    for classes, batch in SHAPES:
        add(squared_error, classes, batch)
        add(sigmoid_cross_entropy, classes, batch)
        for norm in (1, 2):
            add(hinge, classes, batch, norm=norm)
        add(softmax_loss, classes, batch, label_smoothing=0.1)
    add(softmax_loss, 10, 4, label_smoothing=1.0)
    add(softmax_loss, 10, 4, label_smoothing=0.5, weight=0.3)
    add(softmax_loss, 10, 4, weight=2.5)
    add(squared_error, 10, 4, weight=0.3)
    add(hinge, 10, 4, weight=0.3)
    add(sigmoid_cross_entropy, 10, 4, weight=7.0)
    save("losses.safetensors")


if __name__ == "__main__":
    main()
