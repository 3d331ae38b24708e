#!/usr/bin/env python3
"""The peer of train_step.cpp: whole training steps of the same network in PyTorch on the CPU.

  torch_train_step.py NET [batch] [threads] [steps] [--variant eager|channels_last|compile|compile_channels_last] [--bf16]

Prints one JSON line with the median images/s over blocks of steps. Needs PyTorch from PyPI, and torchvision for googlenet_bn
(pip install torch torchvision). bf16 is autocast, as PyTorch's recipes do it: master weights stay fp32.
"""
import argparse
import json
import statistics
import time

import torch

from torch_networks import NETWORKS, loss_of


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("net", choices=sorted(NETWORKS))
    parser.add_argument("batch", type=int, nargs="?", default=64)
    parser.add_argument("threads", type=int, nargs="?", default=2)
    parser.add_argument("steps", type=int, nargs="?", default=50)
    parser.add_argument("--variant", default="eager",
                        choices=["eager", "channels_last", "compile", "compile_channels_last"])
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--bf16", action="store_true")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    (channels, size, classes), model = NETWORKS[a.net]()
    images = torch.randn(a.batch, channels, size, size)
    labels = torch.arange(a.batch) % classes
    if "channels_last" in a.variant:
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
    forward = torch.compile(model) if "compile" in a.variant else model

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=a.bf16):
            scores = forward(images)
        loss = loss_of(scores, labels)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(a.warm_up):
        loss = step()
    rates = []
    for _ in range(a.blocks):
        start = time.perf_counter()
        for _ in range(a.steps):
            loss = step()
        rates.append(a.batch * a.steps / (time.perf_counter() - start))
    print(json.dumps({"network": a.net, "batch": a.batch, "threads": a.threads, "variant": a.variant,
                      "precision": "bf16" if a.bf16 else "fp32",
                      "torch": torch.__version__, "images_per_second": statistics.median(rates),
                      "loss": float(loss.detach())}))


if __name__ == "__main__":
    main()
