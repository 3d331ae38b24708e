#!/usr/bin/env python3
"""Peak memory of training steps of a network in PyTorch on the CPU; the networks are those of torch_train_step.py.

  torch_memory.py NET [batch] [steps] [--channels-last] [--threads N]

Prints one JSON line. `resident_bytes`: the most memory the process had during the steps, less what it had before the model and
the batch were made (VmHWM, reset by /proc/self/clear_refs). `tensor_bytes`: the most bytes of tensors at a time by the profiler
of memory, in one more step; it does not see what oneDNN allocates for itself.
"""
import argparse
import json

import torch
from torch import nn

from torch_networks import NETWORKS, loss_of


def status(key):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    raise RuntimeError("no " + key)


def reset_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def peak_of_tensors(step):
    """Sum of the allocations and releases of a step, in order, on top of what lives throughout."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True,
                                with_stack=False) as profile:
        step()
    now = most = 0
    for event in sorted((e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"),
                        key=lambda e: e.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return most


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("net", choices=sorted(NETWORKS))
    parser.add_argument("batch", type=int, nargs="?", default=32)
    parser.add_argument("steps", type=int, nargs="?", default=3)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    # Libraries that are loaded at the first use are no part of the step.
    nn.Sequential(nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8))(torch.randn(2, 8, 16, 16)).sum().backward()
    before = status("VmRSS")
    (channels, size, classes), model = NETWORKS[a.net]()
    images = torch.randn(a.batch, channels, size, size)
    labels = torch.arange(a.batch) % classes
    if a.channels_last:
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss_of(model(images), labels).backward()
        optimizer.step()

    reset_peak()
    for _ in range(a.steps):
        step()
    resident = status("VmHWM") - before
    optimizer.zero_grad(set_to_none=True)
    lasting = images.numel() * 4 + labels.numel() * 8
    lasting += sum(p.numel() * 4 for p in model.parameters()) * 2  # and momentum
    lasting += sum(b.numel() * b.element_size() for b in model.buffers())
    print(json.dumps({"network": a.net, "batch": a.batch, "channels_last": a.channels_last, "torch": torch.__version__,
                      "resident_bytes": resident, "tensor_bytes": lasting + peak_of_tensors(step)}))


if __name__ == "__main__":
    main()
