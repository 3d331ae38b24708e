#!/usr/bin/env python3
"""PyTorch's side of tests/gpu/compare.py: whole training steps of a network, measured whenever a line asks for it.

  torch_step.py NET [batch] [--precision fp16|bf16|tf32|fp32] [--variant eager|graph|compile|compile_graph] [--device cuda|cpu]

Prints one JSON line when it is ready, and one for each line of standard input, which holds the seconds to measure. Channels last,
cudnn.benchmark, fused SGD; half precision is autocast with fp32 weights, with fp16 a GradScaler. graph captures the whole step as
a CUDA graph. The images lie on the device as they are needed: nothing is copied in a step.
"""
import argparse
import json
import os
import sys
import time

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
from torch_networks import NETWORKS, loss_of  # noqa: E402

HALF = {"fp16": torch.float16, "bf16": torch.bfloat16}


class Training:
    def __init__(self, a):
        self.on_gpu = a.device == "cuda"
        torch.manual_seed(1)
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = a.precision == "tf32"
        (channels, size, classes), model = NETWORKS[a.net]()
        self.batch = a.batch
        self.half = HALF.get(a.precision)
        self.model = model.to(a.device).to(memory_format=torch.channels_last)
        self.images = torch.randn(a.batch, channels, size, size, device=a.device).contiguous(memory_format=torch.channels_last)
        self.labels = (torch.arange(a.batch) % classes).to(a.device)
        fused = {"fused": True} if self.on_gpu else {}
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4, **fused)
        self.scaler = torch.amp.GradScaler(a.device, enabled=a.precision == "fp16" and self.on_gpu)
        self.forward = torch.compile(self.model) if "compile" in a.variant else self.model
        self.device = a.device
        self.graph = None
        if "graph" in a.variant:
            self.capture()
        else:
            for _ in range(5):
                self.step()
        self.synchronize()

    def compute(self):
        """Forward, backward and update; the gradients must be gone before."""
        # What autocast keeps from one use of a weight to the next must not outlive a capture.
        with torch.autocast(self.device, self.half or torch.bfloat16, enabled=self.half is not None,
                            cache_enabled=self.graph is None):
            outputs = self.forward(self.images)
        self.loss = loss_of(outputs, self.labels)
        self.scaler.scale(self.loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def capture(self):
        graph = self.graph = torch.cuda.CUDAGraph()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(5):
                self.optimizer.zero_grad(set_to_none=True)
                self.compute()
        torch.cuda.current_stream().wait_stream(side)
        self.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            self.compute()

    def step(self):
        if self.graph is not None:
            self.graph.replay()
            return
        self.optimizer.zero_grad(set_to_none=True)
        self.compute()

    def synchronize(self):
        if self.on_gpu:
            torch.cuda.synchronize()

    def rate(self, seconds):
        """Images/s over about so many seconds."""
        steps, done, start = 1, 0, time.perf_counter()
        while True:
            for _ in range(steps):
                self.step()
            self.synchronize()
            done += steps
            taken = time.perf_counter() - start
            if taken >= seconds:
                return done * self.batch / taken
            steps = max(1, min(int(done / taken * (seconds - taken)), 4 * steps))

    def memory(self):
        """Peaks of the steps, without what the trials of cudnn.benchmark took before."""
        if not self.on_gpu:
            return {}
        if self.graph is None:
            torch.cuda.reset_peak_memory_stats()
            self.step()
            self.synchronize()
        free, whole = torch.cuda.mem_get_info()
        return {"allocated_bytes": torch.cuda.max_memory_allocated(), "reserved_bytes": torch.cuda.max_memory_reserved(),
                "device_used_bytes": whole - free}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("net", choices=sorted(NETWORKS))
    parser.add_argument("batch", type=int, nargs="?", default=64)
    parser.add_argument("--precision", choices=["fp32", "tf32", "bf16", "fp16"], default="fp16")
    parser.add_argument("--variant", choices=["eager", "graph", "compile", "compile_graph"], default="eager")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    a = parser.parse_args()
    training = Training(a)
    print(json.dumps({"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(),
                      "loss": float(training.loss.detach()), **training.memory()}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"images_per_second": training.rate(float(line))}), flush=True)


if __name__ == "__main__":
    main()
